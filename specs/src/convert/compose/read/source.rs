//! Where a service's code comes from.

use serde_json::{Value, json};

use super::Reader;
use crate::{convert::entries, image::check_image};

impl Reader<'_> {
    pub(super) fn source(&mut self, path: &str, service: &Value, read: &mut Value) {
        let build = &service["build"];
        if build.is_null() {
            match service["image"]
                .as_str()
                .map(|text| self.filled(&format!("{path}.image"), text))
            {
                Some(Some(image)) if check_image(&image).is_ok() => {
                    read["source"]["image"] = json!(image);
                }
                Some(_) => self.say(
                    &format!("{path}.image"),
                    "is no image reference as it stands: write the one that is meant",
                ),
                None => self.say(path, "has neither an image nor a build"),
            }
            return;
        }
        if !service["image"].is_null() {
            self.say(
                &format!("{path}.image"),
                "is only the name of what is built, and is left out",
            );
        }
        let context = build
            .as_str()
            .or_else(|| build["context"].as_str())
            .unwrap_or(".");
        let (repo, revision, folder) = match context.split_once(".git") {
            Some((address, rest)) if address.contains("://") => {
                let repo = address.rsplit("github.com/").next().unwrap_or_default();
                let rest = rest.trim_start_matches('#');
                let (revision, folder) = rest.split_once(':').unwrap_or((rest, ""));
                (Some(repo.to_owned()), revision, folder)
            }
            _ => (None, "", context.trim_start_matches("./")),
        };
        let folder = folder.trim_matches('/');
        if !matches!(folder, "" | ".") {
            if folder.starts_with("..") {
                self.say(&format!("{path}.build"), "is outside of the repository");
            } else {
                read["source"]["rootDirectory"] = json!(format!("/{folder}"));
            }
        }
        if let Some(repo) = repo {
            read["source"]["repo"] = json!(repo);
            if revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                read["source"]["commit"] = json!(revision);
            } else if !revision.is_empty() {
                read["source"]["branch"] = json!(revision);
            }
        } else if self.repo.is_none() {
            self.say(&format!("{path}.build"), "Railway builds from a repository");
        }
        let file = build["dockerfile"].as_str().unwrap_or("Dockerfile");
        read["build"]["builder"] = json!("dockerfile");
        if file != "Dockerfile" {
            read["build"]["dockerfile"] = json!(file);
        }
        for (key, _) in entries(build) {
            if !matches!(key.as_str(), "context" | "dockerfile") {
                self.say(
                    &format!("{path}.build.{key}"),
                    "has no equivalent and is left out",
                );
            }
        }
    }
}

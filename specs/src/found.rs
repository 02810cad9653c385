//! What a repository holds that could run: services found by its files, for whoever begins an environment with it. Pure.
//!
//! ```text
//!   Compose file ──► services as it names them ──┐
//!                                                ├──► found, each name and each folder once
//!   paths of files ──► folders that are built ───┘
//! ```

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{convert::service_name, service::Engine};

/// Files that are there only for something that runs.
const CERTAIN: [&str; 4] = ["Dockerfile", "railway.json", "railway.toml", "Procfile"];

/// Files by which Railway's builder knows a language (source: Railpack's docs, "Languages"). A library has them too.
const LIKELY: [&str; 17] = [
    "package.json",
    "deno.json",
    "go.mod",
    "Cargo.toml",
    "requirements.txt",
    "pyproject.toml",
    "Pipfile",
    "Gemfile",
    "composer.json",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "mix.exs",
    "gleam.toml",
    "start.sh",
    "Staticfile",
    "index.html",
];

/// Compose files by the names that Compose itself looks for, in its order (source: compose-spec, "The Compose file").
const COMPOSE: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
];

/// Folders in which repositories keep what runs; elsewhere a manifest may be a library's.
const APPLICATIONS: [&str; 3] = ["apps", "services", "cmd"];

/// Folders in which nothing is looked for.
const ELSEWHERE: [&str; 11] = [
    "node_modules",
    "vendor",
    "test",
    "tests",
    "e2e",
    "fixtures",
    "examples",
    "example",
    "docs",
    "dist",
    "build",
];

/// Folders deeper than this are parts of something.
const DEEPEST: usize = 3;

/// What a repository holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FoundServices {
    /// `owner/name`
    pub repository: String,
    /// The branch, tag or commit that was looked at.
    pub reference: String,
    /// What could run, what surely does first.
    pub services: Vec<FoundService>,
    /// What was not understood, or not looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// A service that was found. Of `engine`, `image` and neither (built from the repository) one holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FoundService {
    /// A name for it.
    pub name: String,
    /// The file that tells of it.
    pub found_in: String,
    /// Whether it surely runs. A manifest alone may be a library's.
    pub is_certain: bool,
    /// The folder that it is built from; absent for the whole repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_directory: Option<String>,
    /// The image that it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The database that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    /// The port at which people reach it, where it has a public address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The path that answers when it is healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthcheck_path: Option<String>,
    /// What it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
}

/// The Compose file at the root of a repository, if it has one.
pub fn compose_file(files: &[String]) -> Option<&'static str> {
    COMPOSE
        .into_iter()
        .find(|name| files.iter().any(|file| file == name))
}

/// What a Compose file tells of, read as the manifest of an Environment (see [`crate::convert::compose::read`]).
pub fn in_compose(manifest: &Value, file: &str) -> Vec<FoundService> {
    let services = manifest["spec"]["services"].as_object();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    services
        .into_iter()
        .flatten()
        .map(|(name, service)| {
            let image = text(&service["source"]["image"]);
            let engine = image.as_deref().and_then(engine_of);
            let domain = service["domains"].as_array().and_then(|all| all.first());
            let needs = service["dependsOn"].as_array().into_iter().flatten();
            FoundService {
                name: name.clone(),
                found_in: file.to_owned(),
                is_certain: true,
                root_directory: text(&service["source"]["rootDirectory"])
                    .map(|folder| folder.trim_matches('/').to_owned())
                    .filter(|folder| !folder.is_empty()),
                image: image.filter(|_| engine.is_none()),
                engine,
                port: domain
                    .and_then(|domain| domain["port"].as_u64())
                    .and_then(|port| u16::try_from(port).ok()),
                healthcheck_path: text(&service["deploy"]["healthcheck"]["path"]),
                depends_on: needs.filter_map(text).collect(),
            }
        })
        .collect()
}

/// The engine that an image is of: Mirage brings its volume, its password and its address.
fn engine_of(image: &str) -> Option<Engine> {
    let name = image.rsplit('/').next().unwrap_or(image);
    let name = name.split([':', '@']).next().unwrap_or(name);
    match name {
        "postgres" | "postgresql" => Some(Engine::Postgres),
        "mysql" => Some(Engine::Mysql),
        "redis" => Some(Engine::Redis),
        "mongo" => Some(Engine::Mongo),
        _ => None,
    }
}

/// What the paths of a repository's files tell of. `repository` is its name, without the owner's.
pub fn in_tree(files: &[String], repository: &str) -> Vec<FoundService> {
    let mut folders: BTreeMap<&str, &str> = BTreeMap::new();
    for file in files {
        let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
        if rank(name).is_none() || !is_looked_into(folder) {
            continue;
        }
        let known = folders.entry(folder).or_insert(file);
        if rank(name) < rank(base(known)) {
            *known = file;
        }
    }
    let is_part = |folder: &str, file: &str| {
        let above = folder.match_indices('/').map(|(at, _)| &folder[..at]);
        !is_certain(file) && above.into_iter().any(|above| folders.contains_key(above))
    };
    let kept: Vec<(&str, &str)> = folders
        .iter()
        .map(|(folder, file)| (*folder, *file))
        .filter(|(folder, file)| !is_part(folder, file))
        .collect();
    // The manifest of a workspace stands at its root, beside what the workspace holds.
    let is_workspace = kept.len() > 1;
    let mut found: Vec<FoundService> = kept
        .into_iter()
        .filter(|(folder, file)| !(folder.is_empty() && is_workspace && !is_certain(file)))
        .map(|(folder, file)| FoundService {
            name: service_name(if folder.is_empty() {
                repository
            } else {
                base(folder)
            }),
            found_in: file.to_owned(),
            is_certain: is_certain(file) || folder.is_empty() || is_application(folder),
            root_directory: (!folder.is_empty()).then(|| folder.to_owned()),
            ..FoundService::default()
        })
        .collect();
    found.sort_by_key(|service| !service.is_certain);
    found
}

/// Both together: what a Compose file names goes before what was found in the same folder or under the same name.
pub fn together(named: Vec<FoundService>, seen: Vec<FoundService>) -> Vec<FoundService> {
    let mut all = named;
    for mut service in seen {
        let is_known = all.iter().any(|other| {
            other.engine.is_none()
                && other.image.is_none()
                && other.root_directory == service.root_directory
        });
        if is_known {
            continue;
        }
        if all.iter().any(|other| other.name == service.name) {
            // Two folders of one name are told apart by where they are.
            let folder = service.root_directory.as_deref().unwrap_or(&service.name);
            service.name = service_name(folder);
        }
        if all.iter().all(|other| other.name != service.name) {
            all.push(service);
        }
    }
    all
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// How much a file says, the most first; nothing where it says nothing.
fn rank(name: &str) -> Option<usize> {
    CERTAIN
        .iter()
        .chain(&LIKELY)
        .position(|known| *known == name)
}

fn is_certain(file: &str) -> bool {
    CERTAIN.contains(&base(file))
}

fn is_application(folder: &str) -> bool {
    folder
        .rsplit_once('/')
        .is_some_and(|(above, _)| APPLICATIONS.contains(&base(above)))
}

fn is_looked_into(folder: &str) -> bool {
    let mut segments = folder.split('/').filter(|segment| !segment.is_empty());
    folder.split('/').count() <= DEEPEST
        && segments.all(|segment| !segment.starts_with('.') && !ELSEWHERE.contains(&segment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::compose;

    fn tree(files: &[&str]) -> Vec<(String, Option<String>, bool)> {
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        in_tree(&files, "shop")
            .into_iter()
            .map(|found| (found.name, found.root_directory, found.is_certain))
            .collect()
    }

    fn at(name: &str, folder: &str, is_certain: bool) -> (String, Option<String>, bool) {
        (name.to_owned(), Some(folder.to_owned()), is_certain)
    }

    #[test]
    fn a_repository_of_one_service_is_that_service() {
        for files in [
            &["package.json", "src/index.ts", "tests/package.json"][..],
            &["Dockerfile", "go.mod"],
            &["index.html"],
        ] {
            assert_eq!(tree(files), [("shop".to_owned(), None, true)], "{files:?}");
        }
        assert_eq!(tree(&["README.md", "docs/index.html"]), []);
    }

    #[test]
    fn a_monorepo_has_what_its_folders_say() {
        let files = [
            "package.json",
            "apps/web/package.json",
            "apps/web/client/package.json",
            "services/api/Dockerfile",
            "services/api/go.mod",
            "packages/ui/package.json",
            "node_modules/left-pad/package.json",
            ".github/actions/deploy/Dockerfile",
            "a/very/deep/place/package.json",
        ];
        assert_eq!(
            tree(&files),
            [
                at("web", "apps/web", true),
                at("api", "services/api", true),
                at("ui", "packages/ui", false),
            ]
        );
    }

    #[test]
    fn a_compose_file_says_more_than_folders_do() {
        let text = "services:\n  web:\n    build: ./apps/web\n    ports: ['80:3000']\n    depends_on: [db, cache]\n  \
                    db:\n    image: docker.io/library/postgres:17\n  cache:\n    image: valkey/valkey:9\n";
        let manifest = compose::read(text, "shop", Some("acme/shop"))
            .unwrap()
            .manifest;
        let named = in_compose(&manifest, "compose.yaml");
        let files =
            ["compose.yaml", "apps/web/Dockerfile", "apps/db/Dockerfile"].map(str::to_owned);
        assert_eq!(compose_file(&files), Some("compose.yaml"));
        let all = together(named, in_tree(&files, "shop"));
        let short: Vec<_> = all
            .iter()
            .map(|found| {
                let what = (
                    found.engine,
                    found.image.as_deref(),
                    found.root_directory.as_deref(),
                );
                (found.name.as_str(), what)
            })
            .collect();
        assert_eq!(
            short,
            [
                ("cache", (None, Some("valkey/valkey:9"), None)),
                ("db", (Some(Engine::Postgres), None, None)),
                ("web", (None, None, Some("apps/web"))),
                ("apps-db", (None, None, Some("apps/db"))),
            ]
        );
        assert_eq!(
            (all[2].port, &all[2].depends_on[..]),
            (Some(3000), &["db".to_owned(), "cache".to_owned()][..])
        );
    }
}

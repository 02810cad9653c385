//! What an item has at hand: a server, a kubectl, a namespace and a folder of its own, and two versions of a manifest.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use mirage_tests::process::{
    Ended, Mirage, binary, http,
    kubectl::{Installed, Kubectl},
};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Child;

/// The scene of one item. No controllers act here: versions and generations are the item's own.
pub(crate) struct Scene<'s> {
    pub(crate) mirage: &'s Mirage,
    pub(crate) kubectl: Kubectl,
    pub(crate) namespace: String,
    folder: TempDir,
    client: reqwest::Client,
}

/// An answer to a request that kubectl would not make.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

/// Environment `web` with two services, as `env.yaml` has it.
pub(crate) const ENV: &str = r#"apiVersion: mirage.dev/v1alpha1
kind: Environment
metadata:
  name: web
  labels: {app: web}
spec:
  project: {name: web}
  variables:
    LOG_LEVEL: info
    FIRST: kept
  services:
    site:
      source: {image: "nginx:1.29"}
    cache:
      source: {image: "redis:8"}
"#;

/// The same after an edit, as `env2.yaml` has it: one value changed, one key dropped, one added.
pub(crate) fn env2() -> String {
    ENV.replace("LOG_LEVEL: info", "LOG_LEVEL: debug")
        .replace("FIRST: kept", "SECOND: new")
}

/// The same under another name.
pub(crate) fn named(name: &str) -> String {
    ENV.replacen("name: web", &format!("name: {name}"), 1)
}

/// A server of the test's own without controllers, its `env.yaml` and `env2.yaml`, and the newest kubectl; nothing where there is none.
pub(crate) async fn begin() -> Result<Option<(Mirage, Kubectl)>> {
    let mirage = Mirage::api_only().await?;
    mirage.write("env.yaml", ENV)?;
    mirage.write("env2.yaml", &env2())?;
    Ok(Kubectl::of(&mirage)?.map(|kubectl| (mirage, kubectl)))
}

impl<'s> Scene<'s> {
    /// On this server, with this kubectl, in a new namespace of this name.
    pub(crate) async fn on(
        mirage: &'s Mirage,
        installed: &Installed,
        namespace: &str,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let kubeconfig = folder.path().join("kubeconfig");
        let text = fs::read_to_string(mirage.data("kubeconfig"))?;
        let mut config: Value = serde_yaml::from_str(&text)?;
        config["contexts"][0]["context"]["namespace"] = json!(namespace);
        fs::write(&kubeconfig, config.to_string())?;
        let scene = Self {
            mirage,
            kubectl: Kubectl::new(installed, &kubeconfig, folder.path())?,
            namespace: namespace.to_owned(),
            folder,
            client: http::client()?,
        };
        scene.write("env.yaml", ENV)?;
        scene.write("env2.yaml", &env2())?;
        let body = json!({"metadata": {"name": namespace}}).to_string();
        let made = scene
            .ask(Method::POST, "/api/v1/namespaces", &[], body)
            .await?;
        ensure!(made.status == 201, "{}", made.text);
        Ok(scene)
    }

    /// Runs kubectl to its end.
    pub(crate) async fn k(&self, line: &str) -> Result<Ended> {
        binary::run(&mut self.kubectl.typed(line)).await
    }

    /// Runs a kubectl that must succeed; what it printed.
    pub(crate) async fn does(&self, line: &str) -> Result<String> {
        self.k(line).await?.well()
    }

    /// Starts a kubectl that goes on; its stdout goes to a file of the folder.
    pub(crate) fn starts(&self, line: &str, stdout: &str) -> Result<Child> {
        let file = fs::File::create(self.path(stdout))?;
        self.kubectl
            .typed(line)
            .stdout(file)
            .kill_on_drop(true)
            .spawn()
            .context("kubectl could not be started")
    }

    /// A file of the folder in which kubectl runs.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file for kubectl to name.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<()> {
        Ok(fs::write(self.path(name), text)?)
    }

    /// What stands in a file.
    pub(crate) fn read(&self, name: &str) -> Result<String> {
        Ok(fs::read_to_string(self.path(name))?)
    }

    /// Writes a program that stands in for a person's editor.
    pub(crate) fn editor(&self, script: &str) -> Result<PathBuf> {
        let path = self.path("editor.sh");
        fs::write(&path, format!("#!/bin/sh\n{script}\n"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(path)
    }

    /// The kubeconfig with another user's credentials.
    pub(crate) fn kubeconfig_of(&self, user: &Value) -> Result<PathBuf> {
        let text = self.read("kubeconfig")?;
        let mut config: Value = serde_json::from_str(&text)?;
        config["users"][0]["user"] = user.clone();
        let path = self.path("other-kubeconfig");
        fs::write(&path, config.to_string())?;
        Ok(path)
    }

    /// The same kubectl for a user who may read everything but secrets.
    pub(crate) async fn viewer(&self) -> Result<Kubectl> {
        let name = format!("viewer-{}", uuid::Uuid::new_v4());
        let made = self
            .mirage
            .does(&[
                "token",
                "create",
                &name,
                "--user",
                "viewer",
                "--group",
                "mirage:viewers",
                "-o",
                "json",
            ])
            .await?;
        let made: Value = serde_json::from_str(&made)?;
        let token = made["status"]["token"].as_str().context("no token")?;
        let kubeconfig = self.kubeconfig_of(&json!({"token": token}))?;
        self.kubectl.with_kubeconfig(&kubeconfig)
    }

    /// The path of the environments in the scene's namespace.
    pub(crate) fn environments(&self) -> String {
        format!(
            "/apis/mirage.dev/v1alpha1/namespaces/{}/environments",
            self.namespace
        )
    }

    /// A request as the administrator.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Result<Answer> {
        let url = format!("{}{path}", self.mirage.address("http")?);
        let mut request = self
            .client
            .request(method, url)
            .bearer_auth(self.mirage.token()?);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.body(body).send().await?;
        Ok(Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            text: answer.text().await?,
        })
    }

    /// An answer that goes on and is read piece by piece.
    pub(crate) async fn open(&self, path: &str) -> Result<reqwest::Response> {
        let url = format!("{}{path}", self.mirage.address("http")?);
        let answer = self
            .client
            .get(url)
            .bearer_auth(self.mirage.token()?)
            .send()
            .await?;
        Ok(answer.error_for_status()?)
    }

    /// What stands at a path.
    pub(crate) async fn get(&self, path: &str) -> Result<Answer> {
        self.ask(Method::GET, path, &[], "").await
    }

    /// Environment `web` as it is, with its managed fields.
    pub(crate) async fn web(&self) -> Result<Value> {
        let answer = self.get(&format!("{}/web", self.environments())).await?;
        ensure!(answer.status == 200, "web: {}", answer.text);
        answer.json()
    }

    /// Makes an environment of this name.
    pub(crate) async fn make(&self, name: &str) -> Result<Value> {
        let yaml = [("content-type", "application/yaml")];
        let made = self
            .ask(Method::POST, &self.environments(), &yaml, named(name))
            .await?;
        ensure!(made.status == 201, "{name}: {}", made.text);
        made.json()
    }

    /// Changes environment `web` by a merge patch, behind kubectl's back.
    pub(crate) async fn change(&self, patch: &Value) -> Result<Value> {
        let path = format!("{}/web", self.environments());
        self.merge(&path, patch).await
    }

    /// Changes the status of environment `web`, as a controller would.
    pub(crate) async fn report(&self, status: &Value) -> Result<Value> {
        let path = format!("{}/web/status", self.environments());
        self.merge(&path, &json!({"status": status})).await
    }

    async fn merge(&self, path: &str, patch: &Value) -> Result<Value> {
        let merge = [("content-type", "application/merge-patch+json")];
        let done = self
            .ask(Method::PATCH, path, &merge, patch.to_string())
            .await?;
        ensure!(done.status == 200, "{}", done.text);
        done.json()
    }
}

impl Answer {
    /// The body.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.text).with_context(|| self.text.clone())
    }
}

/// Whether a line of a table has all of these words, in any order.
pub(crate) fn row<'t>(table: &'t str, words: &[&str]) -> Option<&'t str> {
    let has_all = |line: &&str| {
        words
            .iter()
            .all(|word| line.split_whitespace().any(|cell| cell == *word))
    };
    table.lines().find(has_all)
}

/// The version of an object.
pub(crate) fn version(object: &Value) -> &str {
    object["metadata"]["resourceVersion"]
        .as_str()
        .unwrap_or_default()
}

/// The generation of an object.
pub(crate) fn generation(object: &Value) -> Option<i64> {
    object["metadata"]["generation"].as_i64()
}

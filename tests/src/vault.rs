//! A Vault of the test's own: OpenBao's (or HashiCorp's) server in its development mode, over TLS with a CA of its making.

mod counting;

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::waiting::{Look, until};

pub use counting::Counting;

/// The administrator's token.
const ROOT: &str = "root-of-the-tests";

/// A running server. Killed when this value goes.
pub struct Vault {
    folder: TempDir,
    address: String,
    child: Child,
    http: reqwest::Client,
}

impl Drop for Vault {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program: what `deploy/test-tools.sh` installed, else what this machine has.
fn program() -> Option<PathBuf> {
    let target = std::env::current_exe().ok()?;
    // target/debug/deps/test-…
    let own = target.ancestors().nth(3)?.join("tmp/clients/openbao/bao");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let elsewhere = std::env::split_paths(&path)
        .flat_map(|folder| ["bao", "vault"].map(|name| folder.join(name)));
    [own]
        .into_iter()
        .chain(elsewhere)
        .find(|file| file.is_file())
}

impl Vault {
    /// Starts one; none, said loudly, where there is no program.
    ///
    /// # Errors
    /// It is there and does not start.
    pub async fn start() -> Result<Option<Self>> {
        let Some(program) = program() else {
            use std::io::Write as _;
            // Not `eprintln!`, which the test harness keeps to itself when a test passes.
            let note =
                "\nNOT TESTED: secret stores: no OpenBao; deploy/test-tools.sh installs it\n";
            std::io::stderr().write_all(note.as_bytes())?;
            return Ok(None);
        };
        // A process may do this once; every later time it is done already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir()?;
        // Free a moment ago; should somebody take it meanwhile, the server says so and the test fails with its words.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = fs::File::create(folder.path().join("log"))?;
        let child = Command::new(program)
            .args(["server", "-dev", "-dev-tls", "-dev-no-store-token"])
            .arg(format!("-dev-tls-cert-dir={}", folder.path().display()))
            .arg(format!("-dev-root-token-id={ROOT}"))
            .arg(format!("-dev-listen-address=127.0.0.1:{port}"))
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut vault = Self {
            folder,
            address: format!("https://127.0.0.1:{port}"),
            child,
            http: reqwest::Client::new(),
        };
        vault.up().await?;
        Ok(Some(vault))
    }

    async fn up(&mut self) -> Result<()> {
        until("Vault to be up", async || {
            if let Some(status) = self.child.try_wait()? {
                let log = fs::read_to_string(self.folder.path().join("log"))?;
                bail!("Vault ended with {status}:\n{log}");
            }
            let Ok(pem) = fs::read(self.folder.path().join("vault-ca.pem")) else {
                return Ok(Look::when(None, || "no certificate".to_owned()));
            };
            let Ok(ca) = reqwest::Certificate::from_pem(&pem) else {
                return Ok(Look::when(None, || "half a certificate".to_owned()));
            };
            self.http = reqwest::Client::builder().tls_certs_merge([ca]).build()?;
            let health = self.http.get(format!("{}/v1/sys/health", self.address));
            let is_up = health.send().await.is_ok_and(|it| it.status().is_success());
            Ok(Look::when(is_up.then_some(()), || "no health".to_owned()))
        })
        .await
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its CA, PEM.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn ca(&self) -> Result<String> {
        Ok(fs::read_to_string(self.folder.path().join("vault-ca.pem"))?)
    }

    /// Does something as its administrator.
    ///
    /// # Errors
    /// It was refused.
    pub async fn admin(&self, method: &str, path: &str, body: Value) -> Result<Value> {
        self.admin_in("", method, path, body).await
    }

    /// The same in one of its namespaces.
    ///
    /// # Errors
    /// It was refused.
    pub async fn admin_in(
        &self,
        namespace: &str,
        method: &str,
        path: &str,
        body: Value,
    ) -> Result<Value> {
        let url = format!("{}/v1/{path}", self.address);
        let request = self
            .http
            .request(method.parse()?, url)
            .header("X-Vault-Token", ROOT)
            .header("X-Vault-Namespace", namespace)
            .json(&body);
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{method} {path}: {status} {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// Writes a version of a secret in the engine `secret`.
    ///
    /// # Errors
    /// It was refused.
    pub async fn put(&self, path: &str, fields: Value) -> Result<()> {
        let body = json!({ "data": fields });
        self.admin("POST", &format!("secret/data/{path}"), body)
            .await?;
        Ok(())
    }

    /// A token that may read everything below a path of the engine `secret`.
    ///
    /// # Errors
    /// It was refused.
    pub async fn reader(&self, below: &str) -> Result<String> {
        let name = self.policy(below).await?;
        let body = json!({"policies": [name], "ttl": "1h"});
        let made = self.admin("POST", "auth/token/create", body).await?;
        let token = made["auth"]["client_token"].as_str();
        Ok(token.context("a token")?.to_owned())
    }

    /// An AppRole with the same right, and tokens that last so long: role id and secret id.
    ///
    /// # Errors
    /// It was refused.
    pub async fn role(&self, below: &str, ttl: &str) -> Result<(String, String)> {
        let name = self.policy(below).await?;
        // A second time it is there already.
        let _ = self
            .admin("POST", "sys/auth/approle", json!({"type": "approle"}))
            .await;
        let role = format!("auth/approle/role/{name}");
        let body = json!({"token_policies": [name], "token_ttl": ttl, "token_max_ttl": "1h"});
        self.admin("POST", &role, body).await?;
        let id = self
            .admin("GET", &format!("{role}/role-id"), json!({}))
            .await?;
        let secret = self
            .admin("POST", &format!("{role}/secret-id"), json!({}))
            .await?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Ok((
            text(&id["data"]["role_id"]).context("a role id")?,
            text(&secret["data"]["secret_id"]).context("a secret id")?,
        ))
    }

    async fn policy(&self, below: &str) -> Result<String> {
        let name = format!("read-{}", below.replace('/', "-"));
        let policy = format!("path \"secret/data/{below}/*\" {{ capabilities = [\"read\"] }}");
        let path = format!("sys/policies/acl/{name}");
        self.admin("PUT", &path, json!({ "policy": policy }))
            .await?;
        Ok(name)
    }
}

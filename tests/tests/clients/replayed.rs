//! Clients that cannot run here, replayed: the requests that they send, in their order, and what they conclude from the
//! answers. Read in the sources of Argo CD's gitops-engine, of Flux's `ssa` package, and of k9s.

mod argo_cd;
mod flux;
mod gnostic;
mod k9s;

use anyhow::{Context as _, Result, ensure};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use kube::{Client, client::Body};
use mirage_tests::process::Mirage;
use serde_json::Value;

/// The environments of the namespace, as clients without a schema address them.
const ENVIRONMENTS: &str = "/apis/mirage.dev/v1alpha1/namespaces/default/environments";

/// A client that sends exactly what it is told to, over TLS and with the token of the kubeconfig.
struct Wire(Client);

/// What came back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Wire {
    async fn to(mirage: &Mirage) -> Result<Self> {
        Ok(Self(mirage.client().await?))
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.0.send(request.body(Body::from(body))?).await?;
        let (parts, body) = response.into_parts();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await?.to_bytes().to_vec(),
        })
    }

    async fn get(&self, path: &str, accept: &str) -> Result<Answer> {
        self.send("GET", path, &[("accept", accept)], Vec::new())
            .await
    }

    /// The document at a path that must be there.
    async fn json(&self, path: &str) -> Result<Value> {
        self.get(path, "application/json, */*").await?.good()
    }

    async fn patch(&self, path: &str, patch_type: &str, patch: &Value) -> Result<Answer> {
        let headers = [("accept", "application/json"), ("content-type", patch_type)];
        self.send("PATCH", path, &headers, patch.to_string().into_bytes())
            .await
    }

    async fn post(&self, path: &str, object: &Value) -> Result<Answer> {
        let headers = [
            ("accept", "application/json"),
            ("content-type", "application/json"),
        ];
        self.send("POST", path, &headers, object.to_string().into_bytes())
            .await
    }
}

impl Answer {
    /// The document of a success.
    fn good(&self) -> Result<Value> {
        ensure!(self.status.is_success(), "{}: {}", self.status, self.text());
        self.document()
    }

    fn document(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| self.text())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The events of a watch that has ended.
    fn events(&self) -> Result<Vec<Value>> {
        ensure!(self.status.is_success(), "{}: {}", self.status, self.text());
        self.text()
            .lines()
            .map(|line| Ok(serde_json::from_str(line)?))
            .collect()
    }
}

/// Everything that can be listed and watched, as (path, plural): what Argo CD, k9s and every collector of garbage do to it.
async fn watchable(wire: &Wire) -> Result<Vec<(String, String)>> {
    let mut roots = vec!["/api/v1".to_owned()];
    let groups = wire.json("/apis").await?;
    for group in groups["groups"].as_array().context("groups")? {
        let preferred = &group["preferredVersion"]["groupVersion"];
        roots.push(format!(
            "/apis/{}",
            preferred.as_str().context("preferred")?
        ));
    }
    let mut found = Vec::new();
    for root in roots {
        let list = wire.json(&root).await?;
        ensure!(list["kind"] == "APIResourceList", "{root}: {list}");
        for resource in list["resources"].as_array().context("resources")? {
            let verbs = resource["verbs"].as_array().context("verbs")?;
            let has = |verb: &str| verbs.iter().any(|own| own == verb);
            let plural = resource["name"].as_str().context("name")?;
            if has("list") && has("watch") && !plural.contains('/') {
                found.push((format!("{root}/{plural}"), plural.to_owned()));
            }
        }
    }
    Ok(found)
}

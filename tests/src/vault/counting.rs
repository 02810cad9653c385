//! A door before a Vault that counts what goes through.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use axum::{Router, body::Body, extract::Request, response::Response};
use tokio::{net::TcpListener, task::JoinHandle};

use super::Vault;

type Counts = Arc<Mutex<BTreeMap<String, u64>>>;

/// The door, in the clear; it ends when it is dropped.
pub struct Counting {
    address: String,
    counts: Counts,
    task: JoinHandle<()>,
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Counting {
    /// A door before this Vault.
    ///
    /// # Errors
    /// No socket.
    pub async fn before(vault: &Vault) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let counts = Counts::default();
        let (counted, behind, http) = (
            Arc::clone(&counts),
            vault.address().to_owned(),
            vault.http.clone(),
        );
        let app = Router::new().fallback(move |request: Request| {
            let (counted, behind, http) = (Arc::clone(&counted), behind.clone(), http.clone());
            async move { pass(request, &counted, &behind, &http).await }
        });
        let task = tokio::spawn(async move {
            // Until the task is aborted.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self {
            address,
            counts,
            task,
        })
    }

    /// Where the door is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How often a path was asked for.
    pub fn count(&self, path: &str) -> u64 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(path).copied().unwrap_or_default()
    }
}

async fn pass(request: Request, counts: &Counts, behind: &str, http: &reqwest::Client) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().trim_start_matches("/v1/").to_owned();
    *counts
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(path)
        .or_default() += 1;
    let target = parts.uri.path_and_query().map_or("/", |it| it.as_str());
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    let mut headers = parts.headers;
    headers.remove(http::header::HOST);
    let sent = http
        .request(parts.method, format!("{behind}{target}"))
        .headers(headers)
        .body(body)
        .send()
        .await;
    let Ok(answer) = sent else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = http::StatusCode::BAD_GATEWAY;
        return response;
    };
    let status = answer.status();
    let mut response = Response::new(Body::from(answer.bytes().await.unwrap_or_default()));
    *response.status_mut() = status;
    response
}

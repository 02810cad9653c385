//! What a client really asks: a proxy in front of a server that writes every request down.
//!
//! It speaks plain HTTP, over which kubectl sends no token, so it brings the administrator's.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use futures::stream;
use http::{HeaderName, StatusCode, header};
use tokio::{net::TcpListener, task::JoinHandle};

use super::mirage::Mirage;

/// A request and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `GET`, `PATCH`…
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The query, as it came.
    pub query: String,
    /// The status of the answer.
    pub status: u16,
}

/// Records until it goes.
pub struct Recorder {
    door: Door,
    address: String,
    serving: JoinHandle<()>,
}

#[derive(Clone)]
struct Door {
    client: reqwest::Client,
    upstream: String,
    token: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// Headers that are about one connection, not about the request.
const HOP_BY_HOP: [HeaderName; 3] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::CONTENT_LENGTH,
];

impl Recorder {
    /// In front of a server.
    ///
    /// # Errors
    /// No socket, or the server is not up.
    pub async fn before(mirage: &Mirage) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let door = Door {
            client: super::http::client()?,
            upstream: mirage.address("http")?,
            token: mirage.token()?,
            asked: Arc::default(),
        };
        let router = Router::new().fallback(forward).with_state(door.clone());
        let serving = tokio::spawn(async move {
            // It ends with the test; a socket that broke shows in the client.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            door,
            address,
            serving,
        })
    }

    /// Where clients go.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// All requests since the last call, in the order in which they came.
    pub fn take(&self) -> Vec<Asked> {
        let mut asked = self
            .door
            .asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut asked)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn forward(State(door): State<Door>, request: Request) -> Response {
    door.pass(request)
        .await
        .unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response())
}

impl Door {
    async fn pass(&self, request: Request) -> Result<Response> {
        let (mut parts, body) = request.into_parts();
        let whole = parts
            .uri
            .path_and_query()
            .map_or("/", |whole| whole.as_str());
        for name in HOP_BY_HOP.iter().chain([&header::HOST]) {
            parts.headers.remove(name);
        }
        let body = axum::body::to_bytes(body, usize::MAX).await?;
        let mut answer = self
            .client
            .request(parts.method.clone(), format!("{}{whole}", self.upstream))
            .headers(parts.headers)
            .bearer_auth(&self.token)
            .body(body)
            .send()
            .await?;
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Asked {
                method: parts.method.to_string(),
                path: parts.uri.path().to_owned(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                status: answer.status().as_u16(),
            });
        let status = answer.status();
        let mut headers = std::mem::take(answer.headers_mut());
        for name in &HOP_BY_HOP {
            headers.remove(name);
        }
        // Piece by piece: a watch never ends by itself.
        let pieces = stream::unfold(answer, |mut answer| async move {
            let piece = answer.chunk().await.transpose()?;
            Some((piece, answer))
        });
        let mut response = Response::new(Body::from_stream(pieces));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

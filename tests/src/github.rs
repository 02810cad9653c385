//! A GitHub of our own: repositories, people, pull requests and what is said of them, as REST and as webhooks.
//!
//! ```text
//!   people.rs   somebody opens, pushes, closes, comments ──► state ──► webhook.rs  deliveries, for the test to carry
//!                                                              ▲
//!   Mirage ──► check.rs ──► fault.rs ──► limit.rs ──► answer.rs┘
//! ```
//!
//! It checks what it is sent and remembers what GitHub would not have taken ([`FakeGitHub::violations`]): a test ends by
//! asserting that there is nothing. Its time is the one it is given, so it lives on paused time too.

mod answer;
mod check;
mod fault;
mod limit;
mod people;
mod shape;
mod state;
mod webhook;

use std::{
    future::Future,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use jiff::Timestamp;
use mirage_github::{
    Access, Clock, Credential,
    transport::{Transport, TransportError},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub use answer::Answer;
pub use fault::{Fault, Harm};
pub use people::Opening;
pub use state::{CommentRecord, DeploymentRecord, PullRecord, StatusRecord};
pub use webhook::Delivery;

use state::State;

/// Where it is asked when nobody listens on a socket.
pub const ROOT: &str = "https://api.github.test";

/// The token that Mirage has, of the account [`BOT`].
pub const TOKEN: &str = "github-token-canary-3c1d";

/// The account in whose name Mirage writes.
pub const BOT: &str = "mirage-previews";

/// Who asks without a credential.
const NOBODY: &str = "";

/// How long an answer takes.
const LATENCY: Duration = Duration::from_millis(80);

/// The fake. Clones are the same GitHub.
#[derive(Clone)]
pub struct FakeGitHub {
    state: Arc<Mutex<State>>,
    clock: Clock,
}

/// A request as it was answered.
#[derive(Clone, Debug)]
pub struct Asked {
    /// When.
    pub at: Timestamp,
    /// `GET /repos/acme/shop/pulls?…`
    pub request: String,
    /// Whether it named an ETag.
    pub conditional: bool,
    /// The status of the answer, also when that got lost; none when the request did not arrive.
    pub status: Option<u16>,
    /// Whether it would change something.
    pub writes: bool,
}

/// The connection broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    BeforeItArrived,
    AfterItArrived,
}

impl FakeGitHub {
    /// A GitHub with one account, [`BOT`], which bears [`TOKEN`].
    pub fn new(clock: Clock) -> Self {
        let mut state = State::new(clock());
        state.tokens.insert(TOKEN.to_owned(), BOT.to_owned());
        Self {
            state: Arc::new(Mutex::new(state)),
            clock,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while it was held has failed the test already.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        let now = (self.clock)();
        // GitHub's times are whole seconds.
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    /// What Mirage is told of it.
    pub fn access(&self) -> Access {
        Access {
            api_url: ROOT.parse().expect("it is a URL"),
            credential: Credential::Token(TOKEN.into()),
        }
    }

    /// A way to it without a socket.
    pub fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(self.clone())
    }

    /// Its routes, for a listener; the API's root is the listener's.
    pub fn router(&self) -> Router {
        let github = self.clone();
        Router::new().fallback(move |request: Request<Body>| {
            let github = github.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, usize::MAX)
                    .await
                    .unwrap_or_default();
                let answer = github.handle(Request::from_parts(parts, body)).await;
                let answer = answer.unwrap_or_else(|_| {
                    let mut bad_gateway = Response::new(Bytes::new());
                    *bad_gateway.status_mut() = StatusCode::BAD_GATEWAY;
                    bad_gateway
                });
                answer.map(Body::from)
            }
        })
    }

    /// Listens on a loopback port until the task ends; the address is the API's root.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn listen(
        &self,
    ) -> std::io::Result<(SocketAddr, impl Future<Output = ()> + Send + 'static)> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        self.state().root = format!("http://{address}");
        let router = self.router();
        Ok((address, async move {
            // It ends with the test.
            let _ = axum::serve(listener, router).await;
        }))
    }

    /// What Mirage sent that GitHub would not have taken.
    pub fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// Answers one request.
    pub(crate) async fn handle(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Broken> {
        tokio::time::sleep(LATENCY).await;
        let answer = self.answer(&request);
        tokio::time::sleep(LATENCY).await;
        answer
    }

    fn answer(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, Broken> {
        let now = self.now();
        let mut state = self.state();
        let state = &mut *state;
        let writes = request.method() != Method::GET;
        let path_and_query = request
            .uri()
            .path_and_query()
            .map_or("/", http::uri::PathAndQuery::as_str);
        let name = format!("{} {path_and_query}", request.method());
        let tag = request.headers().get(header::IF_NONE_MATCH).cloned();
        let mut asked = Asked {
            at: now,
            request: name.clone(),
            conditional: tag.is_some(),
            status: None,
            writes,
        };
        let harm = state.faults.strike(&name);
        if harm == Some(Harm::NotSent) {
            state.asked.push(asked);
            return Err(Broken::BeforeItArrived);
        }
        let checked = check::request(request);
        state
            .violations
            .extend(checked.into_iter().map(|wrong| format!("{name}: {wrong}")));
        let answer = match harm {
            Some(Harm::SecondaryLimit { retry_after }) => limit::secondary(retry_after),
            Some(Harm::ServerError(status)) => Answer::error(status, "Server Error"),
            _ => answer::answer(state, now, request),
        };
        let answer = limit::count(state, now, request, answer, tag.as_ref());
        asked.status = Some(answer.status);
        state.asked.push(asked);
        match harm {
            Some(Harm::LoseAnswer) => Err(Broken::AfterItArrived),
            Some(Harm::ServerErrorAfterEffect(status)) => {
                Ok(respond(Answer::error(status, "Server Error"), now))
            }
            _ => Ok(respond(answer, now)),
        }
    }
}

/// A tag that changes when anything of the answer does.
pub(crate) fn etag_of(answer: &Answer) -> String {
    let mut digest = Sha256::new();
    digest.update(answer.body.to_string());
    digest.update(answer.link.as_deref().unwrap_or_default());
    format!("W/\"{}\"", hex::encode(&digest.finalize()[..16]))
}

fn respond(answer: Answer, now: Timestamp) -> Response<Bytes> {
    let body = if answer.status == StatusCode::NOT_MODIFIED.as_u16() {
        Bytes::new()
    } else {
        Bytes::from(answer.body.to_string())
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).expect("we made it");
    let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let mut headers = answer.headers;
    headers.push(("date", date));
    headers.push(("content-type", "application/json; charset=utf-8".to_owned()));
    headers.extend(answer.link.map(|link| ("link", link)));
    for (name, value) in headers {
        let value = HeaderValue::try_from(value).expect("we made it");
        response.headers_mut().insert(name, value);
    }
    response
}

#[async_trait]
impl Transport for FakeGitHub {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.handle(request).await.map_err(|broken| match broken {
            Broken::BeforeItArrived => TransportError::NotSent("connection refused".to_owned()),
            Broken::AfterItArrived => TransportError::NoAnswer("connection reset".to_owned()),
        })
    }
}

/// GitHub's error body.
pub(crate) fn message(text: &str) -> Value {
    json!({ "message": text, "documentation_url": "https://docs.github.com/rest" })
}

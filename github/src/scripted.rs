//! A GitHub of canned answers for tests: each request is recorded and takes the next answer.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::{
    client::{Client, Clock},
    credential::{Access, Credential, GITHUB_API},
    transport::{Transport, TransportError},
};

/// A token whose text tests search for.
pub(crate) const TOKEN: &str = "token-canary-77aa";

pub(crate) enum Canned {
    Http(u16, Vec<(&'static str, String)>, String),
    NotSent,
    NoAnswer,
}

impl Canned {
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::Http(status, Vec::new(), body.to_string())
    }

    pub(crate) fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        match self {
            Self::Http(status, mut headers, body) => {
                headers.push((name, value.into()));
                Self::Http(status, headers, body)
            }
            other => other,
        }
    }
}

/// The canned GitHub.
#[derive(Default)]
pub(crate) struct Scripted {
    answers: Mutex<VecDeque<Canned>>,
    requests: Mutex<Vec<Request<Bytes>>>,
}

impl Scripted {
    pub(crate) fn new(answers: impl IntoIterator<Item = Canned>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.into_iter().collect()),
            requests: Mutex::default(),
        })
    }

    /// `METHOD address` of each request so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.requests
            .lock()
            .unwrap()
            .iter()
            .map(|request| format!("{} {}", request.method(), request.uri()))
            .collect()
    }

    /// A header of a request.
    pub(crate) fn header(&self, index: usize, name: &str) -> Option<String> {
        let requests = self.requests.lock().unwrap();
        let value = requests[index].headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    }

    pub(crate) fn client(self: &Arc<Self>) -> Client {
        self.client_with(Credential::Token(TOKEN.into()))
    }

    pub(crate) fn client_with(self: &Arc<Self>, credential: Credential) -> Client {
        let access = Access {
            api_url: GITHUB_API.parse().unwrap(),
            credential,
        };
        Client::new(&access, Arc::clone(self) as Arc<dyn Transport>, clock()).unwrap()
    }
}

/// Begins at a fixed moment and goes with tokio's time.
pub(crate) fn clock() -> Clock {
    let start = Instant::now();
    let epoch = Timestamp::from_second(1_800_000_000).unwrap();
    Arc::new(move || epoch + start.elapsed())
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let asked = format!("{} {}", request.method(), request.uri());
        self.requests.lock().unwrap().push(request);
        // The way takes its time, so that requests that belong together overlap.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let next = self.answers.lock().unwrap().pop_front();
        match next.unwrap_or_else(|| panic!("nothing is scripted for {asked}")) {
            Canned::NotSent => Err(TransportError::NotSent("refused".to_owned())),
            Canned::NoAnswer => Err(TransportError::NoAnswer("connection reset".to_owned())),
            Canned::Http(status, headers, body) => {
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                Ok(response.body(body.into()).unwrap())
            }
        }
    }
}

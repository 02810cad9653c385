//! What every request passes on its way out: headers, ETags, redirects, counts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use octocrab::OctoBody;

use super::{
    address::Root,
    etag::{Remembered, Tagged},
    limits::rate_limit,
};
use crate::{
    traffic::Traffic,
    transport::{Transport, TransportError},
};

/// GitHub refuses requests that do not say who asks.
const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("mirage/", env!("CARGO_PKG_VERSION")));
const ACCEPT: HeaderValue = HeaderValue::from_static("application/vnd.github+json");

/// A repository that was renamed answers with one; more in a row is a circle.
const MOST_REDIRECTS: usize = 3;

/// The way below octocrab.
pub(super) struct Channel {
    root: Root,
    transport: Arc<dyn Transport>,
    remembered: Mutex<Remembered>,
    traffic: Mutex<Traffic>,
}

impl Channel {
    pub(super) fn new(root: Root, transport: Arc<dyn Transport>) -> Self {
        Self {
            root,
            transport,
            remembered: Mutex::default(),
            traffic: Mutex::default(),
        }
    }

    pub(super) fn traffic(&self) -> MutexGuard<'_, Traffic> {
        // Counts are whole after each of their changes.
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries a request of octocrab's.
    pub(super) async fn carry(
        &self,
        request: Request<OctoBody>,
    ) -> Result<Response<Full<Bytes>>, TransportError> {
        let (parts, body) = request.into_parts();
        let body = body
            .collect()
            .await
            .map_err(|error| TransportError::NotSent(error.to_string()))?
            .to_bytes();
        let mut request = Request::from_parts(parts, body);
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, USER_AGENT);
        headers.insert(header::ACCEPT, ACCEPT);
        if request.method() == Method::GET {
            // octocrab says of every request how long its body is.
            request.headers_mut().remove(header::CONTENT_LENGTH);
        }
        let mut answer = self.exchange(&request).await?;
        for _ in 0..MOST_REDIRECTS {
            let Some(address) = self.redirected(&request, &answer) else {
                break;
            };
            *request.uri_mut() = address;
            answer = self.exchange(&request).await?;
        }
        Ok(answer.map(Full::new))
    }

    /// Where to ask instead, when GitHub says so and it is GitHub's own address.
    fn redirected(&self, request: &Request<Bytes>, answer: &Response<Bytes>) -> Option<http::Uri> {
        let may_follow = match answer.status() {
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => request.method() == Method::GET,
            _ => false,
        };
        let address = answer.headers().get(header::LOCATION)?.to_str().ok()?;
        (may_follow && self.root.is_ours(address))
            .then(|| address.parse().ok())
            .flatten()
    }

    /// One request and its answer; "as before" is answered with what was before.
    async fn exchange(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let is_read = request.method() == Method::GET;
        let address = request.uri().to_string();
        let known = is_read.then(|| self.remembered().get(&address)).flatten();
        let mut request = request.clone();
        if let Some(known) = &known {
            request
                .headers_mut()
                .insert(header::IF_NONE_MATCH, known.etag.clone());
        }
        {
            let mut traffic = self.traffic();
            traffic.requests += 1;
            traffic.conditional += u64::from(known.is_some());
        }
        let answer = self.transport.send(request).await;
        let mut traffic = self.traffic();
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                traffic.unanswered += 1;
                return Err(error);
            }
        };
        traffic.unanswered += u64::from(answer.status().is_server_error());
        if let Some(told) = rate_limit(answer.headers()) {
            traffic.rate_limit = Some(told);
        }
        match known {
            Some(known) if answer.status() == StatusCode::NOT_MODIFIED => {
                traffic.not_modified += 1;
                Ok(as_before(&answer, known))
            }
            _ => {
                drop(traffic);
                if is_read {
                    self.remember(&address, &answer);
                }
                Ok(answer)
            }
        }
    }

    fn remember(&self, address: &str, answer: &Response<Bytes>) {
        if answer.status() != StatusCode::OK {
            return;
        }
        if let Some(etag) = answer.headers().get(header::ETAG) {
            let tagged = Tagged {
                etag: etag.clone(),
                link: answer.headers().get(header::LINK).cloned(),
                body: answer.body().clone(),
            };
            self.remembered().put(address, tagged);
        }
    }
}

/// The answer that was remembered, under the headers of the one that says so.
fn as_before(answer: &Response<Bytes>, known: Tagged) -> Response<Bytes> {
    let mut response = Response::new(known.body);
    *response.headers_mut() = answer.headers().clone();
    // The header that counts is the one of the body.
    response.headers_mut().remove(header::LINK);
    if let Some(link) = known.link {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

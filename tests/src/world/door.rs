//! The controllers' way to the API server.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{Router, body::Body as Answer};
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use kube::client::Body;
use tower::{Service, ServiceExt as _};

use super::power::Power;

/// Passes requests on and counts those that write.
#[derive(Clone)]
pub(super) struct Door {
    router: Router,
    power: Arc<Power>,
}

impl Door {
    pub(super) fn new(router: Router, power: Arc<Power>) -> Self {
        Self { router, power }
    }
}

impl Service<Request<Body>> for Door {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (router, power) = (self.router.clone(), Arc::clone(&self.power));
        let writes = request.method() != Method::GET;
        let effect = writes.then(|| format!("{} {}", request.method(), request.uri().path()));
        Box::pin(async move { power.carry(effect, router.oneshot(request)).await })
    }
}

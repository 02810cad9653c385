//! The simulator on a socket, or as a router.

use axum::Router;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use futures::stream;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::request::Lost;
use crate::simulator::Simulator;

/// No document of a client is larger.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

impl Simulator {
    /// The whole simulator as a router. A lost answer becomes a body that breaks off; on a socket of its own
    /// ([`Self::serve`]) it is a connection closed without an answer.
    pub fn router(&self) -> Router {
        let simulator = self.clone();
        Router::new().fallback(move |request: Request<Body>| {
            let simulator = simulator.clone();
            async move {
                let (parts, body) = request.into_parts();
                let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
                    return status(StatusCode::PAYLOAD_TOO_LARGE);
                };
                match simulator.handle(Request::from_parts(parts, body)).await {
                    Ok(answer) => answer.map(Body::from),
                    Err(lost) => Response::new(Body::from_stream(stream::once(async move {
                        Err::<Bytes, Lost>(lost)
                    }))),
                }
            }
        })
    }

    /// Serves until `shutdown`; then open connections are cut.
    ///
    /// # Errors
    /// Accepting fails for good.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let mut connections = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return Ok(()),
                // Reaps what is finished, so that the set does not grow.
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => {
                    let stream = match accepted {
                        Ok((stream, _)) => stream,
                        // One connection that died while waiting does not end the server.
                        Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                        Err(error) => return Err(error),
                    };
                    let simulator = self.clone();
                    connections.spawn(async move {
                        let service = service_fn(move |request| answer(simulator.clone(), request));
                        // A lost answer ends the connection here, by design.
                        let _ = http1::Builder::new()
                            .serve_connection(TokioIo::new(stream), service)
                            .await;
                    });
                }
            }
        }
    }
}

async fn answer(
    simulator: Simulator,
    request: Request<hyper::body::Incoming>,
) -> Result<Response<Full<Bytes>>, Lost> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Lost)?.to_bytes();
    let answer = simulator.handle(Request::from_parts(parts, body)).await?;
    Ok(answer.map(Full::new))
}

fn status(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}

//! One kept connection to Mirage, with as little between it and the socket as HTTP/1.1 allows.

use anyhow::{Result, ensure};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A connection and who uses it. One request at a time.
pub struct Connection {
    requests: SendRequest<Full<Bytes>>,
    host: String,
    authorization: String,
}

impl Connection {
    /// To this `host:port`, by plain HTTP.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn connect(host: &str, token: &str) -> Result<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let (requests, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            // It ends with the client; whoever still waits for an answer gets the error.
            let _ = connection.await;
        });
        Ok(Self {
            requests,
            host: host.to_owned(),
            authorization: format!("Bearer {token}"),
        })
    }

    /// An answer whose body is still to come.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host)
            .header("authorization", &self.authorization)
            .header("content-type", "application/json")
            .header("user-agent", "mirage-tests")
            .body(Full::new(body))?;
        self.requests.ready().await?;
        Ok(self.requests.send_request(request).await?)
    }

    /// A whole answer, which must be a success.
    ///
    /// # Errors
    /// The connection broke, or the server refused.
    pub async fn ask(&mut self, method: Method, path: &str, body: Bytes) -> Result<Bytes> {
        let answer = self.send(method, path, body).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        ensure!(
            matches!(status, StatusCode::OK | StatusCode::CREATED),
            "{path}: {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(body)
    }
}

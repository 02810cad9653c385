//! Git's own HTTP server (`git http-backend`, a CGI program) over TLS, with a CA that nobody trusts yet.

use std::{net::SocketAddr, path::PathBuf, process::Stdio, sync::Arc};

use anyhow::Context as _;
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::Engine as _;
use jiff::Timestamp;
use mirage_api::tls::{TlsFiles, serve_tls};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt as _, process::Command};

use super::program::{Workshop, git};

/// A server with everything in a workshop's folder.
pub struct Backend {
    address: SocketAddr,
    ca: String,
    /// Holds the server's key.
    _folder: TempDir,
    task: tokio::task::JoinHandle<()>,
}

struct Place {
    root: PathBuf,
    login: String,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Backend {
    /// Serves a workshop to whoever shows `login`, a `user:password`.
    ///
    /// # Errors
    /// When no port or no certificate is to be had.
    pub async fn of(workshop: &Workshop, login: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let tls = TlsFiles::ensure(folder.path(), &[], Timestamp::now())?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let place = Place {
            root: workshop.folder().to_owned(),
            login: login.to_owned(),
        };
        let router = Router::new().fallback(answer).with_state(Arc::new(place));
        let task = tokio::spawn(serve_tls(
            listener,
            tls.config,
            router,
            std::future::pending(),
        ));
        Ok(Self {
            address,
            ca: tls.ca_pem.context("it has a CA of its own")?,
            _folder: folder,
            task,
        })
    }

    /// The repository's address.
    pub fn url(&self) -> String {
        format!("https://{}/shop.git", self.address)
    }

    /// The certificate that makes it trusted, in PEM.
    pub fn ca(&self) -> &str {
        &self.ca
    }
}

async fn answer(
    State(place): State<Arc<Place>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let expected = base64::engine::general_purpose::STANDARD.encode(&place.login);
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::AUTHORIZATION) != Some(&format!("Basic {expected}")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut program = git(&place.root);
    program
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &place.root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", method.as_str())
        .env("PATH_INFO", uri.path())
        .env("QUERY_STRING", uri.query().unwrap_or_default())
        .env("CONTENT_LENGTH", body.len().to_string())
        .env(
            "CONTENT_TYPE",
            text(header::CONTENT_TYPE).unwrap_or_default(),
        );
    if let Some(protocol) = headers
        .get("git-protocol")
        .and_then(|value| value.to_str().ok())
    {
        program.env("GIT_PROTOCOL", protocol);
    }
    match run(Command::from(program), &body).await {
        Ok(response) => response,
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Hands a request to a CGI program (source: RFC 3875, sections 4.2 and 6).
async fn run(mut program: Command, body: &[u8]) -> anyhow::Result<Response> {
    let mut running = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut input = running.stdin.take().context("it has an input")?;
    input.write_all(body).await?;
    drop(input);
    let output = running.wait_with_output().await?.stdout;
    let end = output
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .context("the program sent no headers")?;
    let mut response = Response::builder();
    for line in std::str::from_utf8(&output[..end])?.lines() {
        let (name, value) = line.split_once(':').context("a header has a name")?;
        let value = value.trim();
        response = if name == "Status" {
            response.status(value.split(' ').next().unwrap_or_default())
        } else {
            response.header(name, value)
        };
    }
    Ok(response.body(output[end + 4..].to_vec().into())?)
}

//! Plain HTTP without a client library's opinions.

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Head and body of an answer, as they came.
///
/// # Errors
/// Nobody answered.
pub async fn get(url: &str, token: Option<&str>) -> Result<String> {
    let rest = url.strip_prefix("http://").context("plain http only")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host)
        .await
        .with_context(|| format!("nobody listens at {host}"))?;
    let authorization = token
        .map(|token| format!("authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    let request =
        format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\n{authorization}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// A client for any other request.
///
/// # Errors
/// It could not be made.
pub fn client() -> Result<reqwest::Client> {
    // A process may do this once; every later time it is done already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

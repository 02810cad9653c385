//! A server for Git's smart HTTP on loopback.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::Engine as _;

use super::{Depot, upload};

/// How the server treats those who ask.
#[derive(Clone, Debug, Default)]
pub struct Manners {
    /// `user:password` that everybody has to show.
    pub login: Option<String>,
    /// Answers every request with this status.
    pub status: Option<u16>,
    /// Accepts requests and never answers them.
    pub is_mute: bool,
    /// Sends this in place of a pack.
    pub pack: Option<Vec<u8>>,
    /// Sends the first request here instead.
    pub redirect: Option<String>,
}

/// A server with one repository at `/shop.git`.
pub struct Forge {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    repository: PathBuf,
    manners: Mutex<Manners>,
    requests: AtomicU64,
    logins: Mutex<Vec<String>>,
}

impl Drop for Forge {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Forge {
    /// Serves a repository.
    ///
    /// # Errors
    /// When no port is to be had.
    pub async fn of(depot: &Depot) -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            repository: depot.path(),
            manners: Mutex::default(),
            requests: AtomicU64::new(0),
            logins: Mutex::default(),
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            // Ends with the test.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            shared,
            task,
        })
    }

    /// The repository's address.
    pub fn url(&self) -> String {
        format!("http://{}/shop.git", self.address)
    }

    /// From now on.
    pub fn behave(&self, manners: Manners) {
        *lock(&self.shared.manners) = manners;
    }

    /// Requests so far.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// What was shown as login, request by request; empty where nothing was.
    pub fn logins(&self) -> Vec<String> {
        lock(&self.shared.logins).clone()
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    shared.requests.fetch_add(1, Ordering::Relaxed);
    let shown = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Basic "))
        .and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    lock(&shared.logins).push(shown.clone());
    let manners = lock(&shared.manners).clone();
    if manners.is_mute {
        std::future::pending::<()>().await;
    }
    if let Some(status) = manners
        .status
        .and_then(|status| StatusCode::from_u16(status).ok())
    {
        return status.into_response();
    }
    if manners.login.is_some_and(|login| login != shown) {
        return (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, "Basic realm=\"git\"")],
        )
            .into_response();
    }
    match uri.path() {
        "/shop.git/info/refs" => {
            if let Some(base) = manners.redirect {
                let to = format!("{base}/info/refs?service=git-upload-pack");
                return (StatusCode::FOUND, [(header::LOCATION, to)]).into_response();
            }
            let kind = "application/x-git-upload-pack-advertisement";
            ([(header::CONTENT_TYPE, kind)], upload::advertisement()).into_response()
        }
        "/shop.git/git-upload-pack" => {
            let is_fetch = body.windows(13).any(|window| window == b"command=fetch");
            let answer = match manners.pack {
                Some(bytes) if is_fetch => Ok(bytes),
                _ => upload::answer(&shared.repository, &body),
            };
            match answer {
                Ok(bytes) => {
                    let kind = "application/x-git-upload-pack-result";
                    ([(header::CONTENT_TYPE, kind)], bytes).into_response()
                }
                Err(error) => {
                    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
                }
            }
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

//! Connections to the router: one task each, over TLS or plain, until told to stop.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

/// A client that has not finished its handshake by then is not going to.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a client may take for a request's headers, counted from the connection's or the last answer's end: it also
/// closes what is idle.
const HEADERS: Duration = Duration::from_secs(120);

/// How often an HTTP/2 client that says nothing is asked whether it is there, as Kubernetes asks.
const PING: Duration = Duration::from_secs(30);

/// How long it may take to say so.
const PONG: Duration = Duration::from_secs(15);

/// Requests and watches at once on one HTTP/2 connection, as many as at Kubernetes.
const STREAMS: u32 = 250;

/// HTTP/2's name in the TLS handshake (RFC 9113, section 3.2).
pub(super) const HTTP_2: &[u8] = b"h2";

/// How long answers under way may take after the shutdown; watches, which never end by themselves, are cut off then.
const GRACE: Duration = Duration::from_secs(5);

/// How long to wait when the system refuses another connection, as it does when file descriptors run out.
const REFUSED: Duration = Duration::from_millis(100);

/// Who may reach a plain http listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// This machine only; anything else is refused.
    Loopback,
    /// Whoever can. Tokens travel readable: only behind a proxy that does TLS, on a network that is trusted.
    Insecure,
}

/// Why serving did not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A listener that others can reach would have carried tokens over plain http.
    #[error(
        "refusing plain http on {address}, which is not loopback: serve TLS there, or say that it is meant to be insecure"
    )]
    Exposed {
        /// Where the listener is.
        address: SocketAddr,
    },
    /// The listener does not know its own address.
    #[error("the listener cannot be used")]
    Listener(#[source] io::Error),
}

/// Serves the router over TLS until `shutdown` completes, then lets answers under way finish for a short while.
///
/// A failed handshake ends that connection only. Requests carry [`ConnectInfo`] with the peer's address.
pub async fn serve_tls(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
) {
    let acceptor = TlsAcceptor::from(config);
    let connect = move |stream: TcpStream, peer: SocketAddr| {
        let acceptor = acceptor.clone();
        async move {
            match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => Some(Connected {
                    protocol: match stream.get_ref().1.alpn_protocol() {
                        Some(HTTP_2) => Protocol::Http2,
                        _ => Protocol::Http1,
                    },
                    stream,
                }),
                Ok(Err(error)) => {
                    tracing::debug!(%peer, %error, "a TLS handshake failed");
                    None
                }
                Err(_) => {
                    tracing::debug!(%peer, "a TLS handshake took too long");
                    None
                }
            }
        }
    };
    serve(listener, router, connect, shutdown).await;
}

/// Serves the router over plain http until `shutdown` completes. Refuses a listener that others can reach unless that
/// is said to be meant.
pub async fn serve_plain(
    listener: TcpListener,
    router: Router,
    exposure: Exposure,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let address = listener.local_addr().map_err(ServeError::Listener)?;
    if exposure == Exposure::Loopback && !address.ip().to_canonical().is_loopback() {
        return Err(ServeError::Exposed { address });
    }
    let connect = |stream, _peer| async move {
        Some(Connected {
            stream,
            protocol: Protocol::Http1,
        })
    };
    serve(listener, router, connect, shutdown).await;
    Ok(())
}

/// What was agreed upon in the TLS handshake; without one it is HTTP/1.1.
#[derive(Debug, Clone, Copy)]
enum Protocol {
    Http1,
    Http2,
}

/// A connection that is ready for requests.
struct Connected<Stream> {
    stream: Stream,
    protocol: Protocol,
}

async fn serve<Connect, Connecting, Stream>(
    listener: TcpListener,
    router: Router,
    connect: Connect,
    shutdown: impl Future<Output = ()> + Send,
) where
    Connect: Fn(TcpStream, SocketAddr) -> Connecting,
    Connecting: Future<Output = Option<Connected<Stream>>> + Send + 'static,
    Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            // Only to let go of what has ended.
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(REFUSED).await;
                continue;
            }
        };
        // A watch event is one small write that must not wait for the next. A dead connection is found out later.
        let _ = stream.set_nodelay(true);
        let connecting = connect(stream, peer);
        let (router, stopping) = (router.clone(), stopping.clone());
        connections.spawn(async move {
            if let Some(connected) = connecting.await {
                converse(connected, peer, router, stopping).await;
            }
        });
    }
    drop(listener);
    stop.send_replace(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, drained).await.is_err() {
        tracing::debug!(
            connections = connections.len(),
            "cutting off connections that did not end"
        );
        connections.shutdown().await;
    }
}

/// All requests of one connection.
async fn converse(
    Connected { stream, protocol }: Connected<impl AsyncRead + AsyncWrite + Unpin + Send + 'static>,
    peer: SocketAddr,
    router: Router,
    stopping: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let stream = TokioIo::new(stream);
    let outcome = match protocol {
        Protocol::Http1 => {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS)
                .serve_connection(stream, service)
                .with_upgrades();
            until_told(connection, |it| it.graceful_shutdown(), stopping).await
        }
        Protocol::Http2 => {
            let connection = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .keep_alive_interval(PING)
                .keep_alive_timeout(PONG)
                .max_concurrent_streams(STREAMS)
                .serve_connection(stream, service);
            until_told(connection, |it| it.graceful_shutdown(), stopping).await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%peer, %error, "a connection broke");
    }
}

/// The connection's end: its own, or after the answers under way once it is told to stop.
async fn until_told<C: Future<Output = hyper::Result<()>>>(
    connection: C,
    shut_down: impl FnOnce(Pin<&mut C>),
    mut stopping: watch::Receiver<bool>,
) -> hyper::Result<()> {
    let mut connection = std::pin::pin!(connection);
    let stopped = async { stopping.wait_for(|stop| *stop).await.is_ok() };
    tokio::select! {
        outcome = connection.as_mut() => outcome,
        _ = stopped => {
            shut_down(connection.as_mut());
            connection.await
        }
    }
}

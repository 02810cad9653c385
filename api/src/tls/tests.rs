use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use http_body_util::BodyExt as _;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use jiff::ToSpan;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;

use super::*;

/// Whole days after the day on which the certificates of a test are made, which is today: clients look at the clock.
fn day(days: i64) -> Timestamp {
    Timestamp::now() + (days * 24).hours()
}

/// Every file of the folder.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(dir.join("tls"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

fn changed(before: &BTreeMap<String, Vec<u8>>, after: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    after
        .iter()
        .filter(|(name, content)| before.get(*name) != Some(content))
        .map(|(name, _)| name.clone())
        .collect()
}

#[test]
fn the_first_start_makes_everything_and_the_second_nothing() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("data");
    TlsFiles::ensure(&dir, &[], day(0)).unwrap();
    let made = files(&dir);
    let names: Vec<&str> = made.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "ca.crt",
            "ca.key",
            "issued.json",
            "server.crt",
            "server.key"
        ]
    );
    for key in ["ca.key", "server.key"] {
        let mode = fs::metadata(dir.join("tls").join(key))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
    TlsFiles::ensure(&dir, &[], day(1)).unwrap();
    assert_eq!(files(&dir), made);
}

#[test]
fn a_certificate_is_renewed_a_month_before_its_end_under_the_same_ca() {
    let dir = tempfile::tempdir().unwrap();
    TlsFiles::ensure(dir.path(), &[], day(0)).unwrap();
    let made = files(dir.path());
    TlsFiles::ensure(dir.path(), &[], day(365)).unwrap();
    assert_eq!(files(dir.path()), made);
    TlsFiles::ensure(dir.path(), &[], day(368)).unwrap();
    assert_eq!(
        changed(&made, &files(dir.path())),
        ["server.crt", "server.key"]
    );
}

#[test]
fn the_ca_is_replaced_before_a_certificate_could_outlive_it() {
    let dir = tempfile::tempdir().unwrap();
    TlsFiles::ensure(dir.path(), &[], day(0)).unwrap();
    let made = files(dir.path());
    TlsFiles::ensure(dir.path(), &[], day(3652 - 398)).unwrap();
    assert!(!changed(&made, &files(dir.path())).contains(&"ca.crt".to_owned()));
    TlsFiles::ensure(dir.path(), &[], day(3652 - 20)).unwrap();
    assert_eq!(changed(&made, &files(dir.path())).len(), 5);
}

#[test]
fn other_names_need_another_certificate_whether_more_or_fewer() {
    let dir = tempfile::tempdir().unwrap();
    let names = ["mirage.internal".to_owned(), "10.0.0.7".to_owned()];
    TlsFiles::ensure(dir.path(), &names, day(0)).unwrap();
    let both = files(dir.path());
    TlsFiles::ensure(dir.path(), &[names[1].clone(), names[0].clone()], day(0)).unwrap();
    assert_eq!(files(dir.path()), both);
    TlsFiles::ensure(dir.path(), &names[..1], day(0)).unwrap();
    let one = files(dir.path());
    assert_eq!(
        changed(&both, &one),
        ["issued.json", "server.crt", "server.key"]
    );
    TlsFiles::ensure(dir.path(), &names, day(0)).unwrap();
    assert_eq!(
        changed(&one, &files(dir.path())),
        ["issued.json", "server.crt", "server.key"]
    );
}

#[test]
fn what_is_damaged_is_made_again_with_what_depends_on_it() {
    const ALL: &[&str] = &[
        "ca.crt",
        "ca.key",
        "issued.json",
        "server.crt",
        "server.key",
    ];
    let rows: [(&str, &[&str]); 5] = [
        ("server.crt", &["server.crt", "server.key"]),
        ("server.key", &["server.crt", "server.key"]),
        ("ca.crt", ALL),
        // Without the record nobody knows how long the CA lasts.
        ("issued.json", ALL),
        // Missed only when the next certificate is due; what it signed is still good.
        ("ca.key", &[]),
    ];
    for (damaged, expected) in rows {
        let dir = tempfile::tempdir().unwrap();
        TlsFiles::ensure(dir.path(), &[], day(0)).unwrap();
        fs::write(dir.path().join("tls").join(damaged), "garbage").unwrap();
        let before = files(dir.path());
        TlsFiles::ensure(dir.path(), &[], day(0)).unwrap();
        assert_eq!(changed(&before, &files(dir.path())), expected, "{damaged}");
    }
}

#[test]
fn a_ca_that_lost_its_key_is_replaced_when_it_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    TlsFiles::ensure(dir.path(), &[], day(0)).unwrap();
    let made = files(dir.path());
    fs::remove_file(dir.path().join("tls/ca.key")).unwrap();
    TlsFiles::ensure(dir.path(), &[], day(380)).unwrap();
    assert_eq!(changed(&made, &files(dir.path())).len(), 5);
    // Another CA's key is not used with this CA's certificate.
    fs::write(dir.path().join("tls/ca.key"), &made["ca.key"]).unwrap();
    TlsFiles::ensure(dir.path(), &["other.example".to_owned()], day(380)).unwrap();
    assert_ne!(files(dir.path())["ca.key"], made["ca.key"]);
}

#[test]
fn a_name_that_no_certificate_can_carry_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["", "a b", "https://x"] {
        let refused = TlsFiles::ensure(dir.path(), &[name.to_owned()], day(0));
        assert!(matches!(refused, Err(TlsError::Name { .. })), "{name}");
    }
}

struct Server {
    address: std::net::SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    async fn start(tls: &Tls) -> Self {
        let router = Router::new()
            .route("/", get(|| async { "hello" }))
            .route(
                "/peer",
                get(
                    |ConnectInfo(peer): ConnectInfo<std::net::SocketAddr>| async move {
                        peer.ip().to_string()
                    },
                ),
            )
            .route("/endless", get(endless));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let config = Arc::clone(&tls.config);
        let task = tokio::spawn(async move {
            serve_tls(listener, config, router, async {
                let _ = stopped.await;
            })
            .await;
        });
        Self {
            address,
            stop: Some(stop),
            task,
        }
    }

    fn url(&self, host: &str, path: &str) -> String {
        format!("https://{host}:{}{path}", self.address.port())
    }
}

/// A watch: one line at once, then nothing, for ever.
async fn endless() -> axum::body::Body {
    use futures::StreamExt;
    let first = futures::stream::iter([Ok::<_, std::convert::Infallible>("first\n")]);
    axum::body::Body::from_stream(first.chain(futures::stream::pending()))
}

fn client(ca_pem: &str) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(ca_pem.as_bytes()).unwrap()])
        .build()
        .unwrap()
}

#[tokio::test]
async fn clients_that_trust_the_ca_are_served_by_name_and_by_address() {
    let dir = tempfile::tempdir().unwrap();
    let tls = TlsFiles::ensure(dir.path(), &[], day(0)).unwrap();
    let server = Server::start(&tls).await;
    let client = client(tls.ca_pem.as_ref().unwrap());
    for host in ["localhost", "127.0.0.1"] {
        let answer = client.get(server.url(host, "/")).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "hello");
    }
    let peer = client
        .get(server.url("127.0.0.1", "/peer"))
        .send()
        .await
        .unwrap();
    assert_eq!(peer.text().await.unwrap(), "127.0.0.1");
}

#[tokio::test]
async fn clients_that_trust_another_ca_are_not_served() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let tls = TlsFiles::ensure(dir.path(), &[], day(0)).unwrap();
    let other = TlsFiles::ensure(other.path(), &[], day(0)).unwrap();
    let server = Server::start(&tls).await;
    let refused = client(other.ca_pem.as_ref().unwrap())
        .get(server.url("localhost", "/"))
        .send()
        .await;
    assert!(refused.unwrap_err().is_connect());
}

async fn handshake(
    server: &Server,
    ca_pem: &str,
    version: &'static rustls::SupportedProtocolVersion,
    protocols: &[&[u8]],
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap())
        .unwrap();
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let stream = TcpStream::connect(server.address).await.unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from("localhost").unwrap(), stream)
        .await
        .unwrap()
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken() {
    let dir = tempfile::tempdir().unwrap();
    let tls = TlsFiles::ensure(dir.path(), &[], day(0)).unwrap();
    let server = Server::start(&tls).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut stream = handshake(&server, tls.ca_pem.as_ref().unwrap(), version, &[]).await;
        let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        // The end may come without a farewell; what counts is the answer.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.ends_with(b"hello"), "{version:?}");
    }
}

#[tokio::test]
async fn http_2_serves_watches_and_requests_side_by_side_on_one_connection() {
    let dir = tempfile::tempdir().unwrap();
    let tls = TlsFiles::ensure(dir.path(), &[], day(0)).unwrap();
    let mut server = Server::start(&tls).await;
    let ca = tls.ca_pem.as_ref().unwrap();
    let protocols: [&[u8]; 2] = [b"h2", b"http/1.1"];
    let stream = handshake(&server, ca, &rustls::version::TLS13, &protocols).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut requests, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let mut ask = |path: &str| {
        let request = http::Request::get(server.url("localhost", path));
        requests.send_request(request.body(axum::body::Body::empty()).unwrap())
    };
    let mut watches = Vec::new();
    for _ in 0..20 {
        let mut watch = ask("/endless").await.unwrap().into_body();
        let first = watch.frame().await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap(), "first\n");
        watches.push(watch);
    }
    let answer = ask("/").await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    assert_eq!(
        answer.into_body().collect().await.unwrap().to_bytes(),
        "hello"
    );
    server.stop.take().unwrap().send(()).unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(30), &mut server.task)
        .await
        .expect("the server did not stop")
        .unwrap();
    let _ = connection.await.unwrap();
}

#[tokio::test]
async fn a_broken_or_silent_handshake_does_not_keep_others_from_being_served() {
    let dir = tempfile::tempdir().unwrap();
    let tls = TlsFiles::ensure(dir.path(), &[], day(0)).unwrap();
    let server = Server::start(&tls).await;
    let _silent = TcpStream::connect(server.address).await.unwrap();
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    let _ = plain.read_to_end(&mut rest).await;
    assert!(
        !rest.starts_with(b"HTTP"),
        "no plain answer on the TLS port"
    );
    drop(TcpStream::connect(server.address).await.unwrap());
    let client = client(tls.ca_pem.as_ref().unwrap());
    let answer = client
        .get(server.url("localhost", "/"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_shutdown_ends_even_with_a_watch_that_never_would() {
    let dir = tempfile::tempdir().unwrap();
    let tls = TlsFiles::ensure(dir.path(), &[], day(0)).unwrap();
    let mut server = Server::start(&tls).await;
    let client = client(tls.ca_pem.as_ref().unwrap());
    let mut watch = client
        .get(server.url("localhost", "/endless"))
        .send()
        .await
        .unwrap();
    assert_eq!(watch.chunk().await.unwrap().unwrap(), "first\n");
    let _idle = client
        .get(server.url("localhost", "/"))
        .send()
        .await
        .unwrap();
    server.stop.take().unwrap().send(()).unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(30), &mut server.task)
        .await
        .expect("the server did not stop")
        .unwrap();
    assert!(
        watch.chunk().await.is_err(),
        "cut off, and the client can tell"
    );
}

#[tokio::test]
async fn a_renewed_certificate_is_served_without_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let tls = TlsFiles::ensure(dir.path(), &[], day(-380)).unwrap();
    let server = Server::start(&tls).await;
    let presented = async || {
        let stream = handshake(
            &server,
            tls.ca_pem.as_ref().unwrap(),
            &rustls::version::TLS13,
            &[],
        )
        .await;
        stream.get_ref().1.peer_certificates().unwrap().to_vec()
    };
    let old = presented().await;
    assert!(tls.refresh(day(0)).unwrap());
    assert!(!tls.refresh(day(0)).unwrap());
    assert_ne!(presented().await, old);
}

#[tokio::test]
async fn given_certificates_are_served_and_must_fit_their_key() {
    let (made, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    TlsFiles::ensure(made.path(), &[], day(0)).unwrap();
    TlsFiles::ensure(other.path(), &[], day(0)).unwrap();
    let path = |name: &str| made.path().join("tls").join(name);
    let tls = TlsFiles::given(
        &path("server.crt"),
        &path("server.key"),
        Some(&path("ca.crt")),
    )
    .unwrap();
    let server = Server::start(&tls).await;
    let client = client(tls.ca_pem.as_ref().unwrap());
    let answer = client
        .get(server.url("localhost", "/"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);

    let foreign_key = other.path().join("tls/server.key");
    let refused = TlsFiles::given(&path("server.crt"), &foreign_key, None);
    assert!(matches!(refused, Err(TlsError::Certificate(_))));
    let refused = TlsFiles::given(&path("missing.crt"), &path("server.key"), None);
    assert!(matches!(refused, Err(TlsError::File { .. })));
    let refused = TlsFiles::given(&path("issued.json"), &path("server.key"), None);
    assert!(matches!(refused, Err(TlsError::Pem { .. })));
}

#[tokio::test]
async fn plain_http_is_served_on_loopback_and_refused_elsewhere_unless_meant() {
    let rows = [
        ("127.0.0.1:0", Exposure::Loopback, true),
        ("0.0.0.0:0", Exposure::Loopback, false),
        ("0.0.0.0:0", Exposure::Insecure, true),
    ];
    for (address, exposure, is_served) in rows {
        let listener = TcpListener::bind(address).await.unwrap();
        let stopped = std::future::ready(());
        let outcome = serve_plain(listener, Router::new(), exposure, stopped).await;
        assert_eq!(outcome.is_ok(), is_served, "{address} {exposure:?}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let router = Router::new().route("/", get(|| async { "hello" }));
    let serving = serve_plain(listener, router, Exposure::Loopback, std::future::pending());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let asking = async { reqwest::get(url).await.unwrap().text().await.unwrap() };
    tokio::select! {
        outcome = serving => panic!("stopped serving: {outcome:?}"),
        text = asking => assert_eq!(text, "hello"),
    }
}

//! Serving the dashboard: files that were built before, at the same address as the API.
//!
//! The paths of the API are the API's. Of the others, those of files are files, and whatever a browser asks for besides is
//! the page itself: its rooms have addresses of their own, and only the page knows them.

use std::collections::HashMap;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use sha2::{Digest as _, Sha256};

use crate::kubernetes::gzip;

/// Files by their path in the site; with `.gz` behind it, the same compressed.
pub type Files = &'static [(&'static str, &'static [u8])];

/// First parts of the paths that are the API's.
const API: [&str; 8] = [
    "api", "apis", "healthz", "livez", "metrics", "openapi", "readyz", "version",
];

/// The page.
const INDEX: &str = "index.html";

/// What is below it has a hash of its content in its name, so that it never changes.
const HASHED: &str = "assets/";

/// Scripts are files of ours and nothing else: no inline ones, no `eval`. Styles may be inline, since the editor and the
/// graph set some as they go. Nothing is loaded from elsewhere, and nobody frames the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Shown where the binary was built without it.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Mirage</title>\
    <h1>This Mirage has no dashboard</h1>\
    <p>Its binary was built without one. In the repository, <code>make dashboard build</code> builds both; it needs Node \
    20 with npm.</p><p>The API is here all the same: <code>mirage get</code>, <code>kubectl get environments</code>.</p></html>";

/// What is served.
#[derive(Debug, Default)]
pub(crate) struct Dashboard {
    files: HashMap<&'static str, File>,
}

#[derive(Debug, Clone)]
struct File {
    plain: &'static [u8],
    gzip: Option<&'static [u8]>,
    /// Quoted, as in the header.
    tag: String,
}

impl Dashboard {
    /// Takes the files in.
    pub(crate) fn of(files: Files) -> Self {
        let bytes: HashMap<&str, &'static [u8]> = files.iter().copied().collect();
        let whole = files.iter().filter(|(path, _)| !path.ends_with(".gz"));
        let files = whole.map(|&(path, plain)| {
            let hash = hex::encode(Sha256::digest(plain));
            let file = File {
                plain,
                gzip: bytes.get(format!("{path}.gz").as_str()).copied(),
                tag: format!("\"{}\"", &hash[..16]),
            };
            (path, file)
        });
        Self {
            files: files.collect(),
        }
    }

    /// The answer, if the request is not the API's.
    pub(crate) fn answer(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Option<Response> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        let path = path.trim_start_matches('/');
        if API.contains(&path.split('/').next().unwrap_or_default()) {
            return None;
        }
        let (name, file) = match self.files.get_key_value(path) {
            Some((name, file)) => (*name, file),
            // From before an upgrade: the page loads itself anew when it hears that.
            None if path.starts_with(HASHED) => return Some(plain(StatusCode::NOT_FOUND, "")),
            // Kubernetes' clients ask for `/` too, and do not want a page.
            None if !wants_page(headers) => return None,
            None => match self.files.get(INDEX) {
                Some(file) => (INDEX, file),
                None => return Some(plain(StatusCode::OK, NOT_BUILT)),
            },
        };
        Some(file.answer(name, headers))
    }
}

impl File {
    fn answer(&self, name: &str, headers: &HeaderMap) -> Response {
        let known = headers
            .get(header::IF_NONE_MATCH)
            .and_then(|value| value.to_str().ok());
        let is_known =
            known.is_some_and(|known| known.split(',').any(|tag| tag.trim() == self.tag));
        let packed = self.gzip.filter(|_| gzip::is_taken(headers));
        let body = match (is_known, packed) {
            (true, _) => Body::empty(),
            (false, Some(packed)) => Body::from(Bytes::from_static(packed)),
            (false, None) => Body::from(Bytes::from_static(self.plain)),
        };
        let mut response = Response::new(body);
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let sent = response.headers_mut();
        sent.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(media_type(name)),
        );
        let cache = if name.starts_with(HASHED) {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        sent.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        sent.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if let Ok(tag) = HeaderValue::from_str(&self.tag) {
            sent.insert(header::ETAG, tag);
        }
        if packed.is_some() && !is_known {
            sent.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        guard(sent);
        response
    }
}

/// Whether a browser asks for something to show.
fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn plain(code: StatusCode, page: &'static str) -> Response {
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = code;
    let sent = response.headers_mut();
    sent.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(media_type(INDEX)),
    );
    sent.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    guard(sent);
    response
}

fn guard(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            http::HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            http::HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: Files = &[
        ("index.html", b"<page>"),
        ("assets/a-1.js", b"script"),
        ("assets/a-1.js.gz", b"packed"),
    ];

    const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

    fn headers(accept: &'static str, more: &[(header::HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        for (name, value) in more {
            headers.insert(name, value.parse().unwrap());
        }
        headers
    }

    async fn body(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await;
        String::from_utf8(bytes.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn every_room_is_the_page_and_the_api_stays_the_apis() {
        let dashboard = Dashboard::of(FILES);
        let ask = |path: &str, accept| dashboard.answer(&Method::GET, path, &headers(accept, &[]));
        for path in ["/", "/environments/default/shop", "/new"] {
            assert_eq!(body(ask(path, BROWSER).unwrap()).await, "<page>", "{path}");
        }
        for path in [
            "/api",
            "/apis/mirage.dev/v1alpha1",
            "/openapi/v3",
            "/version",
            "/readyz",
        ] {
            assert!(ask(path, BROWSER).is_none(), "{path}");
        }
        // What kubectl asks for when it looks around.
        assert!(ask("/", "application/json, */*").is_none());
        assert!(
            dashboard
                .answer(&Method::POST, "/", &headers(BROWSER, &[]))
                .is_none()
        );
    }

    #[tokio::test]
    async fn hashed_files_are_kept_for_ever_and_the_page_is_asked_for_anew() {
        let dashboard = Dashboard::of(FILES);
        let script = headers("*/*", &[(header::ACCEPT_ENCODING, "gzip, br")]);
        let response = dashboard
            .answer(&Method::GET, "/assets/a-1.js", &script)
            .unwrap();
        assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
        assert!(
            response.headers()[header::CACHE_CONTROL]
                .to_str()
                .unwrap()
                .contains("immutable")
        );
        assert_eq!(body(response).await, "packed");
        let page = dashboard
            .answer(&Method::GET, "/", &headers(BROWSER, &[]))
            .unwrap();
        assert_eq!(page.headers()[header::CACHE_CONTROL], "no-cache");
        let tag = page.headers()[header::ETAG].to_str().unwrap().to_owned();
        let again = headers(BROWSER, &[(header::IF_NONE_MATCH, &tag)]);
        let again = dashboard.answer(&Method::GET, "/", &again).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let gone = dashboard.answer(&Method::GET, "/assets/old.js", &headers("*/*", &[]));
        assert_eq!(gone.unwrap().status(), StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn no_page_runs_scripts_but_ours() {
        let page = Dashboard::of(FILES).answer(&Method::GET, "/", &headers(BROWSER, &[]));
        let page = page.unwrap();
        let policy = page.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(policy.contains("script-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }

    #[tokio::test]
    async fn a_binary_without_it_says_how_to_build_it() {
        let page = Dashboard::default().answer(&Method::GET, "/", &headers(BROWSER, &[]));
        assert!(body(page.unwrap()).await.contains("make dashboard build"));
    }
}

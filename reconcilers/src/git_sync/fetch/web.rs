//! Git's smart HTTP over reqwest.
//!
//! gix brings the protocol and asks for an HTTP client; this is one over the client that Mirage has already, so that
//! there is one TLS in the process.

mod exchange;

use std::{any::Any, sync::Arc};

use gix::error::ErrorExt as _;
use gix_transport::{
    Protocol,
    client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse, Transport},
};
use mirage_railway::secret::SecretValue;
use reqwest::{
    Certificate, Client, RequestBuilder,
    redirect::{Attempt, Policy},
};
use url::Url;

use super::{Credentials, FetchError, in_full, line::Line};
use exchange::{Body, Exchange, Head, Upload, lock};

/// The user that forges take with any token (source: GitHub's and GitLab's documentation of tokens over HTTPS).
const ANY_USER: &str = "git";
/// Forges redirect once, from a renamed repository or to a path with `.git`.
const REDIRECTS: usize = 3;

/// A way to the repository at `url`.
pub(super) fn transport(
    url: &Url,
    credentials: &Credentials,
    line: &Arc<Line>,
) -> Result<Transport<Web>, FetchError> {
    let address = gix::url::parse(url.as_str())
        .map_err(|_| FetchError::NoRepository("the address cannot be used".to_owned()))?;
    let web = Web {
        client: client(credentials)?,
        line: Arc::clone(line),
        home: url.clone(),
        login: credentials
            .token
            .as_ref()
            .or(credentials.password.as_ref())
            .map(|password| {
                let user = credentials.username.as_deref().unwrap_or(ANY_USER);
                (user.to_owned(), password.clone())
            }),
        moved_to: None,
    };
    Ok(Transport::new_http(web, address, Protocol::V2, false))
}

fn client(credentials: &Credentials) -> Result<Client, FetchError> {
    // Whoever was first in this process has chosen the same provider: there is only one in the build.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .connect_timeout(std::time::Duration::from_secs(20))
        .redirect(Policy::custom(follow));
    if let Some(pem) = &credentials.ca {
        let certificates = Certificate::from_pem_bundle(pem.as_bytes())
            .ok()
            .filter(|certificates| !certificates.is_empty())
            .ok_or_else(|| {
                FetchError::BadCredentials(
                    "the Secret's key \"ca.crt\" holds no certificate in PEM".to_owned(),
                )
            })?;
        builder = builder.tls_certs_merge(certificates);
    }
    builder
        .build()
        .map_err(|error| FetchError::Unreachable(in_full(&error.without_url())))
}

/// Only towards something as safe: never from https to http, and without TLS never to another host.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let is_as_safe = attempt.previous().last().is_some_and(|before| {
        before.scheme() == attempt.url().scheme()
            && (before.scheme() == "https" || before.host() == attempt.url().host())
    });
    if !is_as_safe || attempt.previous().len() > REDIRECTS {
        attempt.stop()
    } else {
        attempt.follow()
    }
}

/// gix's HTTP client.
pub(super) struct Web {
    client: Client,
    line: Arc<Line>,
    /// Where credentials may be sent, and nowhere else.
    home: Url,
    login: Option<(String, SecretValue)>,
    moved_to: Option<String>,
}

impl Web {
    fn with_headers(
        &self,
        mut request: RequestBuilder,
        url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> RequestBuilder {
        for header in headers {
            if let Some((name, value)) = header.as_ref().split_once(':') {
                request = request.header(name.trim(), value.trim());
            }
        }
        let is_home = Url::parse(url).is_ok_and(|url| url.origin() == self.home.origin());
        match &self.login {
            Some((user, password)) if is_home => request.basic_auth(user, Some(password.expose())),
            _ => request,
        }
    }
}

impl Http for Web {
    type Headers = Head;
    type ResponseBody = Body;
    type PostBody = Upload;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Head, Body>> {
        let request = self.with_headers(self.client.get(url), url, headers);
        let exchange = Exchange::prepared(request, &self.line);
        let asked = url.strip_prefix(base_url).unwrap_or_default();
        let reached = lock(&exchange).url().map_err(|error| error.raise())?;
        if reached != url {
            self.moved_to = reached.strip_suffix(asked).map(str::to_owned);
        }
        Ok(GetResponse {
            headers: Head::of(&exchange),
            body: Body::of(exchange),
        })
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Head, Body, Upload>> {
        let tail = url.strip_prefix(base_url).unwrap_or_default();
        let url = self
            .moved_to
            .as_ref()
            .map_or_else(|| url.to_owned(), |base| format!("{base}{tail}"));
        let request = self.with_headers(self.client.post(&url), &url, headers);
        let exchange = Exchange::prepared(request, &self.line);
        Ok(PostResponse {
            post_body: Upload(Arc::clone(&exchange)),
            headers: Head::of(&exchange),
            body: Body::of(exchange),
        })
    }

    fn configure(&mut self, _: &dyn Any) -> gix::Result {
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.moved_to.clone()
    }
}

//! Sessions of browsers: a token in a cookie that pages cannot read, instead of in a header.
//!
//! A session is a token like any other, made with the one that somebody signed in with (`product::session`): it ends with
//! that one, has its limits, is listed and revoked like others. Only the way in which it comes is another, and that is
//! decided here. Pure.
//!
//! # Whose requests a cookie speaks for
//! A browser sends a cookie with whatever request goes to the server, whoever's page has sent it. `SameSite=Strict` holds
//! back most of those; it does not tell apart the ports of one host, so another program's page on this machine counts as
//! the same site. So a cookie counts only with a request that the browser says is of our own pages: by `Sec-Fetch-Site`,
//! which pages cannot set and which browsers send to https and to loopback; without it, by an `Origin` that is ours
//! where something could be changed.

use std::time::Duration;

use http::{HeaderMap, Method, header};

/// How long a session lasts.
pub(crate) const LIFE: Duration = Duration::from_secs(12 * 60 * 60);

/// Over plain http, which is for loopback.
const NAME: &str = "mirage_session";

/// Over https. Browsers take a cookie of this prefix only when it is `Secure`, of this very host and for all paths, so
/// that no other host of the domain can plant one.
const SECURE_NAME: &str = "__Host-mirage_session";

/// The session's token, if the request has one that counts.
pub(crate) fn token<'h>(method: &Method, headers: &'h HeaderMap) -> Option<&'h str> {
    let found = cookie(headers, SECURE_NAME).or_else(|| cookie(headers, NAME))?;
    is_of_our_pages(method, headers).then_some(found)
}

/// Whether the request has come with a session's cookie, be it good or not.
pub(crate) fn is_there(headers: &HeaderMap) -> bool {
    cookie(headers, SECURE_NAME).is_some() || cookie(headers, NAME).is_some()
}

/// Whether a page of ours has sent the request; see above.
pub(crate) fn is_of_our_pages(method: &Method, headers: &HeaderMap) -> bool {
    let is_safe = method.is_safe();
    match text(headers, "sec-fetch-site") {
        Some("same-origin") => true,
        // Typed into the address bar, or from a bookmark.
        Some("none") => is_safe,
        Some(_) => false,
        None => is_safe || is_origin_ours(headers),
    }
}

/// The value of `Set-Cookie` that begins a session.
pub(crate) fn begun(token: &str, headers: &HeaderMap) -> String {
    set(token, LIFE.as_secs(), headers)
}

/// The value of `Set-Cookie` that ends one.
pub(crate) fn ended(headers: &HeaderMap) -> String {
    set("", 0, headers)
}

fn set(value: &str, seconds: u64, headers: &HeaderMap) -> String {
    // The page's own scheme, also where a proxy speaks TLS for us.
    let is_secure = text(headers, "origin").is_some_and(|origin| origin.starts_with("https://"));
    let (name, secure) = if is_secure {
        (SECURE_NAME, "; Secure")
    } else {
        (NAME, "")
    };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

fn is_origin_ours(headers: &HeaderMap) -> bool {
    let (Some(origin), Some(host)) = (text(headers, "origin"), text(headers, "host")) else {
        return false;
    };
    let authority = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let values = headers.get_all(header::COOKIE).iter();
    let mut pairs = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    pairs.find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name && !value.is_empty()).then_some(value)
    })
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn a_cookie_counts_only_with_a_request_of_our_own_pages() {
        let own = ("host", "127.0.0.1:7171");
        for (method, sent, counts) in [
            (Method::POST, vec![("sec-fetch-site", "same-origin")], true),
            (Method::GET, vec![("sec-fetch-site", "same-origin")], true),
            (Method::GET, vec![("sec-fetch-site", "none")], true),
            (Method::POST, vec![("sec-fetch-site", "none")], false),
            // Another program's page on the same machine.
            (Method::GET, vec![("sec-fetch-site", "same-site")], false),
            (Method::POST, vec![("sec-fetch-site", "cross-site")], false),
            (
                Method::POST,
                vec![
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "http://127.0.0.1:7171"),
                ],
                false,
            ),
            (Method::GET, vec![], true),
            (Method::POST, vec![], false),
            (
                Method::DELETE,
                vec![("origin", "http://127.0.0.1:7171")],
                true,
            ),
            (
                Method::DELETE,
                vec![("origin", "http://127.0.0.1:3000")],
                false,
            ),
            (Method::DELETE, vec![("origin", "null")], false),
        ] {
            let mut all = vec![own, ("cookie", "a=b; mirage_session=mir_x")];
            all.extend(sent.iter().copied());
            let found = token(&method, &headers(&all)) == Some("mir_x");
            assert_eq!(found, counts, "{method} {sent:?}");
        }
    }

    #[test]
    fn over_https_the_cookie_is_bound_to_the_host() {
        let sent = headers(&[("origin", "https://mirage.example")]);
        assert_eq!(
            begun("mir_x", &sent),
            "__Host-mirage_session=mir_x; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure"
        );
        assert_eq!(
            ended(&headers(&[])),
            "mirage_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
        );
    }

    #[test]
    fn an_empty_or_other_cookie_is_no_session() {
        for cookie in [
            "",
            "mirage_session=",
            "other=mir_x",
            "xmirage_session=mir_x",
        ] {
            let mut sent = headers(&[("sec-fetch-site", "same-origin")]);
            sent.insert(header::COOKIE, HeaderValue::from_static(cookie));
            assert!(token(&Method::GET, &sent).is_none(), "{cookie:?}");
        }
    }
}

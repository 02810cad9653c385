//! Addresses under the root of the API.

use url::{Url, form_urlencoded};

/// The root of the API, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Root(Url);

impl Root {
    pub(super) fn new(url: &Url) -> Self {
        let mut url = url.clone();
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        url.set_query(None);
        url.set_fragment(None);
        Self(url)
    }

    /// The address of a path that begins with a slash.
    pub(super) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0.as_str().trim_end_matches('/'))
    }

    /// Whether an address that GitHub gave is GitHub's: only there does the credential go.
    pub(super) fn is_ours(&self, address: &str) -> bool {
        Url::parse(address).is_ok_and(|address| address.origin() == self.0.origin())
    }
}

/// A text as one segment of a path: a branch may hold slashes and worse.
pub(super) fn segment(text: &str) -> String {
    // What a form writes as a plus is a plus in a path.
    form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

/// A path with its query.
pub(super) fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    format!("{path}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enterprise_server_keeps_its_path() {
        for (root, whole) in [
            ("https://api.github.com", "https://api.github.com/user"),
            ("https://api.github.com/", "https://api.github.com/user"),
            (
                "https://git.acme.test/api/v3",
                "https://git.acme.test/api/v3/user",
            ),
            (
                "https://git.acme.test/api/v3/?x#y",
                "https://git.acme.test/api/v3/user",
            ),
        ] {
            assert_eq!(Root::new(&root.parse().unwrap()).join("/user"), whole);
        }
    }

    #[test]
    fn only_the_same_scheme_host_and_port_is_ours() {
        let root = Root::new(&"https://api.github.com".parse().unwrap());
        assert!(root.is_ours("https://api.github.com/repositories/1?page=2"));
        for other in [
            "http://api.github.com/x",
            "https://api.github.com:8443/x",
            "https://api.github.com.evil.test/x",
            "https://evil.test/",
            "/relative",
        ] {
            assert!(!root.is_ours(other), "{other}");
        }
    }

    #[test]
    fn a_hostile_branch_stays_one_segment() {
        assert_eq!(
            segment("feature/a b+c?d#e%2f../é"),
            "feature%2Fa%20b%2Bc%3Fd%23e%252f..%2F%C3%A9"
        );
    }
}

//! Image references: `nginx`, `ghcr.io/acme/api:1.4`, `nginx@sha256:…`.

use std::sync::LazyLock;

use regex::Regex;

/// Why a text is not an image reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidImage {
    /// It looks like an address on the web.
    #[error("an image reference has no scheme: leave out {0:?}")]
    Scheme(String),
    /// Repository names are lower case.
    #[error("the repository part of an image reference is lower case")]
    UpperCase,
    /// Anything else.
    #[error(
        "not an image reference: write for example \"nginx:1.29\", \"ghcr.io/acme/api:1.4\" or \"nginx@sha256:…\""
    )]
    Form,
}

/// Longest repository name a registry takes (OCI distribution spec).
const REPOSITORY_LIMIT: usize = 255;

// The grammar of OCI's distribution spec: [domain[:port]/]path[:tag][@digest].
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    const COMPONENT: &str = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
    const HOST: &str = "(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)";
    const TAG: &str = "[A-Za-z0-9_][A-Za-z0-9._-]{0,127}";
    const DIGEST: &str = "(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})";
    Regex::new(&format!(
        "^((?:{HOST}(?::[0-9]{{1,5}})?/)?{COMPONENT}(?:/{COMPONENT})*)(?::({TAG}))?(?:@({DIGEST}))?$"
    ))
    .expect("the pattern is a constant that compiles")
});

/// Whether `text` is an image reference.
///
/// # Errors
/// What is wrong with it.
pub fn check_image(text: &str) -> Result<(), InvalidImage> {
    for scheme in ["https://", "http://", "docker://"] {
        if text.starts_with(scheme) {
            return Err(InvalidImage::Scheme(scheme.to_owned()));
        }
    }
    match REFERENCE.captures(text) {
        Some(parts) if parts[1].len() <= REPOSITORY_LIMIT => Ok(()),
        None if REFERENCE.is_match(&text.to_lowercase()) => Err(InvalidImage::UpperCase),
        _ => Err(InvalidImage::Form),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_every_form_are_taken() {
        let digest = format!("nginx@sha256:{}", "a".repeat(64));
        for text in [
            "nginx",
            "nginx:1.29-alpine",
            "ghcr.io/acme/api:1.4",
            "localhost:5000/a/b_c/d-e:v1",
            "registry.EXAMPLE.com/app",
            &digest,
        ] {
            assert_eq!(check_image(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in [
            "",
            "nginx:",
            "nginx latest",
            ":1",
            "nginx@sha256:abc",
            "a//b",
            "a/b:t:u",
            "/nginx",
            "nginx:-x",
        ] {
            assert_eq!(check_image(text), Err(InvalidImage::Form), "{text}");
        }
        assert_eq!(check_image("acme/Api:1"), Err(InvalidImage::UpperCase));
        assert_eq!(
            check_image("https://ghcr.io/acme/api"),
            Err(InvalidImage::Scheme("https://".into()))
        );
    }
}

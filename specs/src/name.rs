//! Names that are checked once, at the door, and trusted inside.

use std::{fmt, str::FromStr};

/// Longest service name on Railway (Railway docs: services).
pub const SERVICE_NAME_LIMIT: usize = 32;
/// Longest name of an environment that Mirage gives to Railway.
pub const ENVIRONMENT_NAME_LIMIT: usize = 32;
/// The shared variable that marks what Mirage made; its value is the Environment's `metadata.uid`.
pub const MARK: &str = "MIRAGE_ENVIRONMENT_ID";

/// Variables of Railway's own namespace that users may set because they steer the platform (Railway docs: variables).
const SETTABLE: [&str; 6] = [
    "RAILWAY_DEPLOYMENT_DRAINING_SECONDS",
    "RAILWAY_DEPLOYMENT_OVERLAP_SECONDS",
    "RAILWAY_DOCKERFILE_PATH",
    "RAILWAY_HEALTHCHECK_TIMEOUT_SEC",
    "RAILWAY_RUN_UID",
    "RAILWAY_SHM_SIZE_BYTES",
];

/// Words that mean something else in a reference, and so cannot name a service.
const NOT_SERVICES: [&str; 2] = ["shared", "params"];

/// Why a text is not the name it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing there.
    #[error("a name is needed")]
    Empty,
    /// Over the limit.
    #[error("longer than {limit} characters")]
    TooLong {
        /// Most characters allowed.
        limit: usize,
    },
    /// Characters or order that are not allowed.
    #[error("{0}")]
    Form(&'static str),
    /// Belongs to Railway, Mirage or the reference syntax.
    #[error("{0}")]
    Reserved(&'static str),
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $check:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// As text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

names! {
    /// Name of an environment on Railway.
    EnvironmentName, check_environment;
    /// Name of a service.
    ServiceName, check_service;
    /// Name of a variable that users may set.
    VariableName, check_variable;
    /// A domain of the user's own.
    DomainName, check_domain;
}

fn check_environment(text: &str) -> Result<(), InvalidName> {
    if text.is_empty() {
        return Err(InvalidName::Empty);
    }
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let first = text.as_bytes()[0];
    if !first.is_ascii_lowercase() || !text.bytes().all(allowed) || text.ends_with('-') {
        return Err(InvalidName::Form(
            "lower-case letters, digits and '-' only, starting with a letter and not ending with '-'",
        ));
    }
    if text.len() > ENVIRONMENT_NAME_LIMIT {
        return Err(InvalidName::TooLong {
            limit: ENVIRONMENT_NAME_LIMIT,
        });
    }
    Ok(())
}

fn check_service(text: &str) -> Result<(), InvalidName> {
    if text.is_empty() {
        return Err(InvalidName::Empty);
    }
    if NOT_SERVICES.contains(&text) {
        return Err(InvalidName::Reserved(
            "this word means something else in a reference and cannot name a service",
        ));
    }
    // Dots would end the name inside `${{service.NAME}}`, and the ends also end a host name.
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b' ');
    let ends = [text.as_bytes()[0], text.as_bytes()[text.len() - 1]];
    if !text.bytes().all(allowed) || !ends.iter().all(u8::is_ascii_alphanumeric) {
        return Err(InvalidName::Form(
            "letters, digits, '-', '_' and spaces only, starting and ending with a letter or digit",
        ));
    }
    if text.len() > SERVICE_NAME_LIMIT {
        return Err(InvalidName::TooLong {
            limit: SERVICE_NAME_LIMIT,
        });
    }
    Ok(())
}

/// Whether `text` has the form of a variable's name, reserved or not.
pub(crate) fn is_variable_name(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !text.is_empty()
        && !text.as_bytes()[0].is_ascii_digit()
}

fn check_variable(text: &str) -> Result<(), InvalidName> {
    if text.is_empty() {
        return Err(InvalidName::Empty);
    }
    if !is_variable_name(text) {
        return Err(InvalidName::Form(
            "letters, digits and '_' only, not starting with a digit",
        ));
    }
    if text == MARK {
        return Err(InvalidName::Reserved(
            "this variable is Mirage's own mark on what it made",
        ));
    }
    if text.starts_with("RAILWAY_") && !SETTABLE.contains(&text) {
        return Err(InvalidName::Reserved(
            "Railway sets the RAILWAY_ variables itself",
        ));
    }
    Ok(())
}

fn check_domain(text: &str) -> Result<(), InvalidName> {
    const LIMIT: usize = 253;
    if text.is_empty() {
        return Err(InvalidName::Empty);
    }
    if text.contains("://") || text.contains('/') {
        return Err(InvalidName::Form("a domain only, without scheme and path"));
    }
    if text.len() > LIMIT {
        return Err(InvalidName::TooLong { limit: LIMIT });
    }
    let labels: Vec<&str> = text.strip_prefix("*.").unwrap_or(text).split('.').collect();
    let label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top = labels.last().copied().unwrap_or_default();
    if labels.len() < 2 || !labels.iter().all(label) || top.bytes().all(|b| b.is_ascii_digit()) {
        return Err(InvalidName::Form(
            "not a domain: write for example \"shop.example.com\" or \"*.example.com\"",
        ));
    }
    if text.to_ascii_lowercase().ends_with(".railway.app") {
        return Err(InvalidName::Reserved(
            "Railway makes these up itself: leave the name out to get one",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_railway_would_take_are_taken() {
        for name in ["dev", "pr-1234", "a"] {
            assert!(name.parse::<EnvironmentName>().is_ok(), "{name}");
        }
        for name in ["web", "Postgres", "my api", "a_b-c", "0"] {
            assert!(name.parse::<ServiceName>().is_ok(), "{name}");
        }
        for name in ["A", "_x", "RAILWAY_RUN_UID", "port"] {
            assert!(name.parse::<VariableName>().is_ok(), "{name}");
        }
        for name in [
            "shop.example.com",
            "*.example.com",
            "EXAMPLE.com",
            "xn--bcher-kva.example",
        ] {
            assert!(name.parse::<DomainName>().is_ok(), "{name}");
        }
    }

    #[test]
    fn names_railway_would_refuse_are_refused() {
        for name in ["", "Dev", "1a", "a_b", "a.b", "a-", &"a".repeat(33)] {
            assert!(name.parse::<EnvironmentName>().is_err(), "{name}");
        }
        for name in ["", "a.b", "-a", "a ", "shared", "ü", &"a".repeat(33)] {
            assert!(name.parse::<ServiceName>().is_err(), "{name}");
        }
        for name in ["", "1A", "A-B", "A B", "RAILWAY_SERVICE_ID", MARK] {
            assert!(name.parse::<VariableName>().is_err(), "{name}");
        }
        for name in [
            "",
            "localhost",
            "https://a.b",
            "a..b",
            "-a.b",
            "10.0.0.1",
            "x.up.railway.app",
            "a b.c",
        ] {
            assert!(name.parse::<DomainName>().is_err(), "{name}");
        }
    }
}

//! What GitHub calls things: numbers, logins, commits and repositories, not to be mixed up with each other.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// Takes a number that GitHub gave.
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// The number as GitHub writes it.
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )*};
}

numbers! {
    /// The number of a pull request: unique within its repository, never given again.
    PullRequestNumber,
    /// A comment in the conversation of a pull request (an issue comment, in GitHub's words). Ids grow with time.
    CommentId,
    /// A deployment.
    DeploymentId,
    /// A GitHub App.
    AppId,
    /// A GitHub App's installation on an account.
    InstallationId,
}

/// The hash of a commit, in lower-case hexadecimal: 40 digits, or 64 in a SHA-256 repository.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha(String);

impl Sha {
    /// The hash as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first seven digits, as people read them.
    pub fn short(&self) -> &str {
        &self.0[..7]
    }
}

/// A text that is no commit's hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the hash of a commit: it takes 40 or 64 hexadecimal digits")]
pub struct NotASha(String);

impl TryFrom<String> for Sha {
    type Error = NotASha;

    fn try_from(text: String) -> Result<Self, NotASha> {
        let is_hash =
            matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hash {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(NotASha(text))
        }
    }
}

impl FromStr for Sha {
    type Err = NotASha;

    fn from_str(text: &str) -> Result<Self, NotASha> {
        Self::try_from(text.to_owned())
    }
}

impl From<Sha> for String {
    fn from(sha: Sha) -> Self {
        sha.0
    }
}

impl fmt::Display for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha({})", self.0)
    }
}

/// The name of a user, an organisation or an app (`dependabot[bot]`). GitHub keeps its spelling and compares without
/// case; so do `==`, the order and the hash.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Login(String);

impl Login {
    /// Takes a login as GitHub or a person writes it.
    pub fn new(login: impl Into<String>) -> Self {
        Self(login.into())
    }

    /// The login in its own spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn folded(&self) -> impl Iterator<Item = u8> {
        self.0.bytes().map(|byte| byte.to_ascii_lowercase())
    }
}

impl PartialEq for Login {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Login {}

impl PartialOrd for Login {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Login {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl Hash for Login {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_ascii_lowercase().hash(state);
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({})", self.0)
    }
}

/// `owner/name`. GitHub keeps its spelling and compares without case; so do `==`, the order and the hash.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryName {
    owner: Login,
    name: Login,
}

impl RepositoryName {
    /// The account that has it.
    pub fn owner(&self) -> &str {
        self.owner.as_str()
    }

    /// Its name within the account.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }
}

/// A text that names no repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no repository: write it as owner/name, as it stands in the address on GitHub")]
pub struct NotARepository(String);

/// Longer than both limits: 39 for an owner, 100 for a name.
const LONGEST_PART: usize = 100;

impl FromStr for RepositoryName {
    type Err = NotARepository;

    fn from_str(text: &str) -> Result<Self, NotARepository> {
        // What passes stands in a path without being escaped.
        let is_part = |part: &str| {
            !part.is_empty()
                && part.len() <= LONGEST_PART
                && part != "."
                && part != ".."
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        match text.split_once('/') {
            Some((owner, name)) if is_part(owner) && is_part(name) => Ok(Self {
                owner: Login::new(owner),
                name: Login::new(name),
            }),
            _ => Err(NotARepository(text.to_owned())),
        }
    }
}

impl TryFrom<String> for RepositoryName {
    type Error = NotARepository;

    fn try_from(text: String) -> Result<Self, NotARepository> {
        text.parse()
    }
}

impl From<RepositoryName> for String {
    fn from(name: RepositoryName) -> Self {
        name.to_string()
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl fmt::Debug for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RepositoryName({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_an_owner_and_a_name() {
        for good in ["acme/shop", "Acme-1/shop.js", "a/_.-"] {
            assert_eq!(good.parse::<RepositoryName>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "shop",
            "/",
            "acme/",
            "/shop",
            "acme/shop/x",
            "acme/..",
            "acme/sh op",
            "a/b?c",
            "a/b#c",
            "a/b%2f",
            "https://github.com/acme/shop",
        ] {
            assert!(bad.parse::<RepositoryName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_compared_without_case() {
        let name = |text: &str| text.parse::<RepositoryName>().unwrap();
        assert_eq!(name("Acme/Shop"), name("acme/shop"));
        assert_ne!(name("acme/shop"), name("acme/shop2"));
        assert_eq!(Login::new("Ann").cmp(&Login::new("ann")), Ordering::Equal);
    }

    #[test]
    fn a_hash_has_forty_or_sixty_four_digits() {
        let forty = "ABCDEF0123456789abcdef0123456789abcdef01";
        assert_eq!(forty.parse::<Sha>().unwrap().short(), "abcdef0");
        assert!(format!("{forty}{}", "0".repeat(24)).parse::<Sha>().is_ok());
        for bad in ["", "abc", &forty[1..], &forty.replace('A', "g")] {
            assert!(bad.parse::<Sha>().is_err(), "{bad}");
        }
    }
}

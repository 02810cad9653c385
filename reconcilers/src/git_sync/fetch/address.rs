//! Addresses of repositories, as `git clone` takes them.

use std::{fmt, path::PathBuf};

use url::{Host, Url};

/// Where a repository is. Credentials have no place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `https://…`, and `http://…` on this machine.
    Web(Url),
    /// `ssh://…` or `git@host:path`.
    Ssh(SshPlace),
    /// `file:///…`.
    File(PathBuf),
}

/// A repository behind SSH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshPlace {
    /// Who logs in.
    pub user: String,
    /// Name or address of the server.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What the server calls the repository.
    pub path: String,
}

impl fmt::Display for SshPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.trim_start_matches('/');
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        write!(f, "ssh://{}@{host}:{}/{path}", self.user, self.port)
    }
}

/// Why a text is no address. Does not repeat the text: a token may stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// Not one of the forms.
    #[error("not an address of a repository")]
    Form,
    /// A user, password or token is in it.
    #[error("an address must not hold a password or a token")]
    Credentials,
}

/// Every forge's user for SSH.
const GIT: &str = "git";
/// Source: RFC 4253, section 4.1.
const SSH_PORT: u16 = 22;

impl std::str::FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        if !text.contains("://") {
            return short(text).map(Self::Ssh);
        }
        let url = Url::parse(text).map_err(|_| InvalidAddress::Form)?;
        if url.password().is_some() {
            return Err(InvalidAddress::Credentials);
        }
        match url.scheme() {
            "https" | "http" if !url.username().is_empty() => Err(InvalidAddress::Credentials),
            "https" | "http" => Ok(Self::Web(url)),
            "ssh" => Ok(Self::Ssh(SshPlace {
                user: Some(url.username())
                    .filter(|user| !user.is_empty())
                    .unwrap_or(GIT)
                    .to_owned(),
                host: match url.host().ok_or(InvalidAddress::Form)? {
                    // Without its brackets, as it is looked up and as known_hosts has it.
                    Host::Ipv6(address) => address.to_string(),
                    other => other.to_string(),
                },
                port: url.port().unwrap_or(SSH_PORT),
                path: url.path().to_owned(),
            })),
            "file" => url
                .to_file_path()
                .map(Self::File)
                .map_err(|()| InvalidAddress::Form),
            _ => Err(InvalidAddress::Form),
        }
    }
}

/// `git@host:path`: the path is as the server's login shell sees it, so it need not begin at the root.
fn short(text: &str) -> Result<SshPlace, InvalidAddress> {
    let (place, path) = text.split_once(':').ok_or(InvalidAddress::Form)?;
    let (user, host) = place.split_once('@').ok_or(InvalidAddress::Form)?;
    // A path that begins with a dash would be an option to the program on the other side.
    let is_path = !path.is_empty() && !path.starts_with('-');
    if user.is_empty() || host.is_empty() || !is_path || host.contains('/') {
        return Err(InvalidAddress::Form);
    }
    Ok(SshPlace {
        user: user.to_owned(),
        host: host.to_owned(),
        port: SSH_PORT,
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ssh(text: &str) -> SshPlace {
        match text.parse() {
            Ok(Address::Ssh(place)) => place,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn addresses_are_read_as_git_clone_reads_them() {
        let place = |user: &str, host: &str, port, path: &str| SshPlace {
            user: user.into(),
            host: host.into(),
            port,
            path: path.into(),
        };
        for (text, expected) in [
            (
                "git@github.com:acme/shop.git",
                place("git", "github.com", 22, "acme/shop.git"),
            ),
            (
                "ssh://github.com/acme/shop",
                place("git", "github.com", 22, "/acme/shop"),
            ),
            ("ssh://git@[::1]:2222/x", place("git", "::1", 2222, "/x")),
            (
                "ssh://me@git.example.com:2222/srv/x",
                place("me", "git.example.com", 2222, "/srv/x"),
            ),
        ] {
            assert_eq!(ssh(text), expected, "{text}");
        }
        assert_eq!(
            "file:///srv/git/shop.git".parse(),
            Ok(Address::File("/srv/git/shop.git".into()))
        );
        assert!(matches!(
            "https://github.com/acme/shop".parse(),
            Ok(Address::Web(_))
        ));
    }

    #[test]
    fn an_address_with_credentials_is_none_and_is_not_repeated() {
        for text in [
            "https://canary@github.com/x/y",
            "https://a:canary@github.com/x/y",
            "ssh://git:canary@github.com/x/y",
            "canary",
            "canary:x",
            "gopher://canary/x",
            "git@canary:--upload-pack=x",
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(!format!("{error:?} {error}").contains("canary"));
        }
    }
}

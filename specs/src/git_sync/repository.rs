//! Whether an address means the repository that a forge speaks of, for whoever is told of a push.

use super::GitSyncSpec;

/// Other names under which forges serve the same repositories (source: GitHub's "Using SSH over the HTTPS port" and
/// GitLab's "Use SSH keys", alternative port).
const OTHER_NAMES: [(&str, &str); 3] = [
    ("www.github.com", "github.com"),
    ("ssh.github.com", "github.com"),
    ("altssh.gitlab.com", "gitlab.com"),
];

impl GitSyncSpec {
    /// Host and path of the repository, `github.com` and `acme/shop`, whether by https or by ssh; `None` when it is on no
    /// host.
    pub fn place(&self) -> Option<(String, String)> {
        let (host, path) = place(&self.url)?;
        Some((plain_host(host), plain_path(path).to_owned()))
    }

    /// Whether `url` leads to `repository` (`owner/name`) on `host`, whether by https or by ssh. Upper and lower case do
    /// not count, as they do not for the forges, nor does the port.
    pub fn is_of(&self, host: &str, repository: &str) -> bool {
        self.place().is_some_and(|(its_host, its_path)| {
            its_host == plain_host(host) && its_path.eq_ignore_ascii_case(plain_path(repository))
        })
    }
}

/// Host and path of an address; `None` when it is on no host.
fn place(url: &str) -> Option<(&str, &str)> {
    let Some((scheme, rest)) = url.split_once("://") else {
        let (place, path) = url.split_once(':')?;
        let (_, host) = place.split_once('@')?;
        return Some((host, path));
    };
    if !matches!(scheme, "https" | "http" | "ssh") {
        return None;
    }
    let (authority, path) = rest.split_once('/')?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    // An IPv6 address stands in brackets, and has colons of its own.
    let name = match host.rfind(']') {
        Some(end) => &host[..=end],
        None => host.split(':').next().unwrap_or_default(),
    };
    Some((name, path))
}

fn plain_host(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    OTHER_NAMES
        .iter()
        .find(|(other, _)| *other == host)
        .map_or(host, |(_, name)| (*name).to_owned())
}

fn plain_path(path: &str) -> &str {
    let path = path.trim_matches('/');
    path.strip_suffix(".git").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_known_by_every_form_of_its_address() {
        for (url, host, is) in [
            ("https://github.com/acme/shop", "github.com", true),
            ("https://github.com/Acme/Shop.git", "github.com", true),
            ("https://github.com/acme/shop/", "github.com", true),
            ("https://www.github.com/acme/shop", "github.com", true),
            ("git@github.com:acme/shop.git", "github.com", true),
            ("git@github.com:/acme/shop.git", "github.com", true),
            ("ssh://git@github.com/acme/shop", "github.com", true),
            (
                "ssh://git@ssh.github.com:443/acme/shop.git",
                "github.com",
                true,
            ),
            (
                "https://git.example.com:8443/acme/shop",
                "git.example.com",
                true,
            ),
            ("ssh://git@[::1]:2222/acme/shop", "[::1]", true),
            ("https://github.com/acme/shop-two", "github.com", false),
            ("https://github.com/other/acme/shop", "github.com", false),
            (
                "https://github.com.example.com/acme/shop",
                "github.com",
                false,
            ),
            ("https://gitlab.com/acme/shop", "github.com", false),
            ("file:///github.com/acme/shop", "github.com", false),
            ("github.com/acme/shop", "github.com", false),
        ] {
            let spec = GitSyncSpec {
                url: url.to_owned(),
                ..GitSyncSpec::default()
            };
            assert_eq!(spec.is_of(host, "acme/shop"), is, "{url}");
        }
    }
}

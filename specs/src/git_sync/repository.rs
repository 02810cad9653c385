//! Which repository an address means, in the words of the forge that it is on.

/// Other names under which forges serve the same repositories (source: GitHub's "Using SSH over the HTTPS port" and
/// GitLab's "Use SSH keys", alternative port).
const OTHER_NAMES: [(&str, &str); 3] = [
    ("www.github.com", "github.com"),
    ("ssh.github.com", "github.com"),
    ("altssh.gitlab.com", "gitlab.com"),
];

/// Host and path of the repository at an address, `github.com` and `acme/shop`, whether by https or by ssh; `None` when it
/// is on no host. The port does not count. The path is as it was written; forges compare it without case.
pub fn place(url: &str) -> Option<(String, String)> {
    let (host, path) = parts(url)?;
    Some((plain_host(host), plain_path(path).to_owned()))
}

fn parts(url: &str) -> Option<(&str, &str)> {
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
        for (url, expected) in [
            (
                "https://github.com/acme/shop",
                Some(("github.com", "acme/shop")),
            ),
            (
                "https://github.com/Acme/Shop.git",
                Some(("github.com", "Acme/Shop")),
            ),
            (
                "https://github.com/acme/shop/",
                Some(("github.com", "acme/shop")),
            ),
            (
                "https://www.github.com/acme/shop",
                Some(("github.com", "acme/shop")),
            ),
            (
                "https://token@GitHub.com/acme/shop",
                Some(("github.com", "acme/shop")),
            ),
            (
                "git@github.com:acme/shop.git",
                Some(("github.com", "acme/shop")),
            ),
            (
                "git@github.com:/acme/shop.git",
                Some(("github.com", "acme/shop")),
            ),
            (
                "ssh://git@github.com/acme/shop",
                Some(("github.com", "acme/shop")),
            ),
            (
                "ssh://git@ssh.github.com:443/acme/shop.git",
                Some(("github.com", "acme/shop")),
            ),
            (
                "https://git.example.com:8443/acme/shop",
                Some(("git.example.com", "acme/shop")),
            ),
            (
                "ssh://git@[::1]:2222/acme/shop",
                Some(("[::1]", "acme/shop")),
            ),
            (
                "https://github.com/other/acme/shop",
                Some(("github.com", "other/acme/shop")),
            ),
            (
                "https://github.com.example.com/acme/shop",
                Some(("github.com.example.com", "acme/shop")),
            ),
            ("file:///github.com/acme/shop", None),
            ("github.com/acme/shop", None),
            ("/srv/acme/shop", None),
            ("", None),
        ] {
            let found = place(url);
            let found = found
                .as_ref()
                .map(|(host, path)| (host.as_str(), path.as_str()));
            assert_eq!(found, expected, "{url}");
        }
    }
}

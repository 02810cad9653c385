//! Which keys a server may show: the text of OpenSSH's `known_hosts` (source: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).

use ring::hmac;
use russh::keys::{
    Algorithm, PublicKey,
    ssh_key::known_hosts::{HostPatterns, KnownHosts, Marker},
};

use super::{FetchError, address::SshPlace};

/// OpenSSH writes the port only when it is another.
const USUAL_PORT: u16 = 22;

/// The keys that are written down for one server.
#[derive(Clone, Debug, Default)]
pub(super) struct HostKeys {
    known: Vec<PublicKey>,
    revoked: Vec<PublicKey>,
}

impl HostKeys {
    /// Those of a server in the text of a `known_hosts`.
    ///
    /// # Errors
    /// When it says nothing that can be used of this server.
    pub(super) fn of(place: &SshPlace, text: &str) -> Result<Self, FetchError> {
        let mut keys = Self::default();
        let mut has_unusable = false;
        for entry in KnownHosts::new(text) {
            // A line of a kind that is not known here says nothing; whether enough is left shows below.
            let Ok(entry) = entry else { continue };
            if !speaks_of(entry.host_patterns(), place) {
                continue;
            }
            let key = entry.public_key().clone();
            match entry.marker() {
                Some(Marker::Revoked) => keys.revoked.push(key),
                // Neither certificates of hosts nor RSA are in this build.
                Some(Marker::CertAuthority) => has_unusable = true,
                None if matches!(key.algorithm(), Algorithm::Rsa { .. } | Algorithm::Dsa) => {
                    has_unusable = true;
                }
                None => keys.known.push(key),
            }
        }
        if keys.known.is_empty() {
            let host = &place.host;
            return Err(FetchError::HostKey(if has_unusable {
                format!(
                    "the Secret's key \"known_hosts\" has no Ed25519 or ECDSA key of {host}: add what \
                     `ssh-keyscan -t ed25519,ecdsa {host}` prints, after comparing it with what the host publishes"
                )
            } else {
                format!(
                    "the Secret's key \"known_hosts\" says nothing of {host}: add what `ssh-keyscan -t ed25519 {host}` \
                     prints, after comparing it with what the host publishes"
                )
            }));
        }
        Ok(keys)
    }

    /// The kinds of keys to ask the server for: it may have others, and would show those first.
    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        let mut algorithms: Vec<Algorithm> = Vec::new();
        for key in &self.known {
            if !algorithms.contains(&key.algorithm()) {
                algorithms.push(key.algorithm());
            }
        }
        algorithms
    }

    /// Whether a key is the server's.
    pub(super) fn know(&self, key: &PublicKey) -> bool {
        let is = |other: &PublicKey| other.key_data() == key.key_data();
        self.known.iter().any(is) && !self.revoked.iter().any(is)
    }
}

fn speaks_of(patterns: &HostPatterns, place: &SshPlace) -> bool {
    let host = place.host.to_ascii_lowercase();
    let name = if place.port == USUAL_PORT {
        host
    } else {
        format!("[{host}]:{}", place.port)
    };
    match patterns {
        HostPatterns::HashedName { salt, hash } => {
            let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
            hmac::verify(&key, name.as_bytes(), hash).is_ok()
        }
        HostPatterns::Patterns(patterns) => {
            let is = |pattern: &str| matches(&pattern.to_ascii_lowercase(), &name);
            let denied = |pattern: &String| pattern.strip_prefix('!').is_some_and(is);
            !patterns.iter().any(denied) && patterns.iter().any(|pattern| is(pattern))
        }
    }
}

/// `*` stands for any text and `?` for one character.
fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.chars().next(), name.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            matches(&pattern[1..], name)
                || name
                    .chars()
                    .next()
                    .is_some_and(|c| matches(pattern, &name[c.len_utf8()..]))
        }
        (Some('?'), Some(c)) => matches(&pattern[1..], &name[c.len_utf8()..]),
        (Some(p), Some(c)) if p == c => matches(&pattern[p.len_utf8()..], &name[c.len_utf8()..]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // GitHub's published key (source: docs.github.com, "GitHub's SSH key fingerprints").
    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    fn place(host: &str, port: u16) -> SshPlace {
        SshPlace {
            user: "git".into(),
            host: host.into(),
            port,
            path: "x".into(),
        }
    }

    #[test]
    fn a_host_is_found_under_every_form_of_its_name() {
        let salted = {
            let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"0123456789abcdefghij");
            use base64::Engine as _;
            let text = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
            let hash = hmac::sign(&key, b"github.com");
            format!(
                "|1|{}|{}",
                text(b"0123456789abcdefghij"),
                text(hash.as_ref())
            )
        };
        for (hosts, host, port, found) in [
            ("github.com", "github.com", 22, true),
            ("github.com", "GitHub.com", 22, true),
            ("github.com,140.82.121.3", "140.82.121.3", 22, true),
            ("*.example.com", "git.example.com", 22, true),
            (
                "*.example.com,!git.example.com",
                "git.example.com",
                22,
                false,
            ),
            ("g?thub.com", "github.com", 22, true),
            ("github.com", "github.com", 2222, false),
            ("[github.com]:2222", "github.com", 2222, true),
            ("gitlab.com", "github.com", 22, false),
            (&salted, "github.com", 22, true),
            (&salted, "gitlab.com", 22, false),
        ] {
            let text = format!("# a comment\n{hosts} {KEY}\n");
            let keys = HostKeys::of(&place(host, port), &text);
            assert_eq!(keys.is_ok(), found, "{hosts} {host}:{port} {keys:?}");
            if let Ok(keys) = keys {
                assert!(keys.know(&PublicKey::from_openssh(KEY).unwrap()));
                assert_eq!(keys.algorithms(), [Algorithm::Ed25519]);
            }
        }
    }

    #[test]
    fn a_revoked_key_is_not_known_and_another_is_not_either() {
        let text = format!("github.com {KEY}\n@revoked github.com {KEY}\n");
        let keys = HostKeys::of(&place("github.com", 22), &text).unwrap();
        assert!(!keys.know(&PublicKey::from_openssh(KEY).unwrap()));
    }
}

//! Who listens to GitHub, and to what. Pure but for reading them.

use mirage_specs::git_sync;
use serde_json::Value;

use super::delivery::Delivery;
use super::wake::Target;
use crate::error::Status;
use crate::kinds::Kind;
use crate::server::Server;
use crate::store::{ListQuery, StoreError};

const GROUP: &str = "mirage.dev";
const VERSION: &str = "v1alpha1";

/// A kind that listens.
#[derive(Debug)]
struct Hearing {
    plural: &'static str,
    /// Where its spec says which repository it is about.
    repository: Place,
    /// The events that concern it.
    events: &'static [&'static str],
    /// What is written on it to wake it.
    annotation: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// A field that holds `owner/name`.
    Name(&'static str),
    /// A field that holds the address of a Git repository.
    Address(&'static str),
}

/// All that listen. Every one names its secret in `spec.webhookSecretRef`.
const HEARING: &[Hearing] = &[
    Hearing {
        plural: "previewpolicies",
        repository: Place::Name("repository"),
        events: &["pull_request", "issue_comment"],
        annotation: mirage_specs::wake::WAKE_AT,
    },
    Hearing {
        plural: "gitsyncs",
        repository: Place::Address("url"),
        events: &["push", "create", "delete"],
        annotation: git_sync::SYNC_AT,
    },
];

/// An object that listens to a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listener {
    pub(super) target: Target,
    /// Lower case, as GitHub compares them.
    pub(super) repository: String,
    /// Name and key of the Secret, in the object's namespace.
    pub(super) secret: (String, String),
    pub(super) events: &'static [&'static str],
}

impl Listener {
    /// Whether the delivery, if it is genuine, could be meant for it. One that names no repository (a ping for a whole
    /// organisation) is for all.
    pub(super) fn could_be_meant_by(&self, delivery: &Delivery) -> bool {
        delivery
            .repository
            .as_ref()
            .is_none_or(|name| name.to_ascii_lowercase() == self.repository)
    }

    /// Whether a genuine delivery wakes it.
    pub(super) fn is_woken_by(&self, delivery: &Delivery) -> bool {
        delivery.repository.is_some()
            && self.could_be_meant_by(delivery)
            && self.events.contains(&delivery.event.as_str())
            && !delivery.is_about_issue
    }

    /// What an object listens to; none when it names no secret or no repository on GitHub.
    fn of(hearing: &'static Hearing, kind: &Kind, object: &Value) -> Option<Self> {
        let spec = &object["spec"];
        let repository = match hearing.repository {
            Place::Name(field) => spec[field].as_str()?.to_ascii_lowercase(),
            Place::Address(field) => repository_at(spec[field].as_str()?)?,
        };
        let secret = &spec["webhookSecretRef"];
        let text = |value: &Value| Some(value.as_str()?.to_owned());
        Some(Self {
            target: Target {
                group: kind.group.clone(),
                version: kind.version.clone(),
                plural: kind.plural.clone(),
                namespace: text(&object["metadata"]["namespace"])?,
                name: text(&object["metadata"]["name"])?,
                annotation: hearing.annotation,
            },
            repository,
            secret: (text(&secret["name"])?, text(&secret["key"])?),
            events: hearing.events,
        })
    }
}

/// `owner/name` of a Git address, if that is its whole path.
fn repository_at(address: &str) -> Option<String> {
    let (_, path) = git_sync::place(address)?;
    let (owner, name) = path.split_once('/')?;
    let is_plain = !owner.is_empty() && !name.is_empty() && !name.contains('/');
    is_plain.then(|| path.to_ascii_lowercase())
}

/// All objects that listen.
///
/// # Errors
/// When the store does not answer.
pub(super) async fn all(server: &Server) -> Result<Vec<Listener>, StoreError> {
    let mut listeners = Vec::new();
    for hearing in HEARING {
        let Some(kind) = server.registry.find(GROUP, VERSION, hearing.plural) else {
            continue;
        };
        let query = ListQuery {
            resource: kind.resource().to_owned(),
            namespace: None,
            after: None,
            limit: None,
        };
        let page = server.store.list(&query).await?;
        listeners.extend(
            page.items
                .iter()
                .filter_map(|stored| Listener::of(hearing, kind, &stored.object)),
        );
    }
    Ok(listeners)
}

/// The secret that a listener names; none when it is not there.
///
/// # Errors
/// When the store does not answer.
pub(super) async fn secret_of(
    server: &Server,
    listener: &Listener,
) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, Status> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let kind = server.core_kind("secrets")?;
    let (name, key) = &listener.secret;
    let at = crate::store::Key::new(kind.resource(), &listener.target.namespace, name);
    let stored = server.store.get(&at).await;
    let stored = stored.map_err(|error| Status::from_store(kind, name, error))?;
    Ok(stored
        .and_then(|stored| STANDARD.decode(stored.object["data"][key].as_str()?).ok())
        .map(|mut secret| {
            secret.truncate(without_line_break(&secret).len());
            zeroize::Zeroizing::new(secret)
        }))
}

/// A secret out of a file ends with a line break, which is left behind when it is copied into GitHub's form.
fn without_line_break(secret: &[u8]) -> &[u8] {
    let line = secret.strip_suffix(b"\n").unwrap_or(secret);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_out_of_a_file_is_its_line() {
        for (stored, expected) in [
            ("s3cret", "s3cret"),
            ("s3cret\n", "s3cret"),
            ("s3cret\r\n", "s3cret"),
            ("two\nlines\n", "two\nlines"),
            (" spaces are kept ", " spaces are kept "),
            ("\n", ""),
            ("", ""),
        ] {
            assert_eq!(without_line_break(stored.as_bytes()), expected.as_bytes());
        }
    }

    #[test]
    fn addresses_of_git_name_their_repository() {
        for (address, expected) in [
            ("https://github.com/Acme/Specs.git", Some("acme/specs")),
            ("https://github.com/acme/specs", Some("acme/specs")),
            ("https://token@github.com/acme/specs/", Some("acme/specs")),
            ("ssh://git@github.com:22/acme/specs.git", Some("acme/specs")),
            ("git@github.com:acme/specs.git", Some("acme/specs")),
            ("https://gitlab.test/group/sub/specs", None),
            ("https://github.com/acme", None),
            ("file:///srv/specs", None),
            ("/srv/acme/specs", None),
            ("", None),
        ] {
            assert_eq!(repository_at(address).as_deref(), expected, "{address}");
        }
    }

    fn listener(repository: &str, events: &'static [&'static str]) -> Listener {
        Listener {
            target: Target {
                group: GROUP.to_owned(),
                version: VERSION.to_owned(),
                plural: "things".to_owned(),
                namespace: "default".to_owned(),
                name: "one".to_owned(),
                annotation: "x",
            },
            repository: repository.to_owned(),
            secret: ("s".to_owned(), "k".to_owned()),
            events,
        }
    }

    #[test]
    fn an_event_wakes_those_whom_it_concerns() {
        let (previews, syncs) = (HEARING[0].events, HEARING[1].events);
        for (event, repository, about_issue, wakes_preview, wakes_sync) in [
            ("pull_request", Some("Acme/Shop"), false, true, false),
            ("pull_request", Some("acme/other"), false, false, false),
            ("issue_comment", Some("acme/shop"), false, true, false),
            ("issue_comment", Some("acme/shop"), true, false, false),
            ("push", Some("acme/shop"), false, false, true),
            ("star", Some("acme/shop"), false, false, false),
            ("ping", Some("acme/shop"), false, false, false),
            ("ping", None, false, false, false),
            ("pull_request", None, false, false, false),
        ] {
            let delivery = Delivery {
                id: "1".to_owned(),
                event: event.to_owned(),
                repository: repository.map(str::to_owned),
                is_about_issue: about_issue,
            };
            let wakes = |events| listener("acme/shop", events).is_woken_by(&delivery);
            assert_eq!(
                (wakes(previews), wakes(syncs)),
                (wakes_preview, wakes_sync),
                "{delivery:?}"
            );
        }
    }
}

//! From a spec and its Secrets to what is to be fetched, and by which rules it is applied. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use mirage_railway::secret::SecretValue;
use mirage_specs::{
    GitSync,
    git_sync::SyncDrift,
    validate::{self, Fault},
};

use super::{
    allowed::Bounds,
    commit_status::Listener,
    fetch::{Credentials, Request, Revision},
    mark::Owner,
    substitute::Variables,
};

/// How often a repository is asked, unless the spec says otherwise.
const USUAL_INTERVAL: Duration = Duration::from_secs(60);

/// The Secrets that a spec names, as far as they are there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs {
    /// Of `spec.secretRef`.
    pub credentials: Option<BTreeMap<String, SecretValue>>,
    /// Of `spec.variables.secretRef`.
    pub variables: Option<BTreeMap<String, SecretValue>>,
}

/// A spec with everything that it leaves open.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// What is fetched.
    pub request: Request,
    /// Who on GitHub is told how it went.
    pub listener: Option<Listener>,
    /// How often.
    pub interval: Duration,
    /// By which rules files become objects.
    pub rules: Rules,
    /// By which rules objects are applied.
    pub policy: Policy,
}

/// By which rules files become objects.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Where objects go that do not say.
    pub namespace: String,
    /// What may be written.
    pub bounds: Bounds,
    /// What is filled in; nothing when absent.
    pub variables: Option<Variables>,
    /// Whether one fault holds everything back.
    pub atomic: bool,
}

/// By which rules objects are applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whose they are.
    pub owner: Owner,
    /// Whether what left Git is deleted.
    pub prune: bool,
    /// What becomes of drift.
    pub drift: SyncDrift,
    /// Whether what is there and nobody's is taken over.
    pub adopt: bool,
    /// Whether all of it is only said.
    pub dry_run: bool,
}

/// Why a spec cannot be acted on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// It makes no sense.
    #[error("{}", faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; "))]
    Invalid {
        /// What is wrong.
        faults: Vec<Fault>,
    },
    /// A Secret is not there.
    #[error(
        "{field}: there is no Secret {name:?} in this namespace; create it with `kubectl create secret generic {name} …`"
    )]
    NoSecret {
        /// The field that names it.
        field: &'static str,
        /// Its name.
        name: String,
    },
    /// A Secret has nothing that can be used.
    #[error(
        "spec.secretRef: Secret {name:?} has none of the keys token, password, identity, known_hosts and ca.crt"
    )]
    EmptySecret {
        /// Its name.
        name: String,
    },
}

/// What is to be done for a GitSync.
///
/// # Errors
/// When the spec makes no sense, or a Secret is missing.
pub fn resolve(sync: &GitSync, namespace: &str, inputs: Inputs) -> Result<Resolved, ResolveError> {
    let spec = &sync.spec;
    let faults = serde_json::to_value(sync)
        .map(|object| validate::git_sync(&object))
        .unwrap_or_default();
    if !faults.is_empty() {
        return Err(ResolveError::Invalid { faults });
    }
    let address = spec.url.parse().map_err(|_| ResolveError::Invalid {
        faults: vec![Fault {
            path: "spec.url".to_owned(),
            reason: validate::FaultReason::Invalid,
            message: "not an address of a repository".to_owned(),
        }],
    })?;
    let revision = match (&spec.branch, &spec.tag, &spec.commit) {
        (Some(branch), _, _) => Revision::Branch(branch.clone()),
        (_, Some(tag), _) => Revision::Tag(tag.clone()),
        (_, _, Some(commit)) => Revision::Commit(commit.clone()),
        (None, None, None) => Revision::Head,
    };
    let credentials = match (&spec.secret_ref, inputs.credentials) {
        (None, _) => Credentials::default(),
        (Some(reference), Some(data)) => credentials(&reference.name, data)?,
        (Some(reference), None) => {
            return Err(ResolveError::NoSecret {
                field: "spec.secretRef",
                name: reference.name.clone(),
            });
        }
    };
    let variables = match &spec.variables {
        None => None,
        Some(variables) => Some(Variables {
            plain: variables.values.clone(),
            secret: match (&variables.secret_ref, inputs.variables) {
                (None, _) => BTreeMap::new(),
                (Some(_), Some(data)) => data,
                (Some(reference), None) => {
                    return Err(ResolveError::NoSecret {
                        field: "spec.variables.secretRef",
                        name: reference.name.clone(),
                    });
                }
            },
        }),
    };
    Ok(Resolved {
        listener: Listener::of(spec, credentials.token.as_ref()),
        request: Request {
            address,
            revision,
            path: spec.path.clone().unwrap_or_default(),
            credentials,
        },
        interval: spec
            .interval
            .map_or(USUAL_INTERVAL, mirage_specs::duration::Span::duration),
        rules: Rules {
            namespace: namespace.to_owned(),
            bounds: Bounds::new(spec.allowed.as_ref(), namespace),
            variables,
            atomic: spec.atomic.unwrap_or(false),
        },
        policy: Policy {
            owner: owner(sync, namespace),
            prune: spec.prune.unwrap_or(true),
            drift: spec.drift.unwrap_or_default(),
            adopt: spec.adopt.unwrap_or(false),
            dry_run: spec.dry_run.unwrap_or(false),
        },
    })
}

/// A GitSync, as its mark names it.
pub fn owner(sync: &GitSync, namespace: &str) -> Owner {
    Owner {
        namespace: namespace.to_owned(),
        name: sync.metadata.name.clone().unwrap_or_default(),
    }
}

fn credentials(
    name: &str,
    mut data: BTreeMap<String, SecretValue>,
) -> Result<Credentials, ResolveError> {
    let mut take = |key: &str| {
        data.remove(key)
            .map(|value| SecretValue::new(value.expose().trim()))
            .filter(|value| !value.expose().is_empty())
    };
    let credentials = Credentials {
        username: take("username").map(|user| user.expose().to_owned()),
        token: take("token"),
        password: take("password"),
        // A key needs its last line break.
        identity: take("identity").map(|key| SecretValue::new(format!("{}\n", key.expose()))),
        known_hosts: take("known_hosts").map(|text| text.expose().to_owned()),
        ca: take("ca.crt").map(|text| text.expose().to_owned()),
    };
    if credentials == Credentials::default() {
        return Err(ResolveError::EmptySecret {
            name: name.to_owned(),
        });
    }
    Ok(credentials)
}

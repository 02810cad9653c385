//! Who was given a secret value, for the audit log: which value, for which Environment, and never the value itself.
//!
//! # When a use is one
//! - A value is **sent** when a plan that carries it is about to be carried out: once for each plan. The record comes
//!   first; what cannot be recorded is not sent.
//! - A value is **compared** when it was read and differs from what was last applied, and is not sent (an approval is
//!   missing, or drift is only reported): once for each version of it.
//! - A value that is as it was last applied is read at every visit only to see that. It was recorded when it was sent.
//!
//! What was recorded is remembered by the process; after a restart a plan that is still under way may be recorded again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use mirage_specs::{Environment, EnvironmentSpec, Variable, status::Applied, variable::ValueRef};

use super::{
    effective::{DesiredValue, Effective},
    plan::{Action, Plan},
    resolve::Inputs,
};

/// What was done with a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Purpose {
    /// It goes to Railway.
    Sent {
        /// The plan that carries it.
        plan: String,
    },
    /// It was compared with what Railway has, by fingerprint.
    Compared,
}

/// One use of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The Environment's namespace, in which the Secret or the store is too.
    pub namespace: String,
    /// The Environment.
    pub environment: String,
    /// Its `metadata.uid`.
    pub environment_id: String,
    /// Which value.
    pub reference: ValueRef,
    /// The Secret's `resourceVersion`, or the version in the store.
    pub version: String,
    /// The variables that take it: `API_KEY` for shared ones, `web.API_KEY` for a service's.
    pub variables: Vec<String>,
    /// What was done.
    pub purpose: Purpose,
}

/// A use could not be written down.
#[derive(Debug, thiserror::Error)]
#[error("the use of a secret could not be recorded, so that nothing was sent: {0}")]
pub struct UseError(pub String);

/// Writes uses down, in the audit log.
#[async_trait]
pub trait UseRecorder: Send + Sync + 'static {
    /// Writes them all down, durably, before it returns.
    async fn record(&self, uses: &[Use]) -> Result<(), UseError>;
}

/// Uses remembered of one Environment at most; beyond that some may be recorded twice.
const REMEMBERED: usize = 1024;

type Known = (ValueRef, String, Purpose);

/// Uses of this process, each written down once.
pub struct Uses {
    recorder: Arc<dyn UseRecorder>,
    known: Mutex<HashMap<String, HashSet<Known>>>,
}

impl Uses {
    /// None yet.
    pub fn new(recorder: Arc<dyn UseRecorder>) -> Self {
        Self {
            recorder,
            known: Mutex::default(),
        }
    }

    /// Writes down those that are news.
    ///
    /// # Errors
    /// When they could not be written down. They count as not recorded.
    pub async fn record(&self, uses: Vec<Use>) -> Result<(), UseError> {
        let is_news = |it: &Use| {
            // A set is whole whatever happened to the thread that had it last.
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let of = known.get(&it.environment_id);
            !of.is_some_and(|of| of.contains(&key(it)))
        };
        let news: Vec<Use> = uses.into_iter().filter(is_news).collect();
        if news.is_empty() {
            return Ok(());
        }
        self.recorder.record(&news).await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for it in news {
            let of = known.entry(it.environment_id.clone()).or_default();
            if of.len() >= REMEMBERED {
                of.clear();
            }
            of.insert(key(&it));
        }
        Ok(())
    }

    /// Forgets an Environment that is gone.
    pub fn forget(&self, environment_id: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(environment_id);
    }
}

fn key(it: &Use) -> Known {
    (it.reference.clone(), it.version.clone(), it.purpose.clone())
}

/// Which variable takes which value, and in which version it was read.
#[derive(Clone, Debug, Default)]
pub struct Taken(BTreeMap<(Option<String>, String), (ValueRef, String)>);

impl Taken {
    /// What a layered spec takes, from what was read for it.
    pub fn of(spec: &EnvironmentSpec, inputs: &Inputs) -> Self {
        let services = spec.services.iter().filter_map(|(name, service)| {
            let service = service.as_ref()?;
            Some((Some(name.clone()), &service.variables))
        });
        let mut taken = BTreeMap::new();
        for (service, variables) in services.chain([(None, &spec.variables)]) {
            for (name, variable) in variables {
                if let Some(Variable::SecretRef(reference)) = variable
                    && let Some(version) = inputs.versions.get(reference)
                {
                    let value = (reference.clone(), version.clone());
                    taken.insert((service.clone(), name.clone()), value);
                }
            }
        }
        Self(taken)
    }
}

/// The uses that a visit amounts to. `is_sent` when the plan is about to be carried out.
pub fn uses(
    environment: &Environment,
    taken: &Taken,
    effective: &Effective,
    plan: &Plan,
    applied: &Applied,
    is_sent: bool,
) -> Vec<Use> {
    let mut by_value: BTreeMap<(&ValueRef, &str, bool), Vec<String>> = BTreeMap::new();
    for ((service, name), (reference, version)) in &taken.0 {
        let goes = is_sent && is_carried(plan, service.as_deref(), name);
        if !goes && is_applied(effective, applied, service.as_deref(), name) {
            continue;
        }
        let shown = match service {
            Some(service) => format!("{service}.{name}"),
            None => name.clone(),
        };
        let value = (reference, version.as_str(), goes);
        by_value.entry(value).or_default().push(shown);
    }
    let metadata = &environment.metadata;
    by_value
        .into_iter()
        .map(|((reference, version, goes), variables)| Use {
            namespace: metadata.namespace.clone().unwrap_or_default(),
            environment: metadata.name.clone().unwrap_or_default(),
            environment_id: effective.id.to_string(),
            reference: reference.clone(),
            version: version.to_owned(),
            variables,
            purpose: if goes {
                Purpose::Sent {
                    plan: plan.hash.to_string(),
                }
            } else {
                Purpose::Compared
            },
        })
        .collect()
}

fn is_carried(plan: &Plan, of: Option<&str>, variable: &str) -> bool {
    plan.entries.iter().any(|entry| match &entry.action {
        Action::SetSharedVariable { name, .. } => of.is_none() && name == variable,
        Action::SetVariable { service, name, .. } => {
            of == Some(service.as_str()) && name == variable
        }
        _ => false,
    })
}

fn is_applied(effective: &Effective, applied: &Applied, of: Option<&str>, variable: &str) -> bool {
    let (desired, applied) = match of {
        None => (
            effective.variables.get(variable),
            applied.variables.get(variable),
        ),
        Some(service) => (
            effective
                .services
                .get(service)
                .and_then(|service| service.variables.get(variable)),
            applied
                .services
                .get(service)
                .and_then(|service| service.variables.get(variable)),
        ),
    };
    match (desired, applied) {
        (Some(DesiredValue::Value { fingerprint, .. }), Some(applied)) => {
            fingerprint.as_str() == applied
        }
        _ => false,
    }
}

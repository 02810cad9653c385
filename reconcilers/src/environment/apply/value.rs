//! The values a commit carries. They pass from the spec, a Secret or Railway to Railway, and are kept nowhere.

use std::collections::BTreeMap;

use mirage_railway::{
    client::EnvironmentValues,
    error::{Error, Failure},
    id::{EnvironmentId, ProjectId},
    secret::SecretValue,
    snapshot::Presence,
};

use super::Applier;
use crate::{
    copy::naming::Naming,
    environment::{
        commit::Values,
        copies::{self, Place},
        effective::{DesiredValue, Effective},
        plan::{Action, Entry},
    },
};

/// The operation that errors of copying speak of.
const OPERATION: &str = "EnvironmentConfigs";

impl Applier<'_> {
    pub(super) async fn values(&self, entries: &[&Entry]) -> Result<Values, Error> {
        let mut values = Values::new();
        let mut copies: Vec<((Option<String>, String), Place, String)> = Vec::new();
        for entry in entries {
            let (service, name) = match &entry.action {
                Action::SetSharedVariable { name, .. } => (None, name),
                Action::SetVariable { service, name, .. } => (Some(service.clone()), name),
                _ => continue,
            };
            let value = match desired(self.effective, service.as_deref(), name) {
                Some(DesiredValue::Value { secret, .. }) => secret.clone(),
                Some(DesiredValue::Generate { length }) => self.account.random_text(*length),
                Some(DesiredValue::CopyFrom(from)) => {
                    // The plan has it only because it is there; a look in between changes nothing about this snapshot.
                    if let Ok(place) = copies::place(from, self.observed) {
                        copies.push(((service, name.clone()), place, from.name.clone()));
                    }
                    continue;
                }
                Some(DesiredValue::Preserve) | None => continue,
            };
            values.insert((service, name.clone()), value);
        }
        if !copies.is_empty() {
            values.extend(self.copied(copies).await?);
        }
        Ok(values)
    }

    /// Reads every environment that something is copied from, all with one request.
    async fn copied(
        &self,
        copies: Vec<((Option<String>, String), Place, String)>,
    ) -> Result<Values, Error> {
        let environments: BTreeMap<EnvironmentId, ProjectId> = copies
            .iter()
            .map(|(_, place, _)| (place.environment.clone(), place.project.clone()))
            .collect();
        let asked: Vec<(ProjectId, EnvironmentId)> = environments
            .into_iter()
            .map(|(environment, project)| (project, environment))
            .collect();
        let read = self.account.client.read_values(&asked).await?;
        let naming = Naming::of_copy(
            self.effective.services.keys().map(String::as_str),
            &self.effective.renamed,
        );
        let mut values = Values::new();
        for (target, place, name) in copies {
            let value = match read.get(&place.environment) {
                Some(Presence::Present(all)) => value_at(all, &place, &name).cloned(),
                Some(Presence::Unknown(why)) => return Err(not_yet(&target, why)),
                Some(Presence::Absent) | None => None,
            };
            let value = value.ok_or_else(|| not_yet(&target, "it is no longer there"))?;
            values.insert(target.clone(), followed(&naming, &target, &value)?);
        }
        Ok(values)
    }
}

fn desired<'e>(
    effective: &'e Effective,
    service: Option<&str>,
    name: &str,
) -> Option<&'e DesiredValue> {
    match service {
        None => effective.variables.get(name),
        Some(service) => effective.services.get(service)?.variables.get(name),
    }
}

fn value_at<'v>(
    values: &'v EnvironmentValues,
    place: &Place,
    name: &str,
) -> Option<&'v SecretValue> {
    match &place.service {
        None => values.shared.get(name),
        Some(service) => values.services.get(service)?.get(name),
    }
}

/// The value with the names that services have here. One that refers to a service that is not here would render as
/// nothing, and is refused instead.
fn followed(
    naming: &Naming,
    target: &(Option<String>, String),
    value: &SecretValue,
) -> Result<SecretValue, Error> {
    let followed = naming.follow(value.expose());
    match followed.strangers.first() {
        None => Ok(SecretValue::new(followed.text)),
        Some(stranger) => Err(Error::Invalid(Failure {
            operation: OPERATION,
            message: format!(
                "the value to copy for {} refers to service {stranger}, which is not in this environment; \
                 give the variable a value of its own",
                shown(target)
            ),
            trace_id: None,
        })),
    }
}

/// Between the look and the copy it went: the next visit looks again.
fn not_yet(target: &(Option<String>, String), why: &str) -> Error {
    Error::NotFound(Failure {
        operation: OPERATION,
        message: format!("the value to copy for {}: {why}", shown(target)),
        trace_id: None,
    })
}

fn shown((service, name): &(Option<String>, String)) -> String {
    match service {
        Some(service) => format!("{service}.{name}"),
        None => name.clone(),
    }
}

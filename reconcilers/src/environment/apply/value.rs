//! The values a commit carries. They pass from the spec, a Secret or Railway to Railway, and are kept nowhere.

use std::collections::BTreeMap;

use mirage_railway::{
    error::Error,
    id::ProjectId,
    secret::SecretValue,
    snapshot::{Presence, ProjectSnapshot},
};
use mirage_specs::variable::CopyFrom;

use super::Applier;
use crate::environment::{
    commit::Values,
    effective::DesiredValue,
    plan::{Action, Entry},
};

impl Applier<'_> {
    pub(super) async fn values(
        &self,
        project: &ProjectId,
        entries: &[&Entry],
    ) -> Result<Values, Error> {
        let mut values = Values::new();
        for entry in entries {
            let (service, name) = match &entry.action {
                Action::SetSharedVariable { name, .. } => (None, name),
                Action::SetVariable { service, name, .. } => (Some(service.clone()), name),
                _ => continue,
            };
            let desired = match &service {
                None => self.effective.variables.get(name),
                Some(service) => self
                    .effective
                    .services
                    .get(service)
                    .and_then(|service| service.variables.get(name)),
            };
            let value = match desired {
                Some(DesiredValue::Value { secret, .. }) => secret.clone(),
                Some(DesiredValue::Generate { length }) => self.account.random_text(*length),
                Some(DesiredValue::CopyFrom(from)) => match self.copy(project, from).await? {
                    Some(value) => value,
                    None => continue,
                },
                Some(DesiredValue::Preserve) | None => continue,
            };
            values.insert((service, name.clone()), value);
        }
        Ok(values)
    }

    async fn copy(
        &self,
        project: &ProjectId,
        from: &CopyFrom,
    ) -> Result<Option<SecretValue>, Error> {
        let Presence::Present(snapshot) = &self.observed.project else {
            return Ok(None);
        };
        let snapshot: &ProjectSnapshot = snapshot;
        let Some(environment) = snapshot.environment_named(&from.environment) else {
            return Ok(None);
        };
        let service = match &from.service {
            None => None,
            Some(name) => match environment.instance_named(name) {
                Some(instance) => Some(instance.service_id.clone()),
                None => return Ok(None),
            },
        };
        let all: BTreeMap<String, SecretValue> = self
            .account
            .client
            .read_variables(project, &environment.id, service.as_ref())
            .await?;
        Ok(all.get(&from.name).cloned())
    }
}

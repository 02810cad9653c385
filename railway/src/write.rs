//! Writing one change to an environment: one commit where Railway allows it.
//!
//! A change goes by change set when something is new to the *project* and the change set can say all of it; else by one
//! patch, before which what is new to the project is made, a request each. Railway that has no change sets says so once and
//! is not asked again. Neither way is atomic with what comes before it, so a failure tells what was made.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use serde_json::Value;

use crate::{
    change::{EnvironmentChange, NewVolume, ServiceChange},
    client::{Client, Progress, change_set_state, services::ProjectVolume},
    error::{Error, Failure},
    id::{EnvironmentId, ProjectId, ServiceId, VolumeId, WorkflowId},
    operations::{ApplyChangeSet, PatchCommit, apply_change_set, patch_commit},
    secret::SecretValue,
};
use patch::Made;

mod change_set;
mod patch;
mod path;

pub use path::WritePath;

/// A change that Railway took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// What to ask [`Client::change_applied`] for; none when there was nothing to change.
    pub workflow: Option<WorkflowId>,
    /// The way it went.
    pub path: WritePath,
    /// Requests it took, retries apart.
    pub requests: u32,
    /// Services that were made in the project, by name. A change set makes them later and does not tell.
    pub created: BTreeMap<String, ServiceId>,
    /// Volumes that were made in the project, by name.
    pub created_volumes: BTreeMap<String, VolumeId>,
}

/// A change that failed, perhaps after a part of it took effect.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct ApplyFailure {
    /// Why.
    pub error: Error,
    /// Services that were made in the project before that, by name: they are there without any setting. The next change
    /// names them as existing.
    pub created: BTreeMap<String, ServiceId>,
    /// Volumes that were made in the project before that, by name.
    pub created_volumes: BTreeMap<String, VolumeId>,
}

impl From<ApplyFailure> for Error {
    fn from(failure: ApplyFailure) -> Self {
        failure.error
    }
}

impl Client {
    /// The way that [`Client::apply`] would take.
    pub fn planned_path(&self, change: &EnvironmentChange) -> WritePath {
        path::choose(
            change,
            !self.inner.lacks_change_sets.load(Ordering::Relaxed),
        )
    }

    /// Requests that [`Client::apply`] would take when nothing fails.
    pub fn planned_requests(&self, change: &EnvironmentChange) -> u32 {
        path::requests(change, self.planned_path(change))
    }

    /// Applies a change. Its effect comes later: ask [`Client::change_applied`], or observe.
    ///
    /// # Errors
    /// [`Error::Stale`] when the configuration moved since it was read (change sets only: a patch has no guard);
    /// [`Error::Ambiguous`] when it may have been applied: observe, then plan again.
    pub async fn apply(&self, change: &EnvironmentChange) -> Result<Applied, ApplyFailure> {
        let mut made = Made::default();
        let result = self.apply_noting(change, &mut made).await;
        match result {
            Ok((workflow, path, requests)) => Ok(Applied {
                workflow,
                path,
                requests,
                created: made.services,
                created_volumes: made.volumes,
            }),
            Err(error) => Err(ApplyFailure {
                error,
                created: made.services,
                created_volumes: made.volumes,
            }),
        }
    }

    async fn apply_noting(
        &self,
        change: &EnvironmentChange,
        made: &mut Made,
    ) -> Result<(Option<WorkflowId>, WritePath, u32), Error> {
        let target = Target::of(change)?;
        let path = self.planned_path(change);
        if path::is_empty(change) {
            return Ok((None, path, 0));
        }
        let secrets = secrets(change);
        if path == WritePath::ChangeSet {
            match self.apply_change_set(change, &target, &secrets).await {
                Err(Error::Unsupported(failure)) => {
                    tracing::info!(message = %failure, "Railway offers no change sets; patches from here on");
                    self.inner.lacks_change_sets.store(true, Ordering::Relaxed);
                }
                result => {
                    let workflow = result?;
                    return Ok((workflow, path, path::requests(change, path)));
                }
            }
        }
        self.make_what_is_new(change, &target, made).await?;
        let workflow = self.commit(change, &target, made, &secrets).await?;
        Ok((
            workflow,
            WritePath::Patch,
            path::requests(change, WritePath::Patch),
        ))
    }

    async fn apply_change_set(
        &self,
        change: &EnvironmentChange,
        target: &Target<'_>,
        secrets: &[SecretValue],
    ) -> Result<Option<WorkflowId>, Error> {
        let shared: BTreeMap<_, _> = change
            .shared_variables
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
            .collect();
        if !shared.is_empty() {
            self.set_shared_variables(target.project, target.environment, &shared)
                .await?;
        }
        let variables = apply_change_set::Variables {
            environment_id: target.environment.to_string(),
            input: change_set::input(change),
            commit_message: Some(change.message.clone()),
            // Our own shared variables have just moved the etag: sent along, it would refuse us because of ourselves.
            base_config_etag: change.base_etag.clone().filter(|_| shared.is_empty()),
        };
        let applied = self
            .call_hiding::<ApplyChangeSet>(variables, secrets)
            .await?
            .environment_apply_change_set;
        match change_set_state(&applied.status, &applied.diagnostics) {
            Progress::Failed(message) => {
                Err(Error::Invalid(Failure::new("ApplyChangeSet", message)))
            }
            Progress::Applying | Progress::Applied => {
                Ok(Some(WorkflowId::of_change_set(&applied.id)))
            }
        }
    }

    /// Makes services and volumes that the project does not have, and notes each as soon as it is there.
    async fn make_what_is_new(
        &self,
        change: &EnvironmentChange,
        target: &Target<'_>,
        made: &mut Made,
    ) -> Result<(), Error> {
        for (name, service) in &change.services {
            if let ServiceChange::Create(new) = service
                && new.existing.is_none()
            {
                let id = self
                    .create_service(target.project, target.environment, name)
                    .await?;
                made.services.insert(name.clone(), id);
            }
        }
        for (name, service) in &change.services {
            let (volumes, instance): (&[NewVolume], Option<ServiceId>) = match service {
                // An instance that this patch creates cannot have a volume attached before it.
                ServiceChange::Create(new) => (&new.volumes, made.services.get(name).cloned()),
                ServiceChange::Update(update) => (&update.new_volumes, Some(update.id.clone())),
                ServiceChange::Delete { .. } => (&[], None),
            };
            for volume in volumes.iter().filter(|volume| volume.existing.is_none()) {
                let id = self.make_volume(target, volume, instance.as_ref()).await?;
                made.volumes.insert(volume.name.clone(), id.clone());
                self.rename_volume(&id, &volume.name).await?;
            }
        }
        Ok(())
    }

    async fn make_volume(
        &self,
        target: &Target<'_>,
        volume: &NewVolume,
        service: Option<&ServiceId>,
    ) -> Result<VolumeId, Error> {
        let key = format!("{}/{}", target.environment, volume.name);
        let volume = ProjectVolume {
            project: target.project,
            environment: target.environment,
            service,
            mount_path: &volume.mount_path,
            region: volume.region.as_deref(),
            key: &key,
        };
        self.create_volume(volume).await
    }

    async fn commit(
        &self,
        change: &EnvironmentChange,
        target: &Target<'_>,
        made: &Made,
        secrets: &[SecretValue],
    ) -> Result<Option<WorkflowId>, Error> {
        let variables = patch_commit::Variables {
            environment_id: target.environment.to_string(),
            patch: patch::patch(change, made),
            commit_message: Some(change.message.clone()),
        };
        match self.call_hiding::<PatchCommit>(variables, secrets).await {
            Ok(answer) => Ok(Some(WorkflowId::new(answer.environment_patch_commit))),
            // Railway's words for a patch that changes nothing (the official CLI's documentation).
            Err(error) if error.failure().message.contains("No patch to apply") => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Where a change goes.
struct Target<'a> {
    project: &'a ProjectId,
    environment: &'a EnvironmentId,
}

impl<'a> Target<'a> {
    fn of(change: &'a EnvironmentChange) -> Result<Self, Error> {
        match (&change.project, &change.environment) {
            (Some(project), Some(environment)) => Ok(Self {
                project,
                environment,
            }),
            _ => Err(Error::Invalid(Failure::new(
                "apply",
                "the change names no environment",
            ))),
        }
    }
}

/// Every value in the change that must not come back in a message.
fn secrets(change: &EnvironmentChange) -> Vec<SecretValue> {
    let mut found: Vec<_> = change
        .shared_variables
        .values()
        .flatten()
        .cloned()
        .collect();
    for service in change.services.values() {
        let settings = match service {
            ServiceChange::Create(new) => {
                found.extend(new.variables.values().cloned());
                &new.settings
            }
            ServiceChange::Update(update) => {
                found.extend(update.variables.values().flatten().cloned());
                &update.settings
            }
            ServiceChange::Delete { .. } => continue,
        };
        let password = settings.pointer("/deploy/registryCredentials/password");
        found.extend(password.and_then(Value::as_str).map(SecretValue::new));
    }
    found
}

#[cfg(test)]
mod tests;

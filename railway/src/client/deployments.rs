//! What may be done with deployments.

use serde_json::Value;

use crate::{
    client::{Client, facts::name_of},
    error::{Class, Error},
    id::{DeploymentId, EnvironmentId, ServiceId},
    operations::{
        Deployment, DeploymentCancel, DeploymentRedeploy, DeploymentRemove, DeploymentRestart,
        DeploymentRollback, DeploymentStop, InstanceDeploy, deployment, deployment_cancel,
        deployment_redeploy, deployment_remove, deployment_restart, deployment_rollback,
        deployment_stop, instance_deploy,
    },
    snapshot::DeploymentStatus,
};

/// What one deployment runs, and whether it can be gone back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentDetail {
    /// Railway's id.
    pub id: DeploymentId,
    /// Its status.
    pub status: DeploymentStatus,
    /// Whether Railway still has what a rollback needs: images are kept for hours or days, depending on the plan.
    pub can_rollback: bool,
    /// The image as it was asked for, of a deployment from one.
    pub image: Option<String>,
    /// The image's digest, where Railway tells it.
    pub image_digest: Option<String>,
    /// The repository, `owner/name`, of a deployment from one.
    pub repo: Option<String>,
    /// The commit that was built.
    pub commit: Option<String>,
}

impl Client {
    /// Asks after one deployment; `None` when there is none of that id.
    ///
    /// # Errors
    /// Any class of a query.
    pub async fn deployment(&self, id: &DeploymentId) -> Result<Option<DeploymentDetail>, Error> {
        let variables = deployment::Variables { id: id.to_string() };
        let found = match self.call::<Deployment>(variables).await {
            Ok(found) => found.deployment,
            Err(error) if error.class() == Class::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let status = name_of(&found.status);
        let of_meta = |key: &str| {
            let text = found.meta.as_ref()?.get(key).and_then(Value::as_str)?;
            (!text.is_empty()).then(|| text.to_owned())
        };
        Ok(Some(DeploymentDetail {
            status: status.parse().unwrap_or(DeploymentStatus::Other(status)),
            can_rollback: found.can_rollback,
            image: of_meta("image"),
            image_digest: of_meta("imageDigest"),
            repo: of_meta("repo"),
            commit: of_meta("commitHash"),
            id: DeploymentId::new(found.id),
        }))
    }

    /// Starts the processes of a deployment again; the deployment stays the same.
    ///
    /// # Errors
    /// [`Error::Invalid`] for one that does not run.
    pub async fn restart(&self, deployment: &DeploymentId) -> Result<(), Error> {
        let variables = deployment_restart::Variables {
            id: deployment.to_string(),
        };
        self.call::<DeploymentRestart>(variables).await.map(|_| ())
    }

    /// Deploys an instance, be it for the first time; `commit` for a repository's commit.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a commit that is not there; nothing was deployed then.
    pub async fn deploy(
        &self,
        service: &ServiceId,
        environment: &EnvironmentId,
        commit: Option<&str>,
    ) -> Result<DeploymentId, Error> {
        let variables = instance_deploy::Variables {
            service_id: service.to_string(),
            environment_id: environment.to_string(),
            commit_sha: commit.map(str::to_owned),
        };
        let made = self.call::<InstanceDeploy>(variables).await?;
        Ok(DeploymentId::new(made.service_instance_deploy_v2))
    }

    /// Deploys again what a deployment had deployed.
    ///
    /// # Errors
    /// [`Error::NotYet`] while it is still building.
    pub async fn redeploy(&self, deployment: &DeploymentId) -> Result<DeploymentId, Error> {
        let variables = deployment_redeploy::Variables {
            id: deployment.to_string(),
        };
        let made = self.call::<DeploymentRedeploy>(variables).await?;
        Ok(DeploymentId::new(made.deployment_redeploy.id))
    }

    /// Goes back to a deployment's image and variables, as a new deployment.
    ///
    /// # Errors
    /// Any class of a mutation; Railway keeps images for hours or days only.
    pub async fn rollback(&self, deployment: &DeploymentId) -> Result<(), Error> {
        let variables = deployment_rollback::Variables {
            id: deployment.to_string(),
        };
        self.call::<DeploymentRollback>(variables).await.map(|_| ())
    }

    /// Stops a running deployment.
    ///
    /// # Errors
    /// Any class of a mutation. Stopping again is harmless.
    pub async fn stop(&self, deployment: &DeploymentId) -> Result<(), Error> {
        let variables = deployment_stop::Variables {
            id: deployment.to_string(),
        };
        self.call::<DeploymentStop>(variables).await.map(|_| ())
    }

    /// Stops a deployment and marks it removed.
    ///
    /// # Errors
    /// Any class of a mutation. Removing again is harmless.
    pub async fn remove(&self, deployment: &DeploymentId) -> Result<(), Error> {
        let variables = deployment_remove::Variables {
            id: deployment.to_string(),
        };
        self.call::<DeploymentRemove>(variables).await.map(|_| ())
    }

    /// Aborts a deployment that is queued or building.
    ///
    /// # Errors
    /// Any class of a mutation.
    pub async fn cancel(&self, deployment: &DeploymentId) -> Result<(), Error> {
        let variables = deployment_cancel::Variables {
            id: deployment.to_string(),
        };
        self.call::<DeploymentCancel>(variables).await.map(|_| ())
    }
}

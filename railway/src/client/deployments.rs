//! What may be done with deployments.

use crate::{
    client::Client,
    error::Error,
    id::{DeploymentId, EnvironmentId, ServiceId},
    operations::{
        DeploymentCancel, DeploymentRedeploy, DeploymentRemove, DeploymentRollback, DeploymentStop,
        InstanceDeploy, deployment_cancel, deployment_redeploy, deployment_remove,
        deployment_rollback, deployment_stop, instance_deploy,
    },
};

impl Client {
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

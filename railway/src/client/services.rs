//! Services and volumes as a project has them.

use crate::{
    budget::Creation,
    client::Client,
    error::Error,
    id::{EnvironmentId, ProjectId, ServiceId, VolumeId},
    operations::{
        ServiceCreate, ServiceDelete, VolumeCreate, VolumeDelete, VolumeRename, service_create,
        service_delete, volume_create, volume_delete, volume_rename,
    },
};

/// A volume to make in the project.
pub(crate) struct ProjectVolume<'a> {
    pub(crate) project: &'a ProjectId,
    pub(crate) environment: &'a EnvironmentId,
    /// Attached to this service at once, so that a look after a crash can tell whose it is; the name comes later.
    pub(crate) service: Option<&'a ServiceId>,
    pub(crate) mount_path: &'a str,
    pub(crate) region: Option<&'a str>,
    pub(crate) key: &'a str,
}

impl Client {
    /// Makes a service, without a source so that nothing is deployed yet. In a fork it appears there alone; in an
    /// ordinary environment Railway makes an instance in every ordinary environment of the project (schema).
    pub(crate) async fn create_service(
        &self,
        project: &ProjectId,
        environment: &EnvironmentId,
        name: &str,
    ) -> Result<ServiceId, Error> {
        let variables = service_create::Variables {
            input: service_create::ServiceCreateInput {
                project_id: project.to_string(),
                environment_id: Some(environment.to_string()),
                name: Some(name.to_owned()),
            },
        };
        let made = self.call::<ServiceCreate>(variables).await?;
        Ok(ServiceId::new(made.service_create.id))
    }

    /// Makes a volume; Railway chooses a name for it.
    pub(crate) async fn create_volume(&self, volume: ProjectVolume<'_>) -> Result<VolumeId, Error> {
        let variables = volume_create::Variables {
            input: volume_create::VolumeCreateInput {
                project_id: volume.project.to_string(),
                environment_id: Some(volume.environment.to_string()),
                service_id: volume.service.map(ToString::to_string),
                mount_path: volume.mount_path.to_owned(),
                region: volume.region.map(str::to_owned),
            },
        };
        let call = self.call::<VolumeCreate>(variables);
        let made = self
            .create(Creation::Volume, volume.key, "VolumeCreate", call)
            .await?;
        Ok(VolumeId::new(made.volume_create.id))
    }

    /// Gives a volume a name.
    ///
    /// # Errors
    /// Any class of a mutation. Giving the same name again is harmless.
    pub async fn rename_volume(&self, id: &VolumeId, name: &str) -> Result<(), Error> {
        let variables = volume_rename::Variables {
            volume_id: id.to_string(),
            input: volume_rename::VolumeUpdateInput {
                name: Some(name.to_owned()),
            },
        };
        self.call::<VolumeRename>(variables).await.map(|_| ())
    }

    /// Deletes a service: its instance in that environment when it is a fork, else the service everywhere (schema).
    ///
    /// # Errors
    /// Only a later read tells whether it is gone.
    pub async fn delete_service(
        &self,
        id: &ServiceId,
        environment: &EnvironmentId,
    ) -> Result<(), Error> {
        let variables = service_delete::Variables {
            id: id.to_string(),
            environment_id: Some(environment.to_string()),
        };
        self.call::<ServiceDelete>(variables).await.map(|_| ())
    }

    /// Deletes a volume in every environment; Railway keeps the data for 48 h (Railway docs: "Volumes").
    ///
    /// # Errors
    /// Only a later read tells whether it is gone.
    pub async fn delete_volume(&self, id: &VolumeId) -> Result<(), Error> {
        let variables = volume_delete::Variables {
            volume_id: id.to_string(),
        };
        self.call::<VolumeDelete>(variables).await.map(|_| ())
    }
}

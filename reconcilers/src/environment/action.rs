//! What can be done to Railway, one thing at a time.

use std::fmt;

use mirage_railway::id::{DeploymentId, DomainId, EnvironmentId, ProjectId, ServiceId, VolumeId};
use mirage_specs::plan::PlanVerb;
use serde_json::Value;

use super::field::Field;

/// One thing to do. Holds no value of any variable: `apply` takes those from the effective spec.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Make the project.
    CreateProject {
        /// Its name.
        name: String,
    },
    /// Make the environment, empty.
    CreateEnvironment {
        /// The project, when it exists.
        project: Option<ProjectId>,
        /// Its name.
        name: String,
    },
    /// Put Mirage's mark on the environment.
    Mark,
    /// Set a shared variable.
    SetSharedVariable {
        /// Its name.
        name: String,
        /// Whether it is there already.
        exists: bool,
    },
    /// Remove a shared variable.
    DeleteSharedVariable {
        /// Its name.
        name: String,
    },
    /// Make a service, or its instance here.
    CreateService {
        /// Its name.
        service: String,
        /// The service, when the project has it in another environment.
        existing: Option<ServiceId>,
    },
    /// Remove a service from the environment.
    DeleteService {
        /// Its name.
        service: String,
        /// Railway's id.
        id: ServiceId,
        /// Its volumes here, which go with it.
        volumes: Vec<VolumeId>,
    },
    /// Change a setting; `None` returns it to Railway's default.
    ChangeSetting {
        /// The service.
        service: String,
        /// The setting.
        field: Field,
        /// What it was.
        from: Option<Value>,
        /// What it will be.
        to: Option<Value>,
    },
    /// Set a variable of a service.
    SetVariable {
        /// The service.
        service: String,
        /// Its name.
        name: String,
        /// Whether it is there already.
        exists: bool,
    },
    /// Remove a variable of a service.
    DeleteVariable {
        /// The service.
        service: String,
        /// Its name.
        name: String,
    },
    /// Make a volume and attach it.
    CreateVolume {
        /// The service.
        service: String,
        /// The volume's name on Railway.
        name: String,
        /// The volume, when the project has it in another environment.
        existing: Option<VolumeId>,
    },
    /// Change a volume in place.
    ChangeVolume {
        /// The service.
        service: String,
        /// The volume's name on Railway.
        name: String,
        /// Railway's id.
        id: VolumeId,
        /// What changes, for people.
        what: String,
        /// Whether data is lost.
        destroys: bool,
    },
    /// Remove a volume and what is on it.
    DeleteVolume {
        /// The service.
        service: String,
        /// The volume's name on Railway.
        name: String,
        /// Railway's id.
        id: VolumeId,
    },
    /// Open a port through a TCP proxy.
    AddTcpProxy {
        /// The service.
        service: String,
        /// The application's port.
        port: u16,
    },
    /// Close one.
    RemoveTcpProxy {
        /// The service.
        service: String,
        /// The application's port.
        port: u16,
    },
    /// Make a generated domain, or add an own one.
    CreateDomain {
        /// The service.
        service: String,
        /// The domain; `None` for a generated one.
        name: Option<String>,
        /// The application's port.
        port: Option<u16>,
    },
    /// Point a domain at another port of the application.
    ChangeDomainPort {
        /// The service.
        service: String,
        /// The domain.
        domain: String,
        /// Whether it is a custom one.
        custom: bool,
        /// The application's port.
        port: u16,
    },
    /// Remove a domain.
    DeleteDomain {
        /// The service.
        service: String,
        /// The domain.
        domain: String,
        /// Railway's id.
        id: DomainId,
        /// Whether it was a custom one.
        custom: bool,
    },
    /// Start a deployment where none runs.
    Deploy {
        /// The service.
        service: String,
        /// Railway's id.
        id: ServiceId,
    },
    /// Stop what runs.
    Stop {
        /// The service.
        service: String,
        /// The deployment.
        deployment: DeploymentId,
    },
    /// Have Railway restore the image and the variables of an earlier deployment.
    Rollback {
        /// The service.
        service: String,
        /// The deployment to go back to.
        deployment: DeploymentId,
    },
    /// Give up a deployment that is not running yet.
    Cancel {
        /// The service.
        service: String,
        /// The deployment.
        deployment: DeploymentId,
    },
    /// Start the processes of what runs again.
    Restart {
        /// The service.
        service: String,
        /// The deployment.
        deployment: DeploymentId,
    },
    /// Remove the environment and all in it.
    DeleteEnvironment {
        /// Its name.
        name: String,
        /// Railway's id.
        id: EnvironmentId,
    },
    /// Let the environment go: remove the mark, leave everything else.
    Unmark {
        /// Its name.
        name: String,
        /// Railway's id.
        id: EnvironmentId,
    },
}

impl Action {
    /// Stable key of what it acts on.
    pub fn target(&self) -> String {
        match self {
            Self::CreateProject { .. } => "project".to_owned(),
            Self::CreateEnvironment { .. } | Self::DeleteEnvironment { .. } => {
                "environment".to_owned()
            }
            Self::Mark | Self::Unmark { .. } => "environment/mark".to_owned(),
            Self::SetSharedVariable { name, .. } | Self::DeleteSharedVariable { name } => {
                format!("variable/{name}")
            }
            Self::CreateService { service, .. } | Self::DeleteService { service, .. } => {
                format!("service/{service}")
            }
            Self::ChangeSetting { service, field, .. } => {
                format!("service/{service}/{}", field.spec_path())
            }
            Self::SetVariable { service, name, .. } | Self::DeleteVariable { service, name } => {
                format!("service/{service}/variable/{name}")
            }
            Self::CreateVolume { service, name, .. }
            | Self::ChangeVolume { service, name, .. }
            | Self::DeleteVolume { service, name, .. } => {
                format!("service/{service}/volume/{name}")
            }
            Self::AddTcpProxy { service, port } | Self::RemoveTcpProxy { service, port } => {
                format!("service/{service}/tcp/{port}")
            }
            Self::CreateDomain { service, name, .. } => {
                format!(
                    "service/{service}/domain/{}",
                    name.as_deref().unwrap_or("railway")
                )
            }
            Self::ChangeDomainPort {
                service, domain, ..
            }
            | Self::DeleteDomain {
                service, domain, ..
            } => {
                format!("service/{service}/domain/{domain}")
            }
            Self::Deploy { service, .. }
            | Self::Stop { service, .. }
            | Self::Rollback { service, .. }
            | Self::Cancel { service, .. }
            | Self::Restart { service, .. } => {
                format!("service/{service}/deployment")
            }
        }
    }

    /// The service it acts on.
    pub fn service(&self) -> Option<&str> {
        match self {
            Self::CreateService { service, .. }
            | Self::DeleteService { service, .. }
            | Self::ChangeSetting { service, .. }
            | Self::SetVariable { service, .. }
            | Self::DeleteVariable { service, .. }
            | Self::CreateVolume { service, .. }
            | Self::ChangeVolume { service, .. }
            | Self::DeleteVolume { service, .. }
            | Self::AddTcpProxy { service, .. }
            | Self::RemoveTcpProxy { service, .. }
            | Self::CreateDomain { service, .. }
            | Self::ChangeDomainPort { service, .. }
            | Self::DeleteDomain { service, .. }
            | Self::Deploy { service, .. }
            | Self::Stop { service, .. }
            | Self::Rollback { service, .. }
            | Self::Cancel { service, .. }
            | Self::Restart { service, .. } => Some(service),
            Self::CreateProject { .. }
            | Self::CreateEnvironment { .. }
            | Self::Mark
            | Self::SetSharedVariable { .. }
            | Self::DeleteSharedVariable { .. }
            | Self::DeleteEnvironment { .. }
            | Self::Unmark { .. } => None,
        }
    }

    /// What happens to the target.
    pub fn verb(&self) -> PlanVerb {
        match self {
            Self::CreateProject { .. }
            | Self::CreateEnvironment { .. }
            | Self::CreateService { .. }
            | Self::CreateVolume { .. }
            | Self::AddTcpProxy { .. }
            | Self::CreateDomain { .. }
            | Self::SetSharedVariable { exists: false, .. }
            | Self::SetVariable { exists: false, .. }
            | Self::Mark => PlanVerb::Create,
            Self::SetSharedVariable { exists: true, .. }
            | Self::SetVariable { exists: true, .. }
            | Self::ChangeSetting { .. }
            | Self::ChangeDomainPort { .. }
            | Self::ChangeVolume { .. } => PlanVerb::Update,
            Self::DeleteSharedVariable { .. }
            | Self::DeleteService { .. }
            | Self::DeleteVariable { .. }
            | Self::DeleteVolume { .. }
            | Self::RemoveTcpProxy { .. }
            | Self::DeleteDomain { .. }
            | Self::DeleteEnvironment { .. }
            | Self::Unmark { .. } => PlanVerb::Delete,
            Self::Deploy { .. }
            | Self::Stop { .. }
            | Self::Rollback { .. }
            | Self::Cancel { .. }
            | Self::Restart { .. } => PlanVerb::Deploy,
        }
    }

    /// Whether data or a running service is lost.
    pub fn destroys(&self) -> bool {
        match self {
            Self::DeleteService { .. }
            | Self::DeleteVolume { .. }
            | Self::DeleteDomain { .. }
            | Self::DeleteVariable { .. }
            | Self::DeleteSharedVariable { .. }
            | Self::RemoveTcpProxy { .. }
            | Self::DeleteEnvironment { .. } => true,
            Self::ChangeVolume { destroys, .. } => *destroys,
            _ => false,
        }
    }

    /// Whether it starts a deployment.
    pub fn deploys(&self) -> bool {
        matches!(
            self,
            Self::CreateService { .. }
                | Self::ChangeSetting { .. }
                | Self::SetVariable { .. }
                | Self::DeleteVariable { .. }
                | Self::SetSharedVariable { .. }
                | Self::DeleteSharedVariable { .. }
                | Self::CreateVolume { .. }
                | Self::Deploy { .. }
                | Self::Rollback { .. }
        )
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateProject { name } => write!(f, "create project {name}"),
            Self::CreateEnvironment { name, .. } => write!(f, "create environment {name}"),
            Self::Mark => write!(f, "mark the environment as managed by Mirage"),
            Self::SetSharedVariable {
                name,
                exists: false,
            } => write!(f, "add shared variable {name}"),
            Self::SetSharedVariable { name, exists: true } => {
                write!(f, "change shared variable {name}")
            }
            Self::DeleteSharedVariable { name } => write!(f, "remove shared variable {name}"),
            Self::CreateService {
                service,
                existing: None,
            } => write!(f, "create service {service}"),
            Self::CreateService {
                service,
                existing: Some(_),
            } => {
                write!(f, "add the project's service {service} to the environment")
            }
            Self::DeleteService {
                service, volumes, ..
            } if volumes.is_empty() => write!(f, "delete service {service}"),
            Self::DeleteService {
                service, volumes, ..
            } => {
                write!(
                    f,
                    "delete service {service} and its {} volume(s)",
                    volumes.len()
                )
            }
            Self::ChangeSetting {
                service,
                field,
                from,
                to,
            } => {
                write!(
                    f,
                    "{service}: set {} from {} to {}",
                    field.spec_path(),
                    Shown(from),
                    Shown(to)
                )
            }
            Self::SetVariable {
                service,
                name,
                exists: false,
            } => write!(f, "{service}: add variable {name}"),
            Self::SetVariable {
                service,
                name,
                exists: true,
            } => write!(f, "{service}: change variable {name}"),
            Self::DeleteVariable { service, name } => {
                write!(f, "{service}: remove variable {name}")
            }
            Self::CreateVolume { service, name, .. } => {
                write!(f, "{service}: create volume {name}")
            }
            Self::ChangeVolume {
                service,
                name,
                what,
                ..
            } => write!(f, "{service}: volume {name}: {what}"),
            Self::DeleteVolume { service, name, .. } => {
                write!(f, "{service}: delete volume {name} and its data")
            }
            Self::AddTcpProxy { service, port } => {
                write!(f, "{service}: open port {port} through a TCP proxy")
            }
            Self::RemoveTcpProxy { service, port } => {
                write!(f, "{service}: close the TCP proxy of port {port}")
            }
            Self::CreateDomain {
                service,
                name: None,
                ..
            } => write!(f, "{service}: create a generated domain"),
            Self::CreateDomain {
                service,
                name: Some(name),
                ..
            } => write!(f, "{service}: add domain {name}"),
            Self::ChangeDomainPort {
                service,
                domain,
                port,
                ..
            } => {
                write!(f, "{service}: point domain {domain} at port {port}")
            }
            Self::DeleteDomain {
                service, domain, ..
            } => write!(f, "{service}: remove domain {domain}"),
            Self::Deploy { service, .. } => write!(f, "{service}: start a deployment"),
            Self::Stop { service, .. } => write!(f, "{service}: stop its deployment"),
            Self::Rollback {
                service,
                deployment,
            } => write!(f, "{service}: go back to deployment {deployment}"),
            Self::Cancel {
                service,
                deployment,
            } => write!(f, "{service}: give up deployment {deployment}"),
            Self::Restart { service, .. } => write!(f, "{service}: restart its processes"),
            Self::DeleteEnvironment { name, .. } => {
                write!(f, "delete environment {name} and everything in it")
            }
            Self::Unmark { name, .. } => write!(
                f,
                "leave environment {name} in place and remove Mirage's mark"
            ),
        }
    }
}

struct Shown<'a>(&'a Option<Value>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None | Some(Value::Null) => f.write_str("Railway's default"),
            Some(value) => write!(f, "{value}"),
        }
    }
}

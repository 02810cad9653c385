//! The typed plan: what will be done to Railway, in order, and why.

use std::fmt;

use mirage_railway::id::{DeploymentId, DomainId, EnvironmentId, ProjectId, ServiceId, VolumeId};
use mirage_specs::plan::{PlanReason, PlanVerb, PlanView, PlannedAction};
use serde_json::Value;
use sha2::{Digest, Sha256};

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
            Self::Deploy { service, .. } | Self::Stop { service, .. } => {
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
            | Self::Stop { service, .. } => Some(service),
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
            Self::Deploy { .. } | Self::Stop { .. } => PlanVerb::Deploy,
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
            None => f.write_str("Railway's default"),
            Some(value) => write!(f, "{value}"),
        }
    }
}

/// An action with its reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What.
    pub action: Action,
    /// Why.
    pub reason: PlanReason,
}

impl Entry {
    /// The entry as it is shown and stored.
    pub fn view(&self) -> PlannedAction {
        PlannedAction {
            target: self.action.target(),
            verb: self.action.verb(),
            sentence: self.action.to_string(),
            reason: self.reason,
            destroys: self.action.destroys(),
            deploys: self.action.deploys(),
        }
    }
}

/// What will be done, what was left alone, and what must be waited for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What will be done, in order. Empty means synced, unless something is waited for.
    pub entries: Vec<Entry>,
    /// Drift that the spec says to leave alone.
    pub reported: Vec<Entry>,
    /// Why something that is wanted is not in `entries` yet.
    pub holds: Vec<Hold>,
    /// Hash over what was desired, what was observed and what will be done.
    pub hash: String,
}

impl Plan {
    /// Whether nothing is to be done and nothing waited for.
    pub fn is_synced(&self) -> bool {
        self.entries.is_empty() && self.holds.is_empty()
    }

    /// Whether anything would be destroyed.
    pub fn is_destructive(&self) -> bool {
        self.entries.iter().any(|entry| entry.action.destroys())
    }

    /// Seals the plan with its hash. `basis` is whatever of the desired and the observed state it was computed from.
    pub fn sealed(mut self, basis: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for part in basis {
            digest.update(part.len().to_le_bytes());
            digest.update(part.as_bytes());
        }
        for entry in &self.entries {
            digest.update(format!("{:?}\n", entry).as_bytes());
        }
        self.hash = hex::encode(&digest.finalize()[..6]);
        self
    }

    /// The plan as it is shown and stored; `requests` as counted by `order`.
    pub fn view(&self, requests: u32) -> PlanView {
        PlanView {
            hash: self.hash.clone(),
            actions: self.entries.iter().map(Entry::view).collect(),
            requests,
        }
    }
}

/// Why something waits. Each is a sentence for the person who owns the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Railway could not be read completely, so nothing is concluded from what seems to be missing.
    Unobserved {
        /// Railway's or our own words.
        why: String,
    },
    /// A call was made whose answer was lost, or whose effect is not visible yet.
    AwaitingVisibility {
        /// What is awaited.
        what: String,
    },
    /// The Railway environment belongs to somebody else; nothing is touched.
    Conflict {
        /// What is in the way.
        why: String,
    },
    /// The project was given by id, and there is none that this token can see.
    ProjectMissing {
        /// Railway's id.
        id: ProjectId,
    },
    /// Railway is applying our last change.
    ChangeApplying,
    /// Another environment is making the project right now.
    AwaitingProject {
        /// The project's name.
        name: String,
    },
    /// Sequential rollout: an earlier wave is not healthy yet.
    WaitingForDependency {
        /// The service that waits.
        service: String,
        /// The services it waits for.
        on: Vec<String>,
    },
    /// Two parties keep changing the same thing.
    Fight {
        /// The target both claim.
        target: String,
        /// How often it was repaired.
        repairs: u32,
    },
    /// Every deployment was stopped at once, and not by us.
    EverythingStopped,
    /// A variable must be copied from a place that is not there or cannot be read.
    CopySourceMissing {
        /// The variable.
        variable: String,
        /// Where it should come from.
        from: String,
    },
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unobserved { why } => write!(
                f,
                "Railway could not be read completely ({why}); nothing is changed until it can"
            ),
            Self::AwaitingVisibility { what } => write!(f, "waiting for Railway to show {what}"),
            Self::Conflict { why } => write!(
                f,
                "{why}; choose another spec.name, or delete the other one, or import it"
            ),
            Self::ProjectMissing { id } => write!(
                f,
                "there is no project {id} that this account can see; check spec.project.id and the token's workspace"
            ),
            Self::ChangeApplying => write!(f, "Railway is applying the last change"),
            Self::AwaitingProject { name } => write!(
                f,
                "another environment is creating project {name} right now"
            ),
            Self::WaitingForDependency { service, on } => {
                write!(f, "{service} waits until {} is healthy", on.join(", "))
            }
            Self::Fight { target, repairs } => write!(
                f,
                "{target} was repaired {repairs} times and changed back each time; stop whatever else changes it, \
                 or add it to spec.drift.ignore, then set the annotation mirage.dev/retry"
            ),
            Self::EverythingStopped => write!(
                f,
                "every deployment was stopped at once, as a usage limit does; check the workspace's usage, \
                 then set the annotation mirage.dev/retry"
            ),
            Self::CopySourceMissing { variable, from } => {
                write!(f, "variable {variable} cannot be copied: {from}")
            }
        }
    }
}

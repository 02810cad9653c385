//! The simulated world: plain data, all of it ordered, so that one seed and one sequence of calls give one history.
//!
//! ```text
//! Workspace ─ Project ─┬─ Environment ─┬─ config (JSON, the truth about settings)
//!                      │               ├─ Instance (per service): deployments, domains, proxies
//!                      │               ├─ VolumeInstance (per volume)
//!                      │               └─ staged patch, patch history
//!                      ├─ Service   (once per project)
//!                      ├─ Volume    (once per project)
//!                      └─ Bucket    (once per project)
//! ```

mod account;
mod agenda;
mod deployment;
mod environment;
mod project;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use account::{Grant, Token, Workspace};
pub(crate) use agenda::{Agenda, Event};
pub(crate) use deployment::{Deployment, DeploymentStatus, DeploymentStep, Ending, LogLine};
pub(crate) use environment::{
    ChangeSetApply, Domain, Environment, Instance, Patch, PatchStatus, TcpProxy, VolumeInstance,
};
pub(crate) use project::{Activity, Bucket, Project, Service, Volume};

use crate::fault::Faults;
use crate::quirk::{Quirk, Quirks};
use crate::random::Random;
use crate::refusal::Refusal;
use crate::timing::{Span, Timing};

/// Railway's ids are opaque strings.
pub(crate) type Id = String;

/// What does not change while the simulator runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    pub(crate) timing: Timing,
    pub(crate) quirks: Quirks,
    pub(crate) rate_limits: bool,
}

/// A background job that `workflowStatus` knows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Workflow {
    pub(crate) environment: Id,
    pub(crate) visible_at: i64,
    pub(crate) done: bool,
    pub(crate) error: Option<String>,
}

/// Everything, at one moment of virtual time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct World {
    /// The date at which virtual time was zero.
    pub(crate) base: Timestamp,
    /// Virtual milliseconds since.
    pub(crate) now: i64,
    pub(crate) random: Random,
    pub(crate) agenda: Agenda,
    pub(crate) workspaces: BTreeMap<Id, Workspace>,
    pub(crate) tokens: BTreeMap<String, Token>,
    pub(crate) projects: BTreeMap<Id, Project>,
    pub(crate) environments: BTreeMap<Id, Environment>,
    pub(crate) services: BTreeMap<Id, Service>,
    pub(crate) volumes: BTreeMap<Id, Volume>,
    pub(crate) buckets: BTreeMap<Id, Bucket>,
    /// Where a deployment is: environment and service.
    pub(crate) deployments: BTreeMap<Id, (Id, Id)>,
    pub(crate) workflows: BTreeMap<Id, Workflow>,
    /// When each kind of thing may next be created, by kind and owner.
    pub(crate) throttles: BTreeMap<String, i64>,
    /// Proxy ports are handed out in order.
    pub(crate) next_proxy_port: u16,
    /// Domains in use, and by which environment.
    pub(crate) domains: BTreeMap<String, Id>,
    pub(crate) unstable: bool,
    /// Moves with every change; not kept.
    #[serde(skip)]
    pub(crate) revision: u64,
    #[serde(skip)]
    pub(crate) rules: Arc<Rules>,
    #[serde(skip)]
    pub(crate) faults: Faults,
}

impl World {
    pub(crate) fn empty(base: Timestamp, seed: u64, rules: Arc<Rules>) -> Self {
        Self {
            base,
            now: 0,
            random: Random::seeded(seed),
            agenda: Agenda::default(),
            workspaces: BTreeMap::new(),
            tokens: BTreeMap::new(),
            projects: BTreeMap::new(),
            environments: BTreeMap::new(),
            services: BTreeMap::new(),
            volumes: BTreeMap::new(),
            buckets: BTreeMap::new(),
            deployments: BTreeMap::new(),
            workflows: BTreeMap::new(),
            throttles: BTreeMap::new(),
            next_proxy_port: 20_000,
            domains: BTreeMap::new(),
            unstable: false,
            revision: 0,
            rules,
            faults: Faults::default(),
        }
    }

    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.rules.quirks.has(quirk)
    }

    /// Something changed: what is on disk is old.
    pub(crate) fn touch(&mut self) {
        self.revision += 1;
    }

    /// A date of virtual time.
    pub(crate) fn date(&self, at_ms: i64) -> Timestamp {
        self.base
            .checked_add(jiff::SignedDuration::from_millis(at_ms))
            .unwrap_or(Timestamp::MAX)
    }

    /// That date as Railway writes it.
    pub(crate) fn iso(&self, at_ms: i64) -> String {
        format!("{:.3}", self.date(at_ms))
    }

    /// A moment later than now, drawn from the span.
    pub(crate) fn later(&mut self, span: Span) -> i64 {
        self.now + self.random.span(span)
    }

    pub(crate) fn uuid(&mut self) -> Id {
        self.random.uuid()
    }

    /// From when on queries see what is made now.
    pub(crate) fn visible_from(&mut self) -> i64 {
        let lag = self.rules.timing.read_lag;
        self.later(lag)
    }

    /// Refuses a second creation within the throttle's window.
    pub(crate) fn throttle(
        &mut self,
        kind: &str,
        owner: &str,
        refusal: Refusal,
    ) -> Result<(), Refusal> {
        let window =
            i64::try_from(self.rules.timing.creation_throttle.as_millis()).unwrap_or(i64::MAX);
        if window == 0 {
            return Ok(());
        }
        let key = format!("{kind}/{owner}");
        if self
            .throttles
            .get(&key)
            .is_some_and(|until| *until > self.now)
        {
            return Err(refusal);
        }
        self.throttles.insert(key, self.now + window);
        Ok(())
    }

    pub(crate) fn start_workflow(&mut self, environment: &str) -> Id {
        let id = format!("workflow-{}", self.uuid());
        let span = self.rules.timing.workflow_visible;
        let visible_at = self.later(span);
        self.workflows.insert(
            id.clone(),
            Workflow {
                environment: environment.to_owned(),
                visible_at,
                done: false,
                error: None,
            },
        );
        id
    }

    /// Workspaces in the order in which they were made.
    pub(crate) fn workspaces_by_age(&self) -> Vec<&Workspace> {
        let mut all: Vec<&Workspace> = self.workspaces.values().collect();
        all.sort_by_key(|workspace| workspace.order);
        all
    }

    pub(crate) fn project(&self, id: &str) -> Result<&Project, Refusal> {
        self.projects.get(id).ok_or(Refusal::NotFound("Project"))
    }

    pub(crate) fn project_mut(&mut self, id: &str) -> Result<&mut Project, Refusal> {
        self.revision += 1;
        self.projects
            .get_mut(id)
            .ok_or(Refusal::NotFound("Project"))
    }

    /// An environment that is not being torn down.
    pub(crate) fn environment(&self, id: &str) -> Result<&Environment, Refusal> {
        self.environments
            .get(id)
            .ok_or(Refusal::NotFound("Environment"))
    }

    pub(crate) fn environment_mut(&mut self, id: &str) -> Result<&mut Environment, Refusal> {
        self.revision += 1;
        self.environments
            .get_mut(id)
            .ok_or(Refusal::NotFound("Environment"))
    }

    pub(crate) fn service(&self, id: &str) -> Result<&Service, Refusal> {
        self.services.get(id).ok_or(Refusal::NotFound("Service"))
    }

    pub(crate) fn volume(&self, id: &str) -> Result<&Volume, Refusal> {
        self.volumes.get(id).ok_or(Refusal::NotFound("Volume"))
    }

    pub(crate) fn instance(&self, environment: &str, service: &str) -> Result<&Instance, Refusal> {
        self.environment(environment)?
            .instances
            .get(service)
            .ok_or(Refusal::NotFound("ServiceInstance"))
    }

    pub(crate) fn instance_mut(
        &mut self,
        environment: &str,
        service: &str,
    ) -> Result<&mut Instance, Refusal> {
        self.environment_mut(environment)?
            .instances
            .get_mut(service)
            .ok_or(Refusal::NotFound("ServiceInstance"))
    }

    pub(crate) fn deployment(&self, id: &str) -> Result<&Deployment, Refusal> {
        let (environment, service) = self
            .deployments
            .get(id)
            .ok_or(Refusal::NotFound("Deployment"))?;
        self.instance(environment, service)
            .ok()
            .and_then(|instance| instance.deployments.iter().find(|d| d.id == id))
            .ok_or(Refusal::NotFound("Deployment"))
    }

    pub(crate) fn deployment_mut(&mut self, id: &str) -> Result<&mut Deployment, Refusal> {
        let (environment, service) = self
            .deployments
            .get(id)
            .cloned()
            .ok_or(Refusal::NotFound("Deployment"))?;
        self.instance_mut(&environment, &service)
            .ok()
            .and_then(|instance| instance.deployments.iter_mut().find(|d| d.id == id))
            .ok_or(Refusal::NotFound("Deployment"))
    }

    /// The project's service of that name; Railway compares without case.
    pub(crate) fn service_named(&self, project: &str, name: &str) -> Option<&Service> {
        let project = self.projects.get(project)?;
        project
            .services
            .iter()
            .filter_map(|id| self.services.get(id))
            .find(|service| service.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn volume_named(&self, project: &str, name: &str) -> Option<&Volume> {
        let project = self.projects.get(project)?;
        project
            .volumes
            .iter()
            .filter_map(|id| self.volumes.get(id))
            .find(|volume| volume.name == name)
    }

    pub(crate) fn environment_named(&self, project: &str, name: &str) -> Option<&Environment> {
        let project = self.projects.get(project)?;
        project
            .environments
            .iter()
            .filter_map(|id| self.environments.get(id))
            .find(|environment| environment.name == name)
    }
}

//! The only writer: carries out a plan step by step, and writes each down before and after. No policy lives here; where
//! one seems to be needed, the plan lacks an action.

mod call;
mod value;

use jiff::Timestamp;
use mirage_railway::{
    budget::Creation,
    client::{NewEnvironment, NewProject},
    error::{Class, Error, Failure},
    id::{EnvironmentId, ProjectId},
    snapshot::{EnvironmentSnapshot, Presence},
};
use mirage_specs::{
    EnvironmentType,
    ledger::LedgerKind,
    status::{PendingChange, RailwayStatus},
};

use super::{
    applied,
    commit::{Target, commit},
    effective::Effective,
    identity::{Ownership, ownership},
    journal::Journal,
    ledger,
    observe::Observed,
    order::{Step, order},
    plan::{Action, Entry, Plan},
    request::Request,
    rollout::begin::{Sending, asks, begin, deployed_by, going_back, refused as way_refused},
};
use crate::accounts::Account;

/// What came of a plan.
#[derive(Debug)]
pub enum Outcome {
    /// There was nothing to do.
    Nothing,
    /// Something was done; the next look shows what came of it.
    Changed,
    /// A step failed; the steps before it are done.
    Failed(Error),
}

/// Why a plan was left half-way for a reason of ours and not of Railway's.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// What is about to happen, or has happened, could not be written down.
    #[error("the ledger could not be written")]
    Ledger(#[from] kube::Error),
}

/// Everything a plan is carried out with.
pub struct Applier<'a> {
    /// The credential that acts.
    pub account: &'a Account,
    /// What is desired: the values are taken from here.
    pub effective: &'a Effective,
    /// What the plan was computed against.
    pub observed: &'a Observed,
    /// Where it is written down.
    pub journal: &'a mut Journal,
    /// The plan's hash.
    pub plan: &'a str,
    /// The restart that somebody asked for.
    pub restart: Option<&'a Request>,
    /// The time of this visit.
    pub now: Timestamp,
}

/// A failed step: Railway's refusal, or our own ledger's.
enum Stop {
    Railway(Error),
    Ledger(kube::Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Railway(error)
    }
}

impl From<kube::Error> for Stop {
    fn from(error: kube::Error) -> Self {
        Self::Ledger(error)
    }
}

/// Carries out the steps of one visit.
///
/// # Errors
/// When something could not be written down. What Railway refuses is an [`Outcome`].
#[tracing::instrument(skip_all, fields(actions = plan.entries.len(), hash = %plan.hash))]
pub async fn apply(mut applier: Applier<'_>, plan: &Plan) -> Result<Outcome, ApplyError> {
    let mut place = applier.place();
    let mut outcome = Outcome::Nothing;
    for step in order(plan) {
        let done = match &step {
            Step::CreateProject(name) => applier.create_project(name, &mut place).await,
            Step::CreateEnvironment(name) => applier.create_environment(name, &mut place).await,
            Step::Commit(entries) => applier.commit(entries, &place).await,
            Step::Call(entry) => applier.call(entry, &place).await,
        };
        match done {
            Ok(()) => outcome = Outcome::Changed,
            Err(Stop::Railway(error)) => {
                if let Some(project) = &place.project {
                    applier.account.observer.wrote(project);
                }
                return Ok(Outcome::Failed(error));
            }
            Err(Stop::Ledger(error)) => return Err(error.into()),
        }
    }
    Ok(outcome)
}

/// The place on Railway that the steps work on, filled in as it comes to be.
#[derive(Default)]
struct Place<'a> {
    project: Option<ProjectId>,
    environment: Option<EnvironmentId>,
    /// `None` for an environment that was made in this visit.
    observed: Option<&'a EnvironmentSnapshot>,
}

impl<'a> Applier<'a> {
    fn place(&self) -> Place<'a> {
        let observed: &'a Observed = self.observed;
        let Presence::Present(project) = &observed.project else {
            return Place::default();
        };
        let ledger = &self.journal.status().ledger;
        let environment = match ownership(
            &self.effective.id,
            &self.effective.environment_name,
            ledger,
            project,
        ) {
            Ownership::Ours(environment) | Ownership::Unmarked(environment) => Some(environment),
            Ownership::Foreign(..) | Ownership::Absent | Ownership::Unknown(_) => None,
        };
        Place {
            project: Some(project.id.clone()),
            environment: environment.map(|environment| environment.id.clone()),
            observed: environment,
        }
    }

    async fn create_project(&mut self, name: &str, place: &mut Place<'a>) -> Result<(), Stop> {
        let now = self.now;
        self.line_up(Creation::Project)?;
        self.journal
            .write(|status| ledger::intend(&mut status.ledger, LedgerKind::Project, name, now))
            .await?;
        // The description is the only place on a project where its maker can be written down.
        let description = format!("Made by Mirage for environment {}", self.effective.id);
        let Some(workspace) = self.account.workspace() else {
            return Err(no_workspace(name).into());
        };
        let key = self.effective.id.to_string();
        let project = NewProject {
            name: name.to_owned(),
            description,
            workspace,
            default_environment: None,
            key,
        };
        match self.account.client.create_project(project).await {
            Ok((id, _)) => {
                place.project = Some(id.clone());
                self.account.observer.wrote(&id);
                self.journal
                    .write(|status| {
                        ledger::made(
                            &mut status.ledger,
                            LedgerKind::Project,
                            name,
                            id.as_str(),
                            now,
                        );
                        let railway = status.railway.get_or_insert_with(RailwayStatus::default);
                        railway.project_id = Some(id.to_string());
                        railway.project_name = Some(name.to_owned());
                    })
                    .await?;
                Ok(())
            }
            Err(error) => {
                self.refused(error, &[(LedgerKind::Project, name.to_owned())])
                    .await
            }
        }
    }

    async fn create_environment(&mut self, name: &str, place: &mut Place<'a>) -> Result<(), Stop> {
        let Some(project) = place.project.clone() else {
            return Ok(());
        };
        let now = self.now;
        self.line_up(Creation::Environment)?;
        let project_name = match &self.observed.project {
            Presence::Present(project) => Some(project.name.clone()),
            _ => None,
        };
        self.journal
            .write(|status| {
                // What was in the environment before went with it.
                status
                    .ledger
                    .retain(|entry| entry.kind == LedgerKind::Project);
                status.applied = None;
                status.rollout = None;
                status.good.clear();
                ledger::intend(&mut status.ledger, LedgerKind::Environment, name, now);
                let railway = status.railway.get_or_insert_with(RailwayStatus::default);
                railway.project_id = Some(project.to_string());
                railway.project_name = project_name.or_else(|| railway.project_name.take());
            })
            .await?;
        let environment = NewEnvironment {
            project: project.clone(),
            name: name.to_owned(),
            source: None,
            ephemeral: self.effective.environment_type == EnvironmentType::Ephemeral,
            key: self.effective.id.to_string(),
        };
        match self.account.client.create_environment(environment).await {
            Ok(id) => {
                place.environment = Some(id.clone());
                self.account.observer.wrote(&project);
                self.journal
                    .write(|status| {
                        ledger::made(
                            &mut status.ledger,
                            LedgerKind::Environment,
                            name,
                            id.as_str(),
                            now,
                        );
                        let railway = status.railway.get_or_insert_with(RailwayStatus::default);
                        railway.environment_id = Some(id.to_string());
                        railway.environment_name = Some(name.to_owned());
                    })
                    .await?;
                Ok(())
            }
            Err(error) => {
                self.refused(error, &[(LedgerKind::Environment, name.to_owned())])
                    .await
            }
        }
    }

    /// Waits its turn before anything is written down: an intention is news, and waiting is not.
    fn line_up(&self, kind: Creation) -> Result<(), Error> {
        let key = self.effective.id.as_str();
        self.account.client.line_up(kind, key)
    }

    /// What a rollout writes down before something is sent.
    fn sending(&self, place: &Place<'a>, is_call: bool) -> Sending<'a> {
        Sending {
            effective: self.effective,
            environment: place.observed,
            plan: self.plan,
            is_call,
            now: self.now,
        }
    }

    async fn commit(&mut self, entries: &[&Entry], place: &Place<'a>) -> Result<(), Stop> {
        let (Some(project), Some(environment)) = (&place.project, &place.environment) else {
            return Ok(());
        };
        let values = self.values(entries).await?;
        let target = Target {
            project,
            environment,
            observed: place.observed,
        };
        let change = commit(&self.effective.id, self.effective, target, entries, &values);
        let services: Vec<&str> = change.services.keys().map(String::as_str).collect();
        let makes = made_by(entries);
        let (now, effective) = (self.now, self.effective);
        let before = self.journal.status().applied.clone().unwrap_or_default();
        let certain = committed(&before, effective, entries, &services);
        let back = going_back(entries);
        let deployed = if back.is_empty() {
            deployed_by(effective, entries)
        } else {
            Vec::new()
        };
        let sending = self.sending(place, false);
        let earlier = self.journal.status().rollout.clone();
        self.journal
            .write(|status| {
                status.rollout = begin(status.rollout.take(), &deployed, sending);
                for service in &back {
                    asks(&mut status.rollout, service, sending);
                }
                for (kind, name) in &makes {
                    ledger::intend(&mut status.ledger, *kind, name, now);
                }
                status.applied = Some(applied::intend(&before, effective, &services));
            })
            .await?;
        let sent = self.account.client.apply(&change).await;
        self.account.observer.wrote(project);
        match sent {
            Ok(sent) => {
                self.journal
                    .write(|status| {
                        status.applied = Some(certain);
                        let workflow_id = sent.workflow.as_ref().map(ToString::to_string);
                        status.pending_change = Some(PendingChange {
                            workflow_id,
                            since: now,
                        });
                    })
                    .await?;
                Ok(())
            }
            Err(failure) => {
                // What was made before it failed is there, and is found again by this.
                let made = |kind: LedgerKind, name: &str| match kind {
                    LedgerKind::Service => failure.created.get(name).map(ToString::to_string),
                    LedgerKind::Volume => {
                        failure.created_volumes.get(name).map(ToString::to_string)
                    }
                    _ => None,
                };
                let (there, refused): (Vec<_>, Vec<_>) = makes
                    .into_iter()
                    .partition(|(kind, name)| made(*kind, name).is_some());
                let is_open = failure.error.class() == Class::Ambiguous || !there.is_empty();
                self.journal
                    .write(|status| {
                        for (kind, name) in &there {
                            let id = made(*kind, name).unwrap_or_default();
                            ledger::made(&mut status.ledger, *kind, name, &id, now);
                        }
                        // Nothing was sent, so nothing is awaited.
                        if !is_open && back.is_empty() {
                            status.rollout = earlier;
                        }
                        for service in &back {
                            let words = &failure.error.failure().message;
                            way_refused(&mut status.rollout, service, failure.error.class(), words);
                        }
                    })
                    .await?;
                self.refused(failure.error, &refused).await
            }
        }
    }

    /// Takes back what was written down for a call that is known not to have happened.
    async fn refused(
        &mut self,
        error: Error,
        intended: &[(LedgerKind, String)],
    ) -> Result<(), Stop> {
        if error.class() != Class::Ambiguous {
            self.journal
                .write(|status| {
                    for (kind, name) in intended {
                        ledger::strike(&mut status.ledger, *kind, name);
                    }
                })
                .await?;
        }
        Err(error.into())
    }
}

/// A project token sees one environment of one project, and no workspace to make anything in.
fn no_workspace(project: &str) -> Error {
    Error::Invalid(Failure {
        operation: "ProjectCreate",
        message: format!(
            "project {project} does not exist, and a project token can create none: use an account or workspace token"
        ),
        trace_id: None,
    })
}

/// What the entries of a commit make, as the ledger names it.
fn made_by(entries: &[&Entry]) -> Vec<(LedgerKind, String)> {
    entries
        .iter()
        .filter_map(|entry| match &entry.action {
            Action::CreateService { service, .. } => Some((LedgerKind::Service, service.clone())),
            Action::CreateVolume { name, .. } => Some((LedgerKind::Volume, name.clone())),
            _ => None,
        })
        .collect()
}

/// The record once the commit is accepted: what it carried is as the spec says, the rest stays as recorded.
fn committed(
    before: &mirage_specs::status::Applied,
    effective: &Effective,
    entries: &[&Entry],
    services: &[&str],
) -> mirage_specs::status::Applied {
    let wanted = applied::record(effective);
    let mut next = before.clone();
    next.generation = wanted.generation;
    next.variables = wanted.variables;
    let back = going_back(entries);
    for name in services {
        if back.iter().any(|other| other == name) {
            restored(&mut next, before, name, entries);
            continue;
        }
        match wanted.services.get(*name) {
            Some(service) => {
                let recorded = next.services.entry((*name).to_owned()).or_default();
                let domains = std::mem::take(&mut recorded.domains);
                *recorded = service.clone();
                // A domain that is no longer declared goes by a call of its own, after the commit. Were it struck here,
                // nobody would know that it has to go.
                for domain in domains {
                    if !recorded.domains.contains(&domain) {
                        recorded.domains.push(domain);
                    }
                }
            }
            None => {
                next.services.remove(*name);
            }
        }
    }
    for entry in entries {
        if let Action::DeleteService { service, .. } = &entry.action {
            next.services.remove(service);
        }
    }
    next
}

/// The record of a service that went back to settings of before: those, and the rest as it was.
fn restored(
    next: &mut mirage_specs::status::Applied,
    before: &mirage_specs::status::Applied,
    name: &str,
    entries: &[&Entry],
) {
    let Some(mut recorded) = before.services.get(name).cloned() else {
        return;
    };
    for entry in entries {
        if let Action::ChangeSetting {
            service,
            field,
            to: Some(to),
            ..
        } = &entry.action
            && service == name
        {
            let path = field.spec_path().to_owned();
            recorded
                .settings
                .insert(path, applied::setting_fingerprint(*field, to));
        }
    }
    next.services.insert(name.to_owned(), recorded);
}

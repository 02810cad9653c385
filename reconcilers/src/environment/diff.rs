//! What is desired, what is observed, and so what is to be done. Pure, total and deterministic.
//!
//! Only what was declared is compared. What was never declared is Railway's or somebody's own, and stays; what was
//! declared once and no longer is goes, because it is remembered as applied. What could not be read, or may merely not
//! be visible yet, leads to a [`Hold`] and never to a creation or a deletion.

mod domain;
mod removal;
mod restart;
mod rollback;
mod rollout;
mod service;
mod suspension;
mod variable;
mod volume;

pub use restart::mark as restart_mark;
pub use volume::volume_name;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use mirage_railway::snapshot::{EnvironmentSnapshot, Presence, ProjectSnapshot};
use mirage_specs::{
    environment::DriftMode,
    ledger::{LedgerEntry, LedgerKind, LedgerState},
    plan::PlanReason,
    rollout::{GoodState, RestartStatus, RolloutStatus},
    status::{Applied, PendingChange, Repairs},
};

use super::{
    effective::{Effective, ProjectTarget},
    identity::{Ownership, ownership},
    observe::Observed,
    plan::{Action, Entry, Hold, Plan},
    request::Request,
};

/// What Mirage remembers of an Environment: its own status.
#[derive(Clone, Copy, Debug)]
pub struct Memory<'a> {
    /// What was made and is being made.
    pub ledger: &'a [LedgerEntry],
    /// What was last applied.
    pub applied: &'a Applied,
    /// A change Railway still applies.
    pub pending: Option<&'a PendingChange>,
    /// Repairs, to notice a fight.
    pub repairs: &'a BTreeMap<String, Repairs>,
    /// Whether the last thing we did was to stop it.
    pub was_suspended: bool,
    /// Whether a person asked to go on despite a fight or a mass stop.
    pub retry: bool,
    /// What a person asked to deploy again, until that is done.
    pub redeploy: Option<&'a Request>,
    /// What a person asked to restart, until that is done.
    pub restart: Option<&'a Request>,
    /// Restarts that were asked for already.
    pub restarts: Option<&'a RestartStatus>,
    /// The rollout under way, as just judged.
    pub rollout: Option<&'a RolloutStatus>,
    /// What of each service was good last.
    pub good: &'a BTreeMap<String, GoodState>,
}

impl Memory<'_> {
    fn entry(&self, kind: LedgerKind, name: &str) -> Option<&LedgerEntry> {
        self.ledger
            .iter()
            .find(|entry| entry.kind == kind && entry.name == name)
    }
}

/// Repairs of one target within [`FIGHT_WINDOW`] that make it a fight.
pub const FIGHT_REPAIRS: u32 = 5;

/// The window in which repairs are counted.
pub const FIGHT_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// Compares and decides. `now` is an input like any other.
pub fn diff(
    effective: &Effective,
    observed: &Observed,
    memory: &Memory<'_>,
    now: Timestamp,
) -> Plan {
    let plan = Plan::default();
    let mut draft = Draft {
        effective,
        observed,
        memory,
        now,
        plan,
        fresh: PlanReason::Missing,
    };
    let basis = draft.project();
    draft.settle(&basis)
}

/// A plan in the making.
struct Draft<'a> {
    effective: &'a Effective,
    observed: &'a Observed,
    memory: &'a Memory<'a>,
    now: Timestamp,
    plan: Plan,
    /// Why the contents of an environment that is not there are made: for the first time, or again.
    fresh: PlanReason,
}

/// The place services are compared in.
#[derive(Clone, Copy)]
struct Scene<'a> {
    /// `None` while it does not exist.
    project: Option<&'a ProjectSnapshot>,
    /// `None` while it does not exist: everything in it is new.
    environment: Option<&'a EnvironmentSnapshot>,
}

impl<'a> Draft<'a> {
    fn push(&mut self, action: Action, reason: PlanReason) {
        self.plan.entries.push(Entry { action, reason });
    }

    fn hold(&mut self, hold: Hold) {
        if !self.plan.holds.contains(&hold) {
            self.plan.holds.push(hold);
        }
    }

    /// Returns the observed part of what the plan's hash covers.
    fn project(&mut self) -> String {
        match &self.observed.project {
            Presence::Unknown(why) => self.hold(Hold::Unobserved { why: why.clone() }),
            Presence::Absent => self.absent_project(),
            Presence::Present(project) => {
                let project: &'a ProjectSnapshot = project;
                return self.environment(project);
            }
        }
        String::new()
    }

    fn absent_project(&mut self) {
        match &self.effective.project {
            ProjectTarget::Id(id) => self.hold(Hold::ProjectMissing { id: id.clone() }),
            ProjectTarget::Named(name) => {
                if self.may_still_appear(LedgerKind::Project, name) {
                    self.hold(Hold::AwaitingVisibility {
                        what: format!("project {name}"),
                    });
                    return;
                }
                let name = name.clone();
                let was_there = self
                    .memory
                    .ledger
                    .iter()
                    .any(|entry| entry.kind == LedgerKind::Environment);
                let reason = if was_there {
                    PlanReason::Drifted
                } else {
                    PlanReason::Missing
                };
                self.push(Action::CreateProject { name }, reason);
                self.new_environment(None);
            }
        }
    }

    fn environment(&mut self, project: &'a ProjectSnapshot) -> String {
        let name = &self.effective.environment_name;
        match ownership(&self.effective.id, name, self.memory.ledger, project) {
            Ownership::Foreign(_, why) => {
                let why = format!(
                    "there is an environment {name} in project {} already, and {why}",
                    project.name
                );
                self.hold(Hold::Conflict { why });
            }
            Ownership::Unknown(why) => self.hold(Hold::Unobserved { why }),
            Ownership::Absent => {
                if self.may_still_appear(LedgerKind::Environment, name)
                    || self.made_a_moment_ago(LedgerKind::Environment, name)
                {
                    self.hold(Hold::AwaitingVisibility {
                        what: format!("environment {name}"),
                    });
                } else {
                    self.new_environment(Some(project));
                }
            }
            Ownership::Unmarked(environment) => {
                // The change on its way carries the mark.
                if self.memory.pending.is_none() {
                    self.push(Action::Mark, PlanReason::Missing);
                }
                return self.contents(project, environment);
            }
            Ownership::Ours(environment) => return self.contents(project, environment),
        }
        format!("{} absent", project.id)
    }

    fn new_environment(&mut self, project: Option<&'a ProjectSnapshot>) {
        if self.effective.suspend {
            return;
        }
        let was_there = self
            .memory
            .entry(LedgerKind::Environment, &self.effective.environment_name)
            .is_some_and(|entry| entry.state == LedgerState::Made);
        let reason = if was_there {
            PlanReason::Drifted
        } else {
            PlanReason::Missing
        };
        let name = self.effective.environment_name.clone();
        self.push(
            Action::CreateEnvironment {
                project: project.map(|project| project.id.clone()),
                name,
            },
            reason,
        );
        self.push(Action::Mark, reason);
        let scene = Scene {
            project,
            environment: None,
        };
        self.fresh = reason;
        self.shared_variables(scene);
        self.services(scene);
    }

    fn contents(
        &mut self,
        project: &'a ProjectSnapshot,
        environment: &'a EnvironmentSnapshot,
    ) -> String {
        let Some(config) = &environment.config else {
            self.hold(Hold::Unobserved {
                why: "the environment's configuration could not be read".to_owned(),
            });
            return String::new();
        };
        let scene = Scene {
            project: Some(project),
            environment: Some(environment),
        };
        if self.effective.suspend {
            self.suspended(environment);
        } else if self.memory.pending.is_some() {
            self.hold(Hold::ChangeApplying);
        } else {
            self.shared_variables(scene);
            self.services(scene);
            self.removed_services(environment);
            self.restarts(environment);
            self.stopped_at_once(environment);
            self.follow_rollout(environment);
        }
        format!("{} {config:?}", environment.id)
    }

    /// A call to make it was, or may have been, sent so recently that it may yet show.
    fn may_still_appear(&self, kind: LedgerKind, name: &str) -> bool {
        self.memory.entry(kind, name).is_some_and(|entry| {
            entry.state == LedgerState::Intended
                && self.now.duration_since(entry.intended_at) < self.observed.patience.lost_answer
        })
    }

    /// It was made, and our own write is too recent for a read to be believed that does not show it.
    fn made_a_moment_ago(&self, kind: LedgerKind, name: &str) -> bool {
        self.observed.in_grace && self.memory.entry(kind, name).is_some()
    }

    /// Sorts out drift, fights and waves, and seals the plan.
    fn settle(mut self, observed: &str) -> Plan {
        self.leave_drift();
        self.notice_fights();
        self.wait_for_waves();
        let desired = format!(
            "{:?} {} {:?} {:?} {:?}",
            self.effective.project,
            self.effective.environment_name,
            self.effective.services,
            self.effective.variables,
            self.effective.suspend
        );
        self.plan
            .sealed(&[self.effective.id.as_str(), &desired, observed])
    }

    fn leave_drift(&mut self) {
        let mode = self.effective.drift.mode.unwrap_or_default();
        let entries = std::mem::take(&mut self.plan.entries);
        for entry in entries {
            let ignored = self
                .effective
                .drift
                .ignore
                .iter()
                .any(|path| covers(path, &entry.action));
            match (entry.reason, mode, ignored) {
                (PlanReason::Drifted, DriftMode::Ignore, _) => {}
                (PlanReason::Drifted, DriftMode::Report, false) => self.plan.reported.push(entry),
                // A field that another party owns by declaration is left, whatever made it differ.
                (PlanReason::Drifted, _, true) => {}
                _ => self.plan.entries.push(entry),
            }
        }
    }

    fn notice_fights(&mut self) {
        if self.memory.retry {
            return;
        }
        let mut fights = Vec::new();
        self.plan.entries.retain(|entry| {
            let target = entry.action.target();
            let repairs = self.memory.repairs.get(&target).filter(|repairs| {
                entry.reason == PlanReason::Drifted
                    && repairs.count >= FIGHT_REPAIRS
                    && self.now.duration_since(repairs.since) < FIGHT_WINDOW
            });
            let Some(repairs) = repairs else { return true };
            fights.push((
                Hold::Fight {
                    target,
                    repairs: repairs.count,
                },
                entry.clone(),
            ));
            false
        });
        for (hold, entry) in fights {
            self.hold(hold);
            self.plan.reported.push(entry);
        }
    }
}

/// Whether a path of `drift.ignore` covers an action. A path covers everything below it.
fn covers(path: &str, action: &Action) -> bool {
    let target = action_path(action);
    target == path
        || target
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('.'))
}

/// An action's target as a spec path: `services.web.deploy.replicas`, `variables.LOG_LEVEL`.
fn action_path(action: &Action) -> String {
    match action {
        Action::ChangeSetting { service, field, .. } => {
            format!("services.{service}.{}", field.spec_path())
        }
        Action::SetVariable { service, name, .. } | Action::DeleteVariable { service, name } => {
            format!("services.{service}.variables.{name}")
        }
        Action::SetSharedVariable { name, .. } | Action::DeleteSharedVariable { name } => {
            format!("variables.{name}")
        }
        Action::CreateVolume { service, .. }
        | Action::ChangeVolume { service, .. }
        | Action::DeleteVolume { service, .. } => {
            format!("services.{service}.volumes")
        }
        Action::AddTcpProxy { service, .. } | Action::RemoveTcpProxy { service, .. } => {
            format!("services.{service}.tcpProxies")
        }
        Action::CreateDomain { service, .. }
        | Action::ChangeDomainPort { service, .. }
        | Action::DeleteDomain { service, .. } => format!("services.{service}.domains"),
        Action::CreateService { service, .. }
        | Action::DeleteService { service, .. }
        | Action::Deploy { service, .. }
        | Action::Stop { service, .. }
        | Action::Rollback { service, .. }
        | Action::Cancel { service, .. }
        | Action::Restart { service, .. } => format!("services.{service}"),
        Action::CreateProject { .. }
        | Action::CreateEnvironment { .. }
        | Action::Mark
        | Action::DeleteEnvironment { .. }
        | Action::Unmark { .. } => String::new(),
    }
}

//! Doing something once because somebody asked: deploying again what has not changed, restarting what runs. Pure.
//!
//! An annotation says when it was asked for, and for which services. What the status remembers as carried out is not
//! done again. A service whose newest deployment is younger than a wish for another one has it, so a visit that was cut
//! short goes on where it was; the status says when all is done, because Railway's clock may be behind ours, and then
//! every deployment would look too old for a while.

use std::collections::BTreeSet;

use jiff::Timestamp;
use kube::ResourceExt;
use mirage_railway::snapshot::InstanceSnapshot;
pub use mirage_specs::wake::{REDEPLOY, RESTART};
use mirage_specs::{Environment, EnvironmentStatus, plan::PlanReason};

use super::{
    plan::{Action, Hold, Plan},
    rollout,
};

/// What somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The annotation as it stands: what tells one request from another.
    pub token: String,
    /// When.
    pub at: Timestamp,
    /// For which services; `None` for all.
    pub services: Option<BTreeSet<String>>,
}

impl Request {
    /// Whether a service is meant.
    pub fn means(&self, service: &str) -> bool {
        self.services
            .as_ref()
            .is_none_or(|services| services.contains(service))
    }
}

/// What somebody asked for once, and was not done yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// To deploy again.
    pub redeploy: Option<Request>,
    /// To restart.
    pub restart: Option<Request>,
}

impl Requests {
    /// The requests of an object whose status is this.
    pub fn of(environment: &Environment, status: &EnvironmentStatus) -> Self {
        let annotation = |name: &str| environment.annotations().get(name).map(String::as_str);
        Self {
            redeploy: asked(annotation(REDEPLOY), status.redeployed.as_deref()),
            restart: asked(annotation(RESTART), status.restarted.as_deref()),
        }
    }

    /// Whether a deployment was asked for in an earlier visit, and does not show yet.
    fn is_in_doubt(&self, status: &EnvironmentStatus, plan: &Plan) -> bool {
        let is_of_now = |service: &str| {
            plan.entries.iter().any(|entry| {
                matches!(entry.action, Action::Deploy { .. })
                    && entry.action.service() == Some(service)
            })
        };
        self.redeploy.as_ref().is_some_and(|asked| {
            rollout::asking(status.rollout.as_ref(), asked).any(|service| !is_of_now(service))
        })
    }

    /// What is done is remembered, so that it is not done again.
    pub fn remember(&self, status: &mut EnvironmentStatus, plan: &Plan, changed: bool) {
        if let Some(asked) = &self.redeploy
            && is_redeployed(plan, changed)
            && !self.is_in_doubt(status, plan)
        {
            status.redeployed = Some(asked.token.clone());
        }
        if let Some(asked) = &self.restart
            && is_restarted(plan, changed)
        {
            status.restarted = Some(asked.token.clone());
            status.restart = None;
        }
    }
}

/// The request of an annotation: a time, and after a space the services. `None` when nobody asked, when it was done, or
/// when it is not readable.
pub fn asked(annotation: Option<&str>, done: Option<&str>) -> Option<Request> {
    let token = annotation.filter(|asked| Some(*asked) != done)?;
    let (at, names) = token
        .trim()
        .split_once(char::is_whitespace)
        .map_or((token.trim(), None), |(at, names)| (at, Some(names)));
    let services = names.map(|names| {
        names
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    });
    Some(Request {
        token: token.to_owned(),
        at: at.parse().ok()?,
        services,
    })
}

/// Whether a service's newest deployment was there before somebody asked for another one.
pub fn is_older(instance: &InstanceSnapshot, asked: Timestamp) -> bool {
    instance
        .latest_deployment
        .as_ref()
        .is_some_and(|latest| latest.created_at < asked)
}

/// Whether a plan that was carried out, or had nothing to do, leaves nothing to be deployed again.
fn is_redeployed(plan: &Plan, changed: bool) -> bool {
    is_done(plan, changed, |action| {
        matches!(action, Action::Deploy { .. })
    })
}

/// Whether it leaves nothing to be restarted.
fn is_restarted(plan: &Plan, changed: bool) -> bool {
    is_done(plan, changed, |action| {
        matches!(action, Action::Restart { .. })
    })
}

fn is_done(plan: &Plan, changed: bool, is_meant: impl Fn(&Action) -> bool) -> bool {
    let waits = plan
        .holds
        .iter()
        .any(|hold| !matches!(hold, Hold::Fight { .. }));
    let asks = plan
        .entries
        .iter()
        .any(|entry| entry.reason == PlanReason::Requested && is_meant(&entry.action));
    // Calls are made in a visit without a commit.
    let only_calls = plan.entries.iter().all(|entry| {
        matches!(
            entry.action,
            Action::Deploy { .. } | Action::Restart { .. } | Action::CreateDomain { .. }
        )
    });
    !waits && (!asks || (changed && only_calls))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_not_asked_for_again() {
        let time = "2026-11-21T12:00:00Z";
        let request = asked(Some(time), None).unwrap();
        assert_eq!(Some(request.at), time.parse().ok());
        assert!(request.means("web"));
        assert_eq!(asked(Some(time), Some(time)), None);
        assert_eq!(asked(Some("now"), None), None);
        assert_eq!(asked(None, None), None);
    }

    #[test]
    fn services_stand_behind_the_time() {
        for text in [
            "2026-11-21T12:00:00Z web,api",
            "2026-11-21T12:00:00Z  web api ",
        ] {
            let request = asked(Some(text), Some("2026-11-21T12:00:00Z")).unwrap();
            assert!(request.means("web") && request.means("api") && !request.means("db"));
        }
    }
}

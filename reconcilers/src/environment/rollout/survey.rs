//! Looking at a rollout: what became of it, and, for what failed, whether Railway still has what it would go back to.
//! Reads, and never writes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mirage_railway::snapshot::{EnvironmentSnapshot, Presence};
use mirage_specs::{
    EnvironmentStatus,
    environment::OnFailure,
    rollout::{GoodState, RolloutServiceState, RolloutStatus},
    status::Applied,
};

use super::{
    good::good,
    judge::{Scene, conclude, judge},
    way::Failed,
};
use crate::{
    accounts::Account,
    environment::{effective::Effective, observe::Observed},
};

/// What a look at a rollout is made with.
pub(in crate::environment) struct Survey<'a> {
    /// What is declared.
    pub(in crate::environment) effective: &'a Effective,
    /// Our environment.
    pub(in crate::environment) environment: &'a EnvironmentSnapshot,
    /// All that was seen.
    pub(in crate::environment) observed: &'a Observed,
    /// Whether a person asked to go on.
    pub(in crate::environment) retry: bool,
    /// When.
    pub(in crate::environment) now: Timestamp,
}

impl Survey<'_> {
    /// The rollout and what is worth going back to, after a look.
    pub(in crate::environment) async fn look(
        &self,
        status: &EnvironmentStatus,
        account: &Account,
    ) -> (Option<RolloutStatus>, BTreeMap<String, GoodState>) {
        let scene = Scene {
            effective: self.effective,
            environment: self.environment,
            is_pending: status.pending_change.is_some(),
            in_grace: self.observed.in_grace,
            patience: self.observed.patience,
            retry: self.retry,
            now: self.now,
        };
        let mut rollout = judge(status.rollout.as_ref(), scene);
        if let Some(rollout) = &mut rollout
            && self.effective.rollout.on_failure == Some(OnFailure::Rollback)
        {
            self.find_ways(rollout, status, account).await;
            conclude(rollout, scene);
        }
        let nothing = Applied::default();
        let good = good(
            &status.good,
            self.effective,
            status.applied.as_ref().unwrap_or(&nothing),
            rollout.as_ref(),
            self.environment,
        );
        (rollout, good)
    }

    async fn find_ways(
        &self,
        rollout: &mut RolloutStatus,
        status: &EnvironmentStatus,
        account: &Account,
    ) {
        for (name, service) in &mut rollout.services {
            if service.state != RolloutServiceState::Failed || service.way.is_some() {
                continue;
            }
            let (Some(instance), Some(desired), Some(config)) = (
                self.environment.instance_named(name),
                self.effective.services.get(name),
                &self.environment.config,
            ) else {
                continue;
            };
            let Some(config) = config.services.get(&instance.service_id) else {
                continue;
            };
            let failed = Failed {
                service,
                good: status.good.get(name),
                desired,
                instance,
                config,
            };
            let restorable = match failed.question() {
                None => Presence::Absent,
                Some(id) => match account.client.deployment(&id).await {
                    Ok(Some(found)) => Presence::Present(found.can_rollback),
                    Ok(None) => Presence::Absent,
                    // Asked again at the next look; nothing is concluded from an answer that did not come.
                    Err(error) => Presence::Unknown(error.to_string()),
                },
            };
            *service = failed.decided(&restorable);
        }
    }
}

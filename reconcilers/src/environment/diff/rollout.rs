//! Sequential rollouts: a service's actions wait until everything it depends on is healthy.

use std::collections::BTreeSet;

use mirage_railway::snapshot::Presence;
use mirage_specs::{environment::RolloutStrategy, plan::PlanVerb};

use super::Draft;
use crate::environment::{
    health::health,
    plan::{Action, Hold},
    rollout::has_failed,
};

/// A restart changes nothing, so it has no order.
fn waits_its_turn(action: &Action) -> bool {
    action.verb() != PlanVerb::Delete && !matches!(action, Action::Restart { .. })
}

impl Draft<'_> {
    /// Level-triggered: each visit lets through the services whose dependencies are settled and healthy, so the waves
    /// of `dependsOn` follow one another without being remembered anywhere.
    pub(super) fn wait_for_waves(&mut self) {
        // Stopping has no order: what is stopped first makes the rest unhealthy.
        if self.effective.suspend
            || self.effective.rollout.strategy != Some(RolloutStrategy::Sequential)
            || self.memory.rollout.is_some_and(has_failed)
        {
            return;
        }
        let changing: BTreeSet<String> = self
            .plan
            .entries
            .iter()
            .filter(|entry| waits_its_turn(&entry.action))
            .filter_map(|entry| entry.action.service())
            .map(str::to_owned)
            .collect();
        let mut waiting: Vec<(String, Vec<String>)> = Vec::new();
        for service in &changing {
            let Some(desired) = self.effective.services.get(service) else {
                continue;
            };
            let on: Vec<String> = desired
                .depends_on
                .iter()
                .filter(|dependency| changing.contains(*dependency) || !self.is_healthy(dependency))
                .cloned()
                .collect();
            if !on.is_empty() {
                waiting.push((service.clone(), on));
            }
        }
        for (service, on) in waiting {
            self.plan.entries.retain(|entry| {
                entry.action.service() != Some(&service) || !waits_its_turn(&entry.action)
            });
            self.hold(Hold::WaitingForDependency { service, on });
        }
    }

    fn is_healthy(&self, service: &str) -> bool {
        let Presence::Present(project) = &self.observed.project else {
            return false;
        };
        let Some(environment) = project.environment_named(&self.effective.environment_name) else {
            return false;
        };
        let has_source = self
            .effective
            .services
            .get(service)
            .is_some_and(|desired| desired.has_source());
        environment
            .instance_named(service)
            .is_some_and(|instance| health(instance, has_source).is_ready())
    }
}

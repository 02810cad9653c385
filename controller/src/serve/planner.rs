//! The API asks for plans, the controllers make them: one trait fitted to the other.

use std::collections::BTreeMap;

use async_trait::async_trait;
use mirage_api::{PlanError, PlannedChange, Planner, RunningService};
use mirage_reconcilers::PlanError as Unplanned;
use mirage_specs::{EnvironmentSpec, EnvironmentTemplateSpec, variable::ValueRef};
use serde_json::Value;

use super::late::Late;

fn made(
    planner: &Late<mirage_reconcilers::Planner>,
) -> Result<&mirage_reconcilers::Planner, PlanError> {
    planner
        .get("make the plans")
        .map_err(PlanError::Unavailable)
}

#[async_trait]
impl Planner for Late<mirage_reconcilers::Planner> {
    async fn plan(
        &self,
        environment: Value,
        previous: Option<Value>,
    ) -> Result<PlannedChange, PlanError> {
        let planned = made(self)?.plan(environment, previous).await;
        told(planned.map_err(untold)?)
    }

    async fn plan_under(
        &self,
        environment: Value,
        template: EnvironmentTemplateSpec,
    ) -> Result<PlannedChange, PlanError> {
        let previous = Some(environment.clone());
        let planned = made(self)?
            .plan_under(environment, previous, Some(template))
            .await;
        told(planned.map_err(untold)?)
    }

    async fn fingerprints(
        &self,
        namespace: &str,
        spec: &EnvironmentSpec,
    ) -> Result<BTreeMap<ValueRef, String>, PlanError> {
        let found = made(self)?.fingerprints(namespace, spec).await;
        Ok(found
            .map_err(untold)?
            .into_iter()
            .map(|(key, fingerprint)| (key, fingerprint.to_string()))
            .collect())
    }

    async fn running(&self, environment: Value) -> Result<Vec<RunningService>, PlanError> {
        let running = made(self)?.running(environment).await;
        Ok(running
            .map_err(untold)?
            .into_iter()
            .map(|service| RunningService {
                name: service.name,
                healthy: service.message.is_none(),
                message: service.message,
                deployment_id: service.deployment_id,
                image: service.image,
                repo: service.repo,
                commit: service.commit,
            })
            .collect())
    }
}

fn told(planned: mirage_reconcilers::PlannedChange) -> Result<PlannedChange, PlanError> {
    Ok(PlannedChange {
        changes: !planned.plan.actions.is_empty(),
        plan: serde_json::to_value(&planned.plan)
            .map_err(|error| PlanError::Unavailable(error.to_string()))?,
        lines: planned.lines,
        requests: planned.requests,
    })
}

/// A planner's refusal as the API's.
fn untold(error: Unplanned) -> PlanError {
    let words = in_full(&error);
    match error {
        Unplanned::NotAnEnvironment(_) | Unplanned::Inputs(_) | Unplanned::Resolve(_) => {
            PlanError::Invalid(words)
        }
        Unplanned::Account(_) | Unplanned::Railway(_) => PlanError::Unavailable(words),
    }
}

/// An error with its causes, each once.
pub(super) fn in_full(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = error.source();
    }
    words
}

//! What would happen: the way from the API to whoever can plan an environment.
//!
//! Planning needs Railway and belongs to the reconcilers. The API only declares what it needs of it, for dry runs
//! (`kubectl apply --dry-run=server` prints the plan as warnings) and for `POST /api/v1/plan`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use mirage_specs::{EnvironmentSpec, EnvironmentTemplateSpec, PlanView, variable::ValueRef};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// A plan, for people and for programs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedChange {
    /// The plan as data.
    #[schemars(with = "PlanView")]
    pub plan: Value,
    /// The plan as sentences, one per action.
    pub lines: Vec<String>,
    /// How many requests to Railway it takes.
    pub requests: u32,
    /// Whether anything would change at all.
    pub changes: bool,
}

/// Why there is no plan.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PlanError {
    /// The environment cannot be planned as it is written; the message says what to change.
    #[error("{0}")]
    Invalid(String),
    /// Railway, a secret or a template could not be read; trying again may help.
    #[error("{0}")]
    Unavailable(String),
}

/// Plans environments.
#[async_trait]
pub trait Planner: Send + Sync + 'static {
    /// What it takes to come from what Railway has to `environment`. `previous` is the object as it is stored now.
    async fn plan(
        &self,
        environment: Value,
        previous: Option<Value>,
    ) -> Result<PlannedChange, PlanError>;

    /// What it takes for a stored environment, as if `template` were the one that it refers to.
    async fn plan_under(
        &self,
        environment: Value,
        template: EnvironmentTemplateSpec,
    ) -> Result<PlannedChange, PlanError>;

    /// Keyed fingerprints of the values of Secrets that an effective spec refers to, by reference; those that are
    /// known.
    async fn fingerprints(
        &self,
        namespace: &str,
        spec: &EnvironmentSpec,
    ) -> Result<BTreeMap<ValueRef, String>, PlanError>;

    /// What the services of a stored environment run, as Railway says; asked of whoever plans, who knows Railway too.
    async fn running(&self, environment: Value) -> Result<Vec<RunningService>, PlanError> {
        let _ = environment;
        Err(PlanError::Unavailable(
            "this server does not know what runs".to_owned(),
        ))
    }
}

/// What the newest deployment of a service runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunningService {
    /// The service.
    pub name: String,
    /// Whether that deployment is healthy, and as declared.
    pub healthy: bool,
    /// Why it is not, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Railway's id of the deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    /// The image, with its digest where Railway tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The repository, `owner/name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// The commit that was built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

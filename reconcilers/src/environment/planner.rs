//! The plan of a spec that is not applied yet: what `mirage plan` and a dry run show.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use kube::{Client, ResourceExt};
use mirage_railway::{
    budget::Priority,
    client::Clock,
    id::ProjectId,
    secret::{Fingerprint, FingerprintKey, SecretValue},
    snapshot::Presence,
};
use mirage_specs::{
    Environment, EnvironmentSpec, EnvironmentTemplateSpec, PlanView, status::Applied,
    variable::ValueRef,
};
use mirage_vault::Vault;
use serde_json::Value;

use super::{
    approval::RETRY,
    copies,
    diff::Memory,
    effective::ProjectTarget,
    import, inputs,
    observe::{needed, observe},
    order,
    patience::Patience,
    request::Requests,
    resolve,
    rollout::judge::{Scene, judge},
    sources,
};
use crate::accounts::Accounts;

/// Makes plans without carrying them out.
pub struct Planner {
    pub(crate) client: Client,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) key: FingerprintKey,
    pub(crate) clock: Clock,
    pub(crate) patience: Patience,
    pub(crate) vault: Arc<dyn Vault>,
}

/// A plan that was not carried out.
#[derive(Clone, Debug)]
pub struct PlannedChange {
    /// The plan.
    pub plan: PlanView,
    /// The plan for people, a line each.
    pub lines: Vec<String>,
    /// Requests to Railway it takes.
    pub requests: u32,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The object is not an Environment.
    #[error("the object is not an Environment")]
    NotAnEnvironment(#[source] serde_json::Error),
    /// It refers to something that is not there, or makes no sense.
    #[error(transparent)]
    Inputs(#[from] inputs::InputsError),
    /// It makes no sense with its template.
    #[error(transparent)]
    Resolve(#[from] resolve::ResolveError),
    /// The credential cannot be used.
    #[error("{0}")]
    Account(String),
    /// Railway could not be read.
    #[error("Railway could not be read: {0}. {step}", step = .0.next_step())]
    Railway(#[from] mirage_railway::error::Error),
}

impl Planner {
    /// Fingerprints of the values of Secrets that a layered spec refers to, by reference; those that are there.
    ///
    /// # Errors
    /// When the API server did not answer.
    pub async fn fingerprints(
        &self,
        namespace: &str,
        spec: &EnvironmentSpec,
    ) -> Result<BTreeMap<ValueRef, Fingerprint>, PlanError> {
        let inputs = sources::values(&self.client, &*self.vault, namespace, spec).await?;
        let of = |value: SecretValue| self.key.fingerprint(value.expose());
        let known = inputs.secrets.into_iter();
        Ok(known.map(|(place, value)| (place, of(value))).collect())
    }

    /// The plan for an Environment as it would be stored; `previous` is the stored one, whose status is what is remembered.
    ///
    /// # Errors
    /// When the spec cannot be resolved or Railway cannot be read.
    pub async fn plan(
        &self,
        environment: Value,
        previous: Option<Value>,
    ) -> Result<PlannedChange, PlanError> {
        self.plan_under(environment, previous, None).await
    }

    /// As [`Planner::plan`], as if `template` were the one that the Environment refers to.
    ///
    /// # Errors
    /// When the spec cannot be resolved or Railway cannot be read.
    pub async fn plan_under(
        &self,
        environment: Value,
        previous: Option<Value>,
        template: Option<EnvironmentTemplateSpec>,
    ) -> Result<PlannedChange, PlanError> {
        let mut environment: Environment =
            serde_json::from_value(environment).map_err(PlanError::NotAnEnvironment)?;
        let previous: Option<Environment> = previous
            .map(serde_json::from_value)
            .transpose()
            .map_err(PlanError::NotAnEnvironment)?;
        environment.status = previous
            .as_ref()
            .and_then(|previous| previous.status.clone());
        if let Some(previous) = &previous {
            environment.metadata.uid = previous.metadata.uid.clone();
        }
        let namespace = environment
            .namespace()
            .unwrap_or_else(|| "default".to_owned());
        let template = match template {
            Some(template) => Some(template),
            None => inputs::template(&self.client, &namespace, &environment).await?,
        };
        let spec = resolve::layered(&environment, template.as_ref())?;
        let inputs = sources::values(&self.client, &*self.vault, &namespace, &spec).await?;
        let now: Timestamp = (self.clock)();
        let effective = resolve::resolve(&environment, &spec, &inputs, &self.key)?.at(now);
        let account = self.accounts.ready(&namespace, &effective.account).await;
        let account = account.map_err(PlanError::Account)?;
        let status = environment.status.clone().unwrap_or_default();
        let known = status
            .railway
            .as_ref()
            .and_then(|railway| railway.project_id.clone());
        let target = known.map_or_else(
            || effective.project.clone(),
            |id| ProjectTarget::Id(ProjectId::new(id)),
        );
        let mut observed = observe(
            &account.observer,
            &target,
            needed(&effective, &status.ledger),
            Priority::User,
            self.patience,
        )
        .await?;
        let sources = copies::sources(&effective, &observed, &status.ledger);
        observed.elsewhere = copies::look(&account.observer, sources, Priority::User).await?;
        let nothing = Applied::default();
        let requests = Requests::of(&environment, &status);
        let retry = environment.annotations().contains_key(RETRY);
        let rollout = match &observed.project {
            Presence::Present(project) => project
                .environment_named(&effective.environment_name)
                .and_then(|environment| {
                    let scene = Scene {
                        effective: &effective,
                        environment,
                        is_pending: status.pending_change.is_some(),
                        in_grace: observed.in_grace,
                        patience: observed.patience,
                        retry,
                        now,
                    };
                    judge(status.rollout.as_ref(), scene)
                }),
            Presence::Absent | Presence::Unknown(_) => None,
        };
        let memory = Memory {
            ledger: &status.ledger,
            applied: status.applied.as_ref().unwrap_or(&nothing),
            pending: status.pending_change.as_ref(),
            repairs: &status.repairs,
            was_suspended: status.suspended,
            retry,
            redeploy: requests.redeploy.as_ref(),
            restart: requests.restart.as_ref(),
            restarts: status.restart.as_ref(),
            rollout: rollout.as_ref(),
            good: &status.good,
        };
        let importing = import::wanted(&environment, &status.ledger);
        let plan = import::plan(importing.as_ref(), &effective, &observed, &memory, now);
        let requests = order::requests(&plan);
        let mut lines: Vec<String> = plan
            .entries
            .iter()
            .map(|entry| {
                let marker = if entry.action.destroys() {
                    " (destroys)"
                } else {
                    ""
                };
                format!("{}{marker}", entry.action)
            })
            .collect();
        lines.extend(plan.holds.iter().map(|hold| format!("waits: {hold}")));
        lines.extend(
            plan.reported
                .iter()
                .map(|entry| format!("drift, left alone: {}", entry.action)),
        );
        Ok(PlannedChange {
            plan: plan.view(requests),
            lines,
            requests,
        })
    }
}

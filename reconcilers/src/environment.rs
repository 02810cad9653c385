//! Environments: the spec becomes what Railway shows, and stays so.
//!
//! ```text
//! resolve.rs   spec + template + secrets  →  Effective           pure
//! observe.rs   railway observer           →  Observed            reads
//! diff.rs      (Effective, Observed)      →  Plan                pure, total, deterministic
//! approval.rs  Plan                       →  Gate                pure
//! apply.rs     Plan, one step at a time   →  Outcome             the only writer
//! status.rs    all of these               →  Status              pure
//! ```
//!
//! What is about to be made is written into the status first ([`journal`], [`ledger`]), so a process killed between any
//! two lines finds out afterwards what happened. Teardown is the same way with another decision ([`teardown`]).

pub mod action;
pub mod applied;
pub mod apply;
pub mod approval;
pub mod attempt;
pub mod commit;
pub mod condition;
pub mod copies;
pub mod diff;
pub mod effective;
pub mod farewell;
pub mod field;
pub mod finding;
pub mod follow;
pub mod health;
pub mod hold;
pub mod identity;
pub mod import;
pub mod inputs;
pub mod journal;
pub mod ledger;
pub mod normalize;
pub mod observe;
pub mod order;
pub mod patience;
pub mod pause;
pub mod pending;
pub mod plan;
pub mod planner;
pub mod references;
pub mod refusal;
pub mod request;
pub mod resolve;
pub mod restarts;
pub mod rival;
pub mod rollout;
pub mod running;
pub mod sources;
pub mod status;
pub mod teardown;
pub mod uses;
pub mod visit;
pub mod wake;

use std::{sync::Arc, time::Duration};

use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams},
    runtime::{controller::Action, events::EventType},
};
use mirage_specs::{
    Environment,
    copy::{READY_BY, ROLLED_BACK, TakenBack},
};
use serde_json::json;

use crate::{context::Context, reason::Reason};
use attempt::Attempt;

/// The finalizer that keeps an Environment until nothing of it is left on Railway.
pub const FINALIZER: &str = "mirage.dev/railway";

/// A reconcile that could not even be told about in the object's status.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The API server did not answer; the whole visit is repeated.
    #[error("the API server could not be reached")]
    Api(#[from] kube::Error),
    /// An input could not be read.
    #[error(transparent)]
    Inputs(#[from] inputs::InputsError),
    /// A secret would have been used without a trace.
    #[error(transparent)]
    Unrecorded(#[from] uses::UseError),
}

/// One visit to one Environment.
///
/// # Errors
/// When the API server does not answer. Everything else ends up in the object's status.
#[tracing::instrument(
    name = "reconcile",
    skip_all,
    fields(kind = "Environment", namespace = seen.namespace(), name = %seen.name_any(), mirage.id = seen.uid(),
           generation = seen.metadata.generation, actions, outcome)
)]
pub async fn reconcile(
    seen: Arc<Environment>,
    ctx: Arc<Context>,
) -> Result<Action, ReconcileError> {
    let namespace = seen.namespace().unwrap_or_else(|| "default".to_owned());
    let api = ctx.api(&namespace);
    // The watch may lag behind our own last write, and an old ledger makes things twice.
    let Some(environment) = api.get_opt(&seen.name_any()).await? else {
        return Ok(Action::await_change());
    };
    let environment = Arc::new(environment);
    ctx.metrics.in_flight.inc();
    let done = route(&environment, &namespace, &ctx).await;
    ctx.metrics.in_flight.dec();
    let (outcome, action) = match done {
        Ok(done) => done,
        Err(error) => {
            ctx.metrics.reconciled("Environment", "error");
            return Err(error);
        }
    };
    tracing::Span::current().record("outcome", outcome);
    ctx.metrics.reconciled("Environment", outcome);
    Ok(action)
}

async fn route(
    environment: &Arc<Environment>,
    namespace: &str,
    ctx: &Arc<Context>,
) -> Result<(&'static str, Action), ReconcileError> {
    let api = ctx.api(namespace);
    let is_ours = environment
        .finalizers()
        .iter()
        .any(|finalizer| finalizer == FINALIZER);
    match (environment.metadata.deletion_timestamp.is_some(), is_ours) {
        (true, false) => {
            ctx.uses.forget(&environment.uid().unwrap_or_default());
            Ok(("gone", Action::await_change()))
        }
        (true, true) => farewell::visit(environment, namespace, ctx).await,
        (false, false) => {
            // Before anything exists on Railway that would need it. The write wakes the next visit.
            let patch = json!({"metadata": {
                "finalizers": environment.finalizers().iter().map(String::as_str).chain([FINALIZER]).collect::<Vec<_>>(),
                "resourceVersion": environment.resource_version(),
            }});
            api.patch(
                &environment.name_any(),
                &PatchParams::default(),
                &Patch::Merge(patch),
            )
            .await?;
            Ok(("adopted", Action::requeue(Duration::ZERO)))
        }
        (false, true) if has_expired(environment, ctx) => {
            let note =
                "its time is over; it is torn down, as spec.ttl or spec.expiresAt says".to_owned();
            ctx.tell(
                environment.as_ref(),
                EventType::Normal,
                Reason::Expired.into(),
                note,
            )
            .await;
            api.delete(&environment.name_any(), &DeleteParams::background())
                .await?;
            Ok(("expired", Action::await_change()))
        }
        (false, true) => {
            let attempt = attempt::attempt(environment, ctx.now());
            if let Attempt::Failed(why) = &attempt {
                return take_back(environment, &api, why, ctx).await;
            }
            if attempt == Attempt::Succeeded {
                settle_attempt(environment, &api, ctx).await?;
            }
            let (outcome, again) = visit::visit(environment, namespace, ctx).await?;
            let again = match attempt {
                Attempt::Open(at_most) => again.min(at_most),
                _ => again,
            };
            Ok((outcome, Action::requeue(again)))
        }
    }
}

/// Tears a copy down that failed. Why stands on the object first: it makes the teardown complete, and says to whoever
/// looks what became of it.
async fn take_back(
    environment: &Environment,
    api: &Api<Environment>,
    why: &str,
    ctx: &Context,
) -> Result<(&'static str, Action), ReconcileError> {
    let name = environment.name_any();
    if !attempt::is_taken_back(environment) {
        let taken = TakenBack {
            environment_id: environment.uid().unwrap_or_default(),
            why: why.to_owned(),
        };
        let patch = json!({"metadata": {"annotations": {ROLLED_BACK: taken.written()}}});
        api.patch(&name, &PatchParams::default(), &Patch::Merge(patch))
            .await?;
        let note = format!("the copy failed and is taken back: {why}");
        ctx.tell(
            environment,
            EventType::Warning,
            Reason::CopyTakenBack.into(),
            note,
        )
        .await;
    }
    api.delete(&name, &DeleteParams::background()).await?;
    Ok(("taken_back", Action::await_change()))
}

/// A copy that has been ready once is an environment like any other.
async fn settle_attempt(
    environment: &Environment,
    api: &Api<Environment>,
    ctx: &Context,
) -> Result<(), ReconcileError> {
    let patch = json!({"metadata": {"annotations": {READY_BY: null}}});
    api.patch(
        &environment.name_any(),
        &PatchParams::default(),
        &Patch::Merge(patch),
    )
    .await?;
    ctx.tell(
        environment,
        EventType::Normal,
        Reason::CopyReady.into(),
        "the copy is ready, and from now on an environment of its own".to_owned(),
    )
    .await;
    Ok(())
}

/// Expiry as the last visit resolved it, or as the spec itself says: a template's ttl counts too.
fn has_expired(environment: &Environment, ctx: &Context) -> bool {
    let recorded = environment
        .status
        .as_ref()
        .filter(|status| status.observed_generation == environment.metadata.generation);
    let recorded = recorded.and_then(|status| status.expires_at);
    let declared = resolve::expires_at(environment, &environment.spec);
    declared.or(recorded).is_some_and(|at| at <= ctx.now())
}

/// What happens after a visit that could not be finished: again, each time later.
pub fn on_error(_: Arc<Environment>, error: &ReconcileError, ctx: Arc<Context>) -> Action {
    tracing::warn!(%error, "a reconcile could not be finished and is repeated");
    Action::requeue(ctx.intervals.active)
}

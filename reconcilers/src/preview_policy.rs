//! Preview policies: every open pull request has an environment, and every other has none.
//!
//! ```text
//! inputs.rs   Secret, template, environment        →  Access, Shape        reads
//! observe.rs  GitHub                               →  pull requests        reads
//! life.rs     memory + pull request + commands     →  memory               pure
//! resolve.rs  policy + shape + pull request        →  EnvironmentSpec      pure
//! diff.rs     memory, pull requests, Environments  →  Plan                 pure, total, deterministic
//! apply.rs    Plan                                 →  Environments         the only writer of them
//! report.rs   what came of it                      →  GitHub               the only writer there
//! status.rs   all of these                         →  Status               pure
//! ```
//!
//! What is to be done follows from the list of open pull requests and from the Environments that there are. Webhooks only
//! make the look come sooner, so one that is lost, late or repeated changes nothing about the end. The Environments are
//! ordinary ones: their own reconcile does the rest.

pub mod apply;
pub mod calm;
pub mod child;
pub mod command;
pub mod diff;
mod farewell;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod focus;
pub mod inputs;
mod journal;
pub mod life;
pub mod name;
pub mod observe;
pub mod pattern;
pub mod queue;
pub mod recent;
pub mod refusal;
pub mod report;
pub mod resolve;
pub mod selection;
pub mod shape;
pub mod status;
pub mod survey;
pub mod values;
mod visit;
pub mod wake;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
    runtime::controller::Action,
};
use mirage_github::GitHub;
use mirage_specs::PreviewPolicy;
use serde_json::json;
use url::Url;

use crate::context::Context;
use recent::Recent;

/// The finalizer that keeps a policy until its environments are gone and GitHub was told.
pub const FINALIZER: &str = "mirage.dev/previews";

/// What the policies' controller keeps between visits.
pub struct Previews {
    /// Shared with the other controllers.
    pub context: Arc<Context>,
    /// The way to GitHub.
    pub github: Arc<dyn GitHub>,
    /// Where people reach this Mirage, for links in comments.
    pub public_url: Option<Url>,
    /// What is remembered of each policy, by uid. Held by one visit at a time: a policy is visited by one.
    recent: Mutex<BTreeMap<String, Recent>>,
}

impl Previews {
    /// Nothing is remembered yet.
    pub fn new(context: Arc<Context>, github: Arc<dyn GitHub>, public_url: Option<Url>) -> Self {
        Self {
            context,
            github,
            public_url,
            recent: Mutex::default(),
        }
    }

    fn take(&self, uid: &str) -> Recent {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.remove(uid).unwrap_or_default()
    }

    fn keep(&self, uid: &str, memory: Recent) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.insert(uid.to_owned(), memory);
    }

    fn forget(&self, uid: &str) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.remove(uid);
    }

    /// The address of an environment in the dashboard.
    fn dashboard(&self, namespace: &str, name: &str) -> Option<String> {
        let base = self.public_url.as_ref()?.as_str().trim_end_matches('/');
        Some(format!("{base}/environments/{namespace}/{name}"))
    }
}

/// A visit that could not be finished.
#[derive(Debug, thiserror::Error)]
#[error("the API server could not be reached")]
pub struct PreviewError(#[from] kube::Error);

/// One visit to one policy.
///
/// # Errors
/// When the API server does not answer. What GitHub says ends up in the object's status.
#[tracing::instrument(
    name = "reconcile", skip_all,
    fields(kind = "PreviewPolicy", namespace = seen.namespace(), name = %seen.name_any(), mirage.id = seen.uid(),
           generation = seen.metadata.generation, outcome)
)]
pub async fn reconcile(
    seen: Arc<PreviewPolicy>,
    previews: Arc<Previews>,
) -> Result<Action, PreviewError> {
    let ctx = &previews.context;
    let namespace = seen.namespace().unwrap_or_else(|| "default".to_owned());
    let api: Api<PreviewPolicy> = Api::namespaced(ctx.client.clone(), &namespace);
    // The watch may lag behind our own last write, and an old memory hears commands twice.
    let Some(policy) = api.get_opt(&seen.name_any()).await? else {
        previews.forget(&seen.uid().unwrap_or_default());
        ctx.metrics.forget_previews(&namespace, &seen.name_any());
        return Ok(Action::await_change());
    };
    let policy = Arc::new(policy);
    let uid = policy.uid().unwrap_or_default();
    let mut recent = previews.take(&uid);
    let done = route(&policy, &namespace, &previews, &mut recent).await;
    previews.keep(&uid, recent);
    let (outcome, action) = match done {
        Ok(done) => done,
        Err(error) => {
            ctx.metrics.reconciled("PreviewPolicy", "error");
            return Err(error);
        }
    };
    tracing::Span::current().record("outcome", outcome);
    ctx.metrics.reconciled("PreviewPolicy", outcome);
    Ok(action)
}

async fn route(
    policy: &Arc<PreviewPolicy>,
    namespace: &str,
    previews: &Previews,
    recent: &mut Recent,
) -> Result<(&'static str, Action), PreviewError> {
    let is_ours = policy
        .finalizers()
        .iter()
        .any(|finalizer| finalizer == FINALIZER);
    match (policy.metadata.deletion_timestamp.is_some(), is_ours) {
        (true, false) => Ok(("gone", Action::await_change())),
        (true, true) => farewell::visit(policy, namespace, previews, recent).await,
        (false, false) => {
            let api: Api<PreviewPolicy> =
                Api::namespaced(previews.context.client.clone(), namespace);
            let patch = json!({"metadata": {
                "finalizers": policy.finalizers().iter().map(String::as_str).chain([FINALIZER]).collect::<Vec<_>>(),
                "resourceVersion": policy.resource_version(),
            }});
            api.patch(
                &policy.name_any(),
                &PatchParams::default(),
                &Patch::Merge(patch),
            )
            .await?;
            Ok(("adopted", Action::requeue(Duration::ZERO)))
        }
        (false, true) => visit::visit(policy, namespace, previews, recent).await,
    }
}

/// What happens after a visit that could not be finished.
pub fn on_error(_: Arc<PreviewPolicy>, error: &PreviewError, previews: Arc<Previews>) -> Action {
    tracing::warn!(%error, "a reconcile could not be finished and is repeated");
    Action::requeue(previews.context.intervals.active)
}

//! What reconciling counts, for `/metrics`.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use strum::IntoEnumIterator as _;

use mirage_specs::preview_policy::{PreviewState, PreviewStatus};

use crate::git_sync;

/// A reconcile's kind and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReconcileLabels {
    /// Kind of the object.
    pub kind: &'static str,
    /// `synced`, `changed`, `held`, `waiting`, `failed`, `torn_down`.
    pub outcome: &'static str,
}

/// A preview policy's pull requests in one state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PreviewLabels {
    /// Namespace of the policy.
    pub namespace: String,
    /// Name of the policy.
    pub policy: String,
    /// Their state.
    pub state: String,
}

/// What was done to an environment of a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PreviewActionLabels {
    /// `created`, `moved`, `removed`.
    pub action: &'static str,
}

/// Something said on GitHub, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PreviewReportLabels {
    /// `comment`, `deployment`, `deployment_status`, `commit_status`.
    pub what: &'static str,
    /// `ok`, or the class of the error.
    pub outcome: &'static str,
}

/// A command in a comment, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PreviewCommandLabels {
    /// Its word; `unknown` for none.
    pub command: &'static str,
    /// `obeyed`, or `refused` for want of rights.
    pub outcome: &'static str,
}

/// Counters of the reconcilers. Cheap to clone; all clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Reconciles by kind and outcome.
    pub reconciles: Family<ReconcileLabels, Counter>,
    /// Reconciles at work right now.
    pub in_flight: Gauge,
    /// Actions per plan that was carried out.
    pub plan_actions: Histogram,
    /// Differences nobody asked for, when first seen.
    pub drift_found: Counter,
    /// Of those, the ones repaired.
    pub drift_repaired: Counter,
    /// Pull requests by policy and state.
    pub previews: Family<PreviewLabels, Gauge>,
    /// Environments of pull requests made, moved and removed.
    pub preview_actions: Family<PreviewActionLabels, Counter>,
    /// Writes to GitHub.
    pub preview_reports: Family<PreviewReportLabels, Counter>,
    /// Commands in comments.
    pub preview_commands: Family<PreviewCommandLabels, Counter>,
    /// What syncing from Git counts.
    pub git_sync: git_sync::metrics::Metrics,
}

impl Metrics {
    /// Registers everything under the prefix `mirage`.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            reconciles: Family::default(),
            in_flight: Gauge::default(),
            plan_actions: Histogram::new([1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0]),
            drift_found: Counter::default(),
            drift_repaired: Counter::default(),
            previews: Family::default(),
            preview_actions: Family::default(),
            preview_reports: Family::default(),
            preview_commands: Family::default(),
            git_sync: git_sync::metrics::Metrics::new(registry),
        };
        registry.register(
            "mirage_reconciles",
            "Reconciles by kind and outcome",
            metrics.reconciles.clone(),
        );
        registry.register(
            "mirage_reconciles_in_flight",
            "Reconciles at work right now",
            metrics.in_flight.clone(),
        );
        registry.register(
            "mirage_plan_actions",
            "Actions per plan carried out",
            metrics.plan_actions.clone(),
        );
        registry.register(
            "mirage_drift_found",
            "Differences nobody asked for",
            metrics.drift_found.clone(),
        );
        registry.register(
            "mirage_drift_repaired",
            "Differences repaired",
            metrics.drift_repaired.clone(),
        );
        registry.register(
            "mirage_previews",
            "Pull requests by policy and state",
            metrics.previews.clone(),
        );
        registry.register(
            "mirage_preview_actions",
            "Environments of pull requests made, moved and removed",
            metrics.preview_actions.clone(),
        );
        registry.register(
            "mirage_preview_reports",
            "Writes to GitHub about previews, by outcome",
            metrics.preview_reports.clone(),
        );
        registry.register(
            "mirage_preview_commands",
            "Commands in comments on pull requests, by outcome",
            metrics.preview_commands.clone(),
        );
        metrics
    }

    /// The states of a policy's pull requests. States without any show as 0, so that graphs come down again.
    pub(crate) fn previews(&self, namespace: &str, policy: &str, previews: &[PreviewStatus]) {
        for state in PreviewState::iter() {
            let count = previews
                .iter()
                .filter(|preview| preview.state == state)
                .count();
            self.previews
                .get_or_create(&labels(namespace, policy, state))
                .set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// A policy is gone.
    pub(crate) fn forget_previews(&self, namespace: &str, policy: &str) {
        for state in PreviewState::iter() {
            self.previews.remove(&labels(namespace, policy, state));
        }
    }

    pub(crate) fn preview_action(&self, action: &'static str) {
        self.preview_actions
            .get_or_create(&PreviewActionLabels { action })
            .inc();
    }

    pub(crate) fn reported(&self, what: &'static str, outcome: &'static str) {
        self.preview_reports
            .get_or_create(&PreviewReportLabels { what, outcome })
            .inc();
    }

    pub(crate) fn command(&self, command: &'static str, outcome: &'static str) {
        self.preview_commands
            .get_or_create(&PreviewCommandLabels { command, outcome })
            .inc();
    }

    pub(crate) fn reconciled(&self, kind: &'static str, outcome: &'static str) {
        self.reconciles
            .get_or_create(&ReconcileLabels { kind, outcome })
            .inc();
    }
}

fn labels(namespace: &str, policy: &str, state: PreviewState) -> PreviewLabels {
    PreviewLabels {
        namespace: namespace.to_owned(),
        policy: policy.to_owned(),
        state: state.to_string(),
    }
}

//! What reconciling counts, for `/metrics`.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// A reconcile's kind and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReconcileLabels {
    /// Kind of the object.
    pub kind: &'static str,
    /// `synced`, `changed`, `held`, `waiting`, `failed`, `torn_down`.
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
        metrics
    }

    pub(crate) fn reconciled(&self, kind: &'static str, outcome: &'static str) {
        self.reconciles
            .get_or_create(&ReconcileLabels { kind, outcome })
            .inc();
    }
}

//! What syncing counts, for `/metrics`.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

/// What came of asking a repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FetchLabels {
    /// `ok`, or the reason of the condition `Fetched`.
    pub outcome: &'static str,
}

/// What was done to objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ChangeLabels {
    /// `created`, `updated`, `reverted`, `adopted`, `pruned`.
    pub change: &'static str,
}

/// Counters of GitSyncs. Cheap to clone; all clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Times a repository was asked, by what came of it.
    pub fetches: Family<FetchLabels, Counter>,
    /// How long that took, in seconds.
    pub fetch_seconds: Histogram,
    /// Objects changed, by what was done.
    pub changes: Family<ChangeLabels, Counter>,
    /// Objects whose file was faulty or that could not be applied, once for each visit.
    pub failures: Counter,
}

impl Metrics {
    /// Registers everything.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            fetches: Family::default(),
            fetch_seconds: Histogram::new([
                0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0,
            ]),
            changes: Family::default(),
            failures: Counter::default(),
        };
        registry.register(
            "mirage_gitsync_fetches",
            "Times a repository was asked, by outcome",
            metrics.fetches.clone(),
        );
        registry.register(
            "mirage_gitsync_fetch_seconds",
            "How long asking a repository took",
            metrics.fetch_seconds.clone(),
        );
        registry.register(
            "mirage_gitsync_changes",
            "Objects changed because of Git, by what was done",
            metrics.changes.clone(),
        );
        registry.register(
            "mirage_gitsync_failures",
            "Objects that could not be applied, once for each visit",
            metrics.failures.clone(),
        );
        metrics
    }
}

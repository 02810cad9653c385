//! What Railway was asked and what is left to ask, read off the budgets whenever Prometheus asks.

use std::{collections::BTreeMap, fmt, sync::Arc};

use mirage_railway::budget::{BudgetSnapshot, Priority};
use mirage_reconcilers::accounts::Accounts;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

/// Reads every credential's budget.
pub(super) struct RailwayMetrics(pub(super) Arc<Accounts>);

impl fmt::Debug for RailwayMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RailwayMetrics").finish_non_exhaustive()
    }
}

impl Collector for RailwayMetrics {
    fn encode(&self, encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let budgets: Vec<(String, BudgetSnapshot)> = self
            .0
            .all_ready()
            .into_iter()
            .map(|(account, at)| (account, at.client.budget().snapshot()))
            .collect();
        write(encoder, &budgets)
    }
}

fn write(
    mut encoder: DescriptorEncoder,
    budgets: &[(String, BudgetSnapshot)],
) -> Result<(), fmt::Error> {
    let mut requests = encoder.encode_descriptor(
        "mirage_railway_requests",
        "Requests to Railway, by credential, operation, for whom, and what became of them",
        None,
        MetricType::Counter,
    )?;
    for (account, budget) in budgets {
        // Retries and clones count together, so that no line comes twice.
        let mut counted: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
        for spent in &budget.spent {
            let key = (spent.operation, priority(spent.priority), spent.outcome);
            *counted.entry(key).or_default() += spent.requests;
        }
        for ((operation, priority, class), number) in counted {
            let labels = [
                ("account", account.as_str()),
                ("operation", operation),
                ("priority", priority),
                ("class", class),
            ];
            ConstCounter::new(number).encode(requests.encode_family(&labels)?)?;
        }
    }
    let mut gauge = |name: &str, help: &str, read: fn(&BudgetSnapshot) -> u64| {
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (account, budget) in budgets {
            let value = i64::try_from(read(budget)).unwrap_or(i64::MAX);
            let labels = [("account", account.as_str())];
            ConstGauge::new(value).encode(metric.encode_family(&labels)?)?;
        }
        Ok::<(), fmt::Error>(())
    };
    gauge(
        "mirage_railway_budget_limit",
        "Requests that Railway allows in its hour, by credential",
        |budget| budget.limit,
    )?;
    gauge(
        "mirage_railway_budget_left",
        "Requests left of those, by credential",
        |budget| budget.left,
    )?;
    gauge(
        "mirage_railway_requests_waiting",
        "Requests that wait for their turn",
        |budget| budget.waiting as u64,
    )?;
    gauge(
        "mirage_railway_creations_waiting",
        "Creations that wait for Railway's pace",
        |budget| budget.waiting_creations as u64,
    )
}

fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::User => "user",
        Priority::Convergence => "convergence",
        Priority::Observation => "observation",
    }
}

#[cfg(test)]
mod tests {
    use mirage_railway::budget::Spent;
    use prometheus_client::registry::Registry;

    use super::*;

    #[derive(Debug)]
    struct Fixed;

    impl Collector for Fixed {
        fn encode(&self, encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
            let spent = |operation, outcome, requests| Spent {
                operation,
                priority: Priority::Convergence,
                outcome,
                requests,
            };
            let budget = BudgetSnapshot {
                limit: 1000,
                left: 871,
                resets_in: None,
                paused_for: None,
                waiting: 2,
                waiting_creations: 1,
                spent: vec![
                    spent("ReadProjects", "ok", 3),
                    spent("ApplyChangeSet", "Ambiguous", 1),
                ],
            };
            write(encoder, &[("default/default".to_owned(), budget)])
        }
    }

    #[test]
    fn requests_are_counted_by_operation_and_class() {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Fixed));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        insta::assert_snapshot!(text);
    }
}

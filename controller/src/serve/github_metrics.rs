//! What was asked of GitHub, for `/metrics`.

use std::sync::Arc;

use mirage_github::{Connections, Traffic};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

/// Collects the traffic of all credentials together.
#[derive(Debug)]
pub(super) struct GitHubMetrics(pub(super) Arc<Connections>);

impl Collector for GitHubMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let all = self.0.traffic();
        let sum = |of: fn(&Traffic) -> u64| all.iter().map(of).sum::<u64>();
        for (name, help, count) in [
            (
                "requests",
                "Requests to GitHub",
                sum(|traffic| traffic.requests),
            ),
            (
                "requests_conditional",
                "Of those, the ones that GitHub could answer with \"as before\"",
                sum(|traffic| traffic.conditional),
            ),
            (
                "requests_not_modified",
                "Of those, the ones that it answered so: they count against no limit",
                sum(|traffic| traffic.not_modified),
            ),
            (
                "requests_rate_limited",
                "Requests that GitHub refused for their number",
                sum(|traffic| traffic.rate_limited),
            ),
            (
                "requests_unanswered",
                "Requests without an answer, or with a server's failure",
                sum(|traffic| traffic.unanswered),
            ),
        ] {
            let counter = ConstCounter::new(count);
            let name = format!("mirage_github_{name}");
            counter.encode(encoder.encode_descriptor(
                &name,
                help,
                None,
                counter.metric_type(),
            )?)?;
        }
        let least = all
            .iter()
            .filter_map(|traffic| traffic.rate_limit)
            .map(|limit| limit.remaining)
            .min();
        if let Some(least) = least {
            let gauge = ConstGauge::new(i64::try_from(least).unwrap_or(i64::MAX));
            let help = "Requests left of the hour's, of the credential that has the least";
            let name = "mirage_github_budget_left";
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

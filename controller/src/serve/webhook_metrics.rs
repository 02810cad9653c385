//! What became of webhooks, read off the API whenever Prometheus asks.

use std::fmt;

use mirage_api::{Api, WebhookCount};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter},
};

/// Reads the API's counts.
pub(super) struct WebhookMetrics(pub(super) Api);

impl fmt::Debug for WebhookMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookMetrics").finish_non_exhaustive()
    }
}

impl Collector for WebhookMetrics {
    fn encode(&self, encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let (counts, writes) = self.0.webhook_counts();
        write(encoder, &counts, writes)
    }
}

fn write(
    mut encoder: DescriptorEncoder,
    counts: &[WebhookCount],
    writes: u64,
) -> Result<(), fmt::Error> {
    let mut webhooks = encoder.encode_descriptor(
        "mirage_webhooks",
        "Webhooks, by where they come from and what became of them",
        None,
        MetricType::Counter,
    )?;
    for count in counts {
        let labels = [("source", count.source), ("outcome", count.outcome.into())];
        ConstCounter::new(count.count).encode(webhooks.encode_family(&labels)?)?;
    }
    let written = encoder.encode_descriptor(
        "mirage_webhook_writes",
        "Writes that webhooks led to",
        None,
        MetricType::Counter,
    )?;
    ConstCounter::new(writes).encode(written)
}

#[cfg(test)]
mod tests {
    use mirage_api::WebhookOutcome;
    use prometheus_client::registry::Registry;

    use super::*;

    #[derive(Debug)]
    struct Fixed;

    impl Collector for Fixed {
        fn encode(&self, encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
            let count = |outcome, count| WebhookCount {
                source: "github",
                outcome,
                count,
            };
            let counts = [
                count(WebhookOutcome::Woke, 3),
                count(WebhookOutcome::Refused, 1),
            ];
            write(encoder, &counts, 2)
        }
    }

    #[test]
    fn webhooks_are_counted_by_outcome() {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Fixed));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for line in [
            "mirage_webhooks_total{source=\"github\",outcome=\"woke\"} 3",
            "mirage_webhooks_total{source=\"github\",outcome=\"refused\"} 1",
            "mirage_webhook_writes_total 2",
        ] {
            assert!(text.lines().any(|other| other == line), "{text}");
        }
    }
}

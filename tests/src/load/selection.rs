//! What a watch selects, as Kubernetes writes it and as a question about labels.

use std::collections::BTreeSet;

/// Values of the label `shard`.
pub(super) const SHARDS: u32 = 10;

/// The labels of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Labels {
    /// `shard`
    pub(super) shard: u32,
    /// Whether there is a label `hot`.
    pub(super) is_hot: bool,
}

/// A label selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    /// The shards that it selects, and whether it says so by naming those that it does not.
    shards: Option<(BTreeSet<u32>, bool)>,
    /// `hot` or `!hot`.
    hot: Option<bool>,
}

impl Selection {
    /// So many, each another one; the first selects everything.
    pub(super) fn different(count: usize) -> Vec<Self> {
        let shards = (0..SHARDS).flat_map(|size| {
            (0..SHARDS).flat_map(move |first| {
                let named: BTreeSet<u32> = (first..=first + size).map(|it| it % SHARDS).collect();
                [false, true].map(|is_negated| Some((named.clone(), is_negated)))
            })
        });
        let mut all = Vec::new();
        for shards in std::iter::once(None).chain(shards) {
            for hot in [None, Some(true), Some(false)] {
                let selection = Self {
                    shards: shards.clone(),
                    hot,
                };
                // Selecting nothing would mean waiting for ever.
                let selects_some = selection
                    .shards
                    .as_ref()
                    .is_none_or(|(named, _)| named.len() < SHARDS as usize);
                if selects_some && !all.contains(&selection) {
                    all.push(selection);
                }
                if all.len() == count {
                    return all;
                }
            }
        }
        all
    }

    /// As the query writes it, percent-encoded.
    pub(super) fn query(&self) -> String {
        let mut clauses = Vec::new();
        if let Some((named, is_negated)) = &self.shards {
            let named: Vec<String> = named.iter().map(u32::to_string).collect();
            let operator = if *is_negated { "notin" } else { "in" };
            clauses.push(format!("shard%20{operator}%20({})", named.join("%2C")));
        }
        clauses.extend(
            self.hot
                .map(|is_hot| if is_hot { "hot" } else { "%21hot" }.to_owned()),
        );
        clauses.join("%2C")
    }

    /// Whether it selects an object with these labels.
    pub(super) fn has(&self, labels: &Labels) -> bool {
        let in_shard = self
            .shards
            .as_ref()
            .is_none_or(|(named, is_negated)| named.contains(&labels.shard) != *is_negated);
        in_shard && self.hot.is_none_or(|is_hot| is_hot == labels.is_hot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_selections_are_a_hundred_different_ones() {
        let all = Selection::different(100);
        let queries: BTreeSet<String> = all.iter().map(Selection::query).collect();
        assert_eq!(queries.len(), 100);
        assert!(queries.contains("") && queries.contains("shard%20notin%20(3)%2C%21hot"));
        let labels = Labels {
            shard: 3,
            is_hot: false,
        };
        assert!(all.iter().any(|one| one.has(&labels)) && !all.iter().all(|one| one.has(&labels)));
    }
}

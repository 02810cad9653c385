//! One measurement of both.

use std::fmt;

/// A number of Mirage's and etcd's, and how they compare.
#[derive(Clone, Debug)]
pub struct Row {
    what: String,
    unit: &'static str,
    mirage: f64,
    etcd: Option<f64>,
}

impl Row {
    pub(super) fn new(
        what: impl Into<String>,
        unit: &'static str,
        mirage: f64,
        etcd: Option<f64>,
    ) -> Self {
        Self {
            what: what.into(),
            unit,
            mirage,
            etcd,
        }
    }

    /// The words above the columns.
    pub fn heading() -> String {
        format!(
            "{:<58} {:>10} {:>10} {:<4} {:>12}",
            "", "Mirage", "etcd", "", "Mirage/etcd"
        )
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: f64| match number {
            large if large >= 100.0 => format!("{large:.0}"),
            small => format!("{small:.2}"),
        };
        let (etcd, ratio) = self.etcd.map_or_else(
            || ("-".to_owned(), "-".to_owned()),
            |etcd| (number(etcd), format!("{:.2}", self.mirage / etcd)),
        );
        write!(
            f,
            "{:<58} {:>10} {:>10} {:<4} {:>12}",
            self.what,
            number(self.mirage),
            etcd,
            self.unit,
            ratio
        )
    }
}

/// Of sorted numbers.
pub(super) fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

/// As a number to calculate with; no count here comes near to where it would lose its last digit.
pub(super) fn count(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

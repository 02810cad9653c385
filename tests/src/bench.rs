//! What Mirage costs, counted by the simulated Railway and the fake GitHub.

#[cfg(feature = "etcd-bench")]
pub mod beside_etcd;
mod clones;
mod convergence;
mod latency;
mod previews;
mod provision;
mod sweep;

use std::fmt;

/// A measured number and the bound it keeps.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// The number.
    pub measured: f64,
    /// The most it may be.
    pub bound: f64,
    /// Of what.
    pub unit: &'static str,
}

impl Row {
    fn new(what: impl Into<String>, measured: f64, bound: f64, unit: &'static str) -> Self {
        Self {
            what: what.into(),
            measured,
            bound,
            unit,
        }
    }

    /// Whether the bound is kept.
    pub fn is_ok(&self) -> bool {
        self.measured <= self.bound
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_ok() { "ok" } else { "OVER" };
        let digits = if self.measured.fract() == 0.0 { 0 } else { 2 };
        write!(
            f,
            "{:<78} {:>9.digits$} {:<9} ≤ {:<6} {verdict}",
            self.what, self.measured, self.unit, self.bound
        )
    }
}

/// Everything that is counted, in requests: the same on every machine.
///
/// # Errors
/// When something did not come to an end.
pub fn counts() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    paused(provision::rows(&mut rows))?;
    paused(clones::rows(&mut rows))?;
    paused(sweep::rows(&mut rows))?;
    Ok(rows)
}

/// What previews cost, in requests to GitHub and in time by the clocks of the simulated world: the same on every machine.
///
/// # Errors
/// When something did not come to an end.
pub fn previews() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    paused(previews::rows(&mut rows))?;
    Ok(rows)
}

/// So many specs at once, against what Railway's throttle alone takes.
///
/// # Errors
/// When they do not all come to be.
pub fn many_at_once(specs: u32) -> anyhow::Result<Row> {
    paused(convergence::ratio(specs))
}

/// How fast an idle system acts, in real time.
///
/// # Errors
/// When it does not act at all.
pub fn latency(samples: usize) -> anyhow::Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    runtime.block_on(latency::rows(samples))
}

fn paused<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    runtime.block_on(work)
}

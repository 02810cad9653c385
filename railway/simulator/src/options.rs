//! What a simulator is started with.

use std::fmt;
use std::path::PathBuf;

use crate::limits::Plan;
use crate::quirk::Quirks;
use crate::timing::Timing;
use crate::{ACCOUNT_TOKEN, WORKSPACE_TOKEN};

/// Another workspace beside the first.
#[derive(Clone)]
pub struct WorkspaceSeed {
    /// Its name.
    pub name: String,
    /// A token for it.
    pub token: String,
    /// What it pays for.
    pub plan: Plan,
}

/// All settings.
#[derive(Clone)]
pub struct Options {
    /// Ids, durations and chances follow from it.
    pub seed: u64,
    /// Virtual seconds per real second.
    pub speed: f64,
    /// How long things take.
    pub timing: Timing,
    /// Which peculiarities are on.
    pub quirks: Quirks,
    /// The first workspace's plan, which sets the request budget.
    pub plan: Plan,
    /// Whether requests over the budget are refused.
    pub rate_limits: bool,
    /// Where the world is kept between runs.
    pub state_file: Option<PathBuf>,
    /// The date at which virtual time begins.
    pub start: jiff::Timestamp,
    /// The first workspace's name.
    pub workspace: String,
    /// A token for everything.
    pub account_token: String,
    /// A token for the first workspace.
    pub workspace_token: String,
    /// More workspaces.
    pub more_workspaces: Vec<WorkspaceSeed>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            speed: 1.0,
            timing: Timing::default(),
            quirks: Quirks::default(),
            plan: Plan::Pro,
            rate_limits: true,
            state_file: None,
            // 2026-01-01T00:00:00Z: a fixed date, so that nothing depends on the day of the test.
            start: jiff::Timestamp::constant(1_767_225_600, 0),
            workspace: "Acme".to_owned(),
            account_token: ACCOUNT_TOKEN.to_owned(),
            workspace_token: WORKSPACE_TOKEN.to_owned(),
            more_workspaces: Vec::new(),
        }
    }
}

impl Options {
    /// For tests that are not about time: see [`Timing::instant`]. Where no time passes every request falls into the
    /// same second, so the budget is counted and not enforced.
    #[must_use]
    pub fn instant() -> Self {
        Self {
            timing: Timing::instant(),
            rate_limits: false,
            ..Self::default()
        }
    }
}

impl fmt::Debug for Options {
    // Tokens stay out of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("seed", &self.seed)
            .field("speed", &self.speed)
            .field("plan", &self.plan)
            .field("state_file", &self.state_file)
            .field("start", &self.start)
            .field("workspace", &self.workspace)
            .finish_non_exhaustive()
    }
}

//! Deploying again what has not changed, because somebody asked. Pure.
//!
//! The annotation says when it was asked for. A service whose newest deployment is older than that is deployed again, so
//! a visit that was cut short goes on where it was. Once it is done the status says so: Railway's clock may be behind ours,
//! and then every deployment would look too old for a while.

use jiff::Timestamp;
use mirage_railway::snapshot::InstanceSnapshot;
use mirage_specs::plan::PlanReason;

use super::plan::{Hold, Plan};

/// Annotation that has everything deployed again: the time of asking, `2026-11-21T12:00:00Z`.
pub const REDEPLOY: &str = "mirage.dev/redeploy";

/// What is to be deployed again: everything older than this. `None` when nobody asked, or when it was done.
pub fn asked(annotation: Option<&str>, done: Option<&str>) -> Option<Timestamp> {
    let annotation = annotation.filter(|asked| Some(*asked) != done)?;
    annotation.parse().ok()
}

/// Whether a service's newest deployment was there before somebody asked for another one.
pub fn is_older(instance: &InstanceSnapshot, asked: Timestamp) -> bool {
    instance
        .latest_deployment
        .as_ref()
        .is_some_and(|latest| latest.created_at < asked)
}

/// Whether a plan that was carried out, or had nothing to do, leaves nothing to be deployed again.
pub fn is_done(plan: &Plan, changed: bool) -> bool {
    let waits = plan
        .holds
        .iter()
        .any(|hold| !matches!(hold, Hold::Fight { .. }));
    let asks = plan
        .entries
        .iter()
        .any(|entry| entry.reason == PlanReason::Requested);
    !waits && (changed || !asks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_not_asked_for_again() {
        let time = "2026-11-21T12:00:00Z";
        assert_eq!(asked(Some(time), None), time.parse().ok());
        assert_eq!(asked(Some(time), Some(time)), None);
        assert_eq!(asked(Some("now"), None), None);
        assert_eq!(asked(None, None), None);
    }
}

//! What Mirage does where nobody says what, written out.

use crate::{
    duration::Span,
    environment::{EnvironmentSpec, LocalRef, OnFailure},
};

/// The credential of an environment that names none.
const ACCOUNT: &str = "default";

/// How long a wave may take to become healthy: 10 minutes, as the field says.
const HEALTH_TIMEOUT: &str = "10m";

/// Fills in what every environment has whether it says so or not. `name` is the object's own. What is left out of a
/// service is Railway's default, not ours, and stays out.
pub(super) fn fill(spec: &mut EnvironmentSpec, name: &str) {
    spec.environment_type.get_or_insert_default();
    spec.name.get_or_insert_with(|| name.to_owned());
    spec.account_ref.get_or_insert_with(|| LocalRef {
        name: ACCOUNT.to_owned(),
    });
    spec.suspend.get_or_insert(false);
    spec.deletion.get_or_insert_default();
    spec.approval.get_or_insert_default();
    spec.drift
        .get_or_insert_default()
        .mode
        .get_or_insert_default();
    let rollout = spec.rollout.get_or_insert_default();
    rollout.strategy.get_or_insert_default();
    rollout.on_failure.get_or_insert_with(OnFailure::default);
    rollout
        .health_timeout
        .get_or_insert_with(|| HEALTH_TIMEOUT.parse::<Span>().expect("it is a span"));
}

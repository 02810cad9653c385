//! A dry run of an environment says what would happen in Railway.

use serde_json::Value;

use super::call::Call;

/// The plan's sentences, for `Warning:` headers. A plan that cannot be made is no reason to fail a dry run: the line says why.
pub(super) async fn plan_lines(
    call: &Call,
    object: &Value,
    previous: Option<&Value>,
) -> Vec<String> {
    let Some(planner) = &call.server.planner else {
        return Vec::new();
    };
    if call.kind.kind != "Environment" || call.is_status() {
        return Vec::new();
    }
    match planner.plan(object.clone(), previous.cloned()).await {
        Ok(change) => change.lines,
        Err(error) => vec![format!("no plan: {error}")],
    }
}

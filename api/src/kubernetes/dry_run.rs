//! A dry run of an environment says what would happen in Railway.

use serde_json::Value;

use super::access;
use super::call::Call;
use crate::access::Attributes;

/// The plan's sentences, for `Warning:` headers, to those who may look at the environment: the right to write it is none
/// to learn what is on Railway. A plan that cannot be made is no reason to fail a dry run: the line says why.
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
    let asked = Attributes {
        verb: "get",
        name: object["metadata"]["name"].as_str().unwrap_or_default(),
        ..Attributes::of(&call.info)
    };
    if !access::may(&call.server, &call.identity, &asked).await {
        return Vec::new();
    }
    match planner.plan(object.clone(), previous.cloned()).await {
        Ok(change) => change.lines,
        Err(error) => vec![format!("no plan: {error}")],
    }
}

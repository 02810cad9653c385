//! Who calls, and out of whose budget.

use http::HeaderMap;

use crate::limits::Plan;
use crate::state::{Grant, Id, World};

/// A token's owner.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) grant: Grant,
    pub(super) token: Id,
}

/// Railway reads three headers (Railway docs; the third only in older texts).
pub(super) fn caller(world: &World, headers: &HeaderMap) -> Option<Caller> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let secret = text("project-access-token")
        .or_else(|| text("team-access-token"))
        .or_else(|| {
            let value = text("authorization")?;
            let (scheme, token) = value.split_once(' ')?;
            scheme
                .eq_ignore_ascii_case("bearer")
                .then_some(token.trim())
        })?;
    let token = world.tokens.get(secret).filter(|token| !token.revoked)?;
    let is_project = matches!(token.grant, Grant::Project { .. });
    // A project token in the wrong header is nobody's, and the other way round.
    if is_project != headers.contains_key("project-access-token") {
        return None;
    }
    Some(Caller {
        grant: token.grant.clone(),
        token: token.id.clone(),
    })
}

pub(super) fn plan_of(world: &World, grant: &Grant) -> Plan {
    let owner = grant.owner(world);
    world
        .workspaces
        .get(&owner)
        .or_else(|| world.workspaces_by_age().first().copied())
        .map(|workspace| workspace.plan)
        .unwrap_or_default()
}

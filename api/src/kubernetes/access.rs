//! From requests to what they need the right to, and from refusals to what clients are told.

use mirage_specs::import::IMPORT;

use super::call::Call;
use super::request::{Query, RequestInfo, Verb};
use super::selector::pinned;
use crate::access::{Attributes, Grant, decide, missing};
use crate::auth::Identity;
use crate::error::Status;
use crate::kinds::token;
use crate::product::railway;
use crate::server::Server;
use crate::store::{Key, StoreError};

impl<'a> Attributes<'a> {
    /// What a request is about. As in Kubernetes, a namespace object is inside itself: who may see a namespace's contents
    /// can be given the right to see the namespace.
    pub(crate) fn of(info: &'a RequestInfo) -> Self {
        let name = info.name.as_deref().unwrap_or_default();
        let is_namespace = info.group.is_empty() && info.resource == "namespaces";
        let namespace = match &info.namespace {
            Some(namespace) => namespace,
            None if is_namespace => name,
            None => "",
        };
        Self {
            verb: info.verb.into(),
            group: &info.group,
            resource: &info.resource,
            subresource: info.subresource.as_deref().unwrap_or_default(),
            namespace,
            name,
            path: "",
        }
    }

    /// A collection of which only one name is asked for counts as that object: a right to the name is enough.
    pub(crate) fn selected(self, query: &'a Query) -> Self {
        match (self.name, pinned(query, "metadata.name")) {
            ("", Some(name)) => Self { name, ..self },
            _ => self,
        }
    }
}

/// 403 when the caller may not.
pub(crate) async fn check(
    server: &Server,
    identity: &Identity,
    asked: &Attributes<'_>,
) -> Result<(), Status> {
    let policy = server.policies.current().await.map_err(unknown_rights)?;
    let decision = decide(&policy, identity, asked);
    if decision.is_allowed() {
        return Ok(());
    }
    Err(refusal(identity, asked, decision.reason()))
}

/// Whether the caller may; no when nobody can tell.
pub(crate) async fn may(server: &Server, identity: &Identity, asked: &Attributes<'_>) -> bool {
    check(server, identity, asked).await.is_ok()
}

/// As [`check`], for the request itself. Everyone may besides look at their own tokens and revoke them.
pub(crate) async fn check_request(
    server: &Server,
    identity: &Identity,
    info: &RequestInfo,
    query: &Query,
) -> Result<(), Status> {
    let asked = Attributes::of(info).selected(query);
    let Err(refusal) = check(server, identity, &asked).await else {
        return Ok(());
    };
    let is_limited = !identity.limits.is_empty();
    if !is_limited && is_about_own_token(server, identity, info, query).await {
        return Ok(());
    }
    Err(refusal)
}

async fn is_about_own_token(
    server: &Server,
    identity: &Identity,
    info: &RequestInfo,
    query: &Query,
) -> bool {
    if info.group != token::GROUP || info.resource != token::PLURAL || info.subresource.is_some() {
        return false;
    }
    match (info.verb, &info.name) {
        (Verb::List | Verb::Watch, None) => {
            pinned(query, "spec.user") == Some(identity.username.as_str())
        }
        (Verb::Get | Verb::Delete, Some(name)) => {
            let key = Key::new(crate::auth::TOKENS, "", name);
            let stored = server.store.get(&key).await.ok().flatten();
            stored.is_some_and(|stored| stored.object["spec"]["user"] == *identity.username)
        }
        _ => false,
    }
}

/// Whether the caller may give away what this write of a role or a binding gives; for other kinds there is nothing to give.
pub(super) async fn check_grant(
    call: &Call,
    name: &str,
    before: Option<&serde_json::Value>,
    after: &serde_json::Value,
) -> Result<(), Status> {
    if call.kind.qualified_plural() == "environments.mirage.dev" {
        return check_import(call, before, after).await;
    }
    if call.kind.group != crate::access::RBAC {
        return Ok(());
    }
    let Some(grant) = Grant::of(&call.kind.plural, before, after) else {
        return Ok(());
    };
    let policy = call
        .server
        .policies
        .newest()
        .await
        .map_err(unknown_rights)?;
    missing(&policy, &call.identity, call.namespace(), name, &grant)
        .map_err(|why| Status::forbidden(&call.kind.group, &call.kind.plural, name, why))
}

/// Whether the caller may have the environment taken over that this write names: it may be anybody's, and from then on it
/// is changed and deleted by whoever may change and delete the object.
async fn check_import(
    call: &Call,
    before: Option<&serde_json::Value>,
    after: &serde_json::Value,
) -> Result<(), Status> {
    let wish = |object: &serde_json::Value| object["metadata"]["annotations"][IMPORT].clone();
    let after = wish(after);
    if after.is_null() || before.is_some_and(|before| wish(before) == after) {
        return Ok(());
    }
    let asked = Attributes {
        namespace: call.namespace(),
        ..railway::IMPORTING
    };
    check(&call.server, &call.identity, &asked).await
}

/// Brings the policy up to date after a write that may have changed it, so that whoever is told of the write finds it in
/// force. When the store does not answer, the next request asks it again and is refused until it does.
pub(crate) async fn after_write(server: &Server, info: &RequestInfo) {
    let is_reading = matches!(info.verb, Verb::Get | Verb::List | Verb::Watch);
    if is_reading || !crate::access::is_made_of(&info.group, &info.resource) {
        return;
    }
    if let Err(error) = server.policies.newest().await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the roles could not be read after a change of them"
        );
    }
}

pub(super) fn unknown_rights(error: StoreError) -> Status {
    tracing::error!(
        error = &error as &dyn std::error::Error,
        "the roles could not be read"
    );
    let message = "the store is unavailable, so nobody's rights are known; try again shortly";
    Status::new(crate::error::Reason::ServiceUnavailable, message).retry_after(1)
}

/// Kubernetes' words, and behind them what stands in the way, if it is more than a missing rule.
fn refusal(identity: &Identity, asked: &Attributes<'_>, reason: &str) -> Status {
    let place = match asked.namespace {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace {namespace:?}"),
    };
    let mut why = format!(
        "User {:?} cannot {} resource {:?} in API group {:?} {place}",
        identity.username,
        asked.verb,
        asked.resource_path(),
        asked.group,
    );
    if !reason.is_empty() {
        why = format!("{why}: {reason}");
    }
    Status::forbidden(asked.group, asked.resource, asked.name, why)
}

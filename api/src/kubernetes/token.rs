//! Tokens are made here and shown once. Everything else that is done to them is done as to other objects.
//!
//! A token is whoever makes it, or less: for the same user, for some of the same groups, with limits on top. What is made
//! with a token that ends or is limited ends with it and has its limits too (`auth::authenticator`), so that nobody gets
//! further by making tokens. Making one for somebody else takes what speaking as somebody else takes in Kubernetes: the
//! verb `impersonate` on the user and on each group.

use axum::response::Response;
use jiff::Timestamp;
use mirage_specs::duration::Span;
use serde_json::{Value, json};

use super::access;
use super::body::Decoded;
use super::call::{Call, Outcome, Subject};
use super::metadata;
use super::settle::{self, Attribution};
use super::write::check_identity;
use crate::access::{Attributes, MASTERS};
use crate::auth::{AUTHENTICATED, Token, status_of};
use crate::error::{CauseReason, Fault, Status};
use crate::kinds::{Kind, token};

/// Whether this is the kind Token.
pub(crate) fn is_one(kind: &Kind) -> bool {
    kind.group == token::GROUP && kind.plural == token::PLURAL
}

/// POST of the collection: the answer has the token in `status.token`.
pub(crate) async fn create(call: &Call) -> Result<Response, Status> {
    let outcome = make(call).await?;
    call.respond(outcome)
}

/// Makes the token that the body describes; it stands in `status.token` of what is returned, and nowhere else.
pub(crate) async fn make(call: &Call) -> Result<Outcome, Status> {
    let Decoded {
        value: mut object,
        duplicates,
    } = call.body.object()?;
    metadata::ensure_shape(&mut object)?;
    check_identity(call, &object)?;
    if object["spec"].is_null() {
        object["spec"] = json!({});
    }
    if !object["spec"].is_object() {
        return Err(Status::bad_request("spec is not an object"));
    }
    fill_in(call, &mut object)?;
    check_bearer(call, &object).await?;
    let token = Token::generate()
        .ok_or_else(|| Status::internal("the operating system gave no random numbers"))?;
    let parent = call.identity.token.as_ref();
    object["status"] = status_of(&token, &call.identity.username, parent);
    let mut outcome = settle::create(call, object, Attribution::Changes, &duplicates).await?;
    // A dry run answers with what was to be stored.
    let mut object = call.kind.from_stored(outcome.object.shown(&call.kind));
    if !call.query.is_dry_run()? {
        object["status"]["token"] = json!(token.reveal());
    }
    outcome.object = Subject::Shown(object);
    Ok(outcome)
}

/// For whom, if it is not said: for whoever asks. And until when, as a time.
fn fill_in(call: &Call, object: &mut Value) -> Result<(), Status> {
    let identity = &call.identity;
    let spec = &mut object["spec"];
    if spec["user"].as_str().is_none_or(str::is_empty) {
        spec["user"] = json!(identity.username);
    }
    if spec["groups"].is_null() {
        let is_own = spec["user"] == *identity.username;
        let own = identity.groups.iter().filter(|_| is_own);
        spec["groups"] = own
            .filter(|group| *group != AUTHENTICATED)
            .cloned()
            .collect();
    }
    let Some(span) = spec["ttl"]
        .as_str()
        .and_then(|text| text.parse::<Span>().ok())
    else {
        // What is wrong with it, validation says.
        return Ok(());
    };
    if !spec["expiresAt"].is_null() {
        return Ok(());
    }
    let now = call.server.now();
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let expires_at = now.checked_add(span.duration()).map_err(|_| {
        let message = "Invalid value: longer than there is a calendar for";
        let fault = Fault::new("spec.ttl", CauseReason::FieldValueInvalid, message);
        call.invalid("", vec![fault])
    })?;
    spec["expiresAt"] = json!(expires_at);
    if let Some(fields) = spec.as_object_mut() {
        fields.remove("ttl");
    }
    Ok(())
}

/// Whether the caller may hand out a token for this user with these groups.
async fn check_bearer(call: &Call, object: &Value) -> Result<(), Status> {
    let (identity, spec) = (&call.identity, &object["spec"]);
    let is_member = |group: &str| identity.groups.iter().any(|own| own == group);
    let user = spec["user"].as_str().unwrap_or_default();
    if user != identity.username {
        check_impersonation(call, "users", user).await?;
    }
    let groups = spec["groups"].as_array().into_iter().flatten();
    for group in groups.filter_map(Value::as_str) {
        if group == MASTERS && !is_member(MASTERS) {
            let why = format!(
                "User {:?} cannot make members of the group {MASTERS:?}, being none",
                identity.username
            );
            let name = metadata::text(object, "name");
            return Err(Status::forbidden(token::GROUP, token::PLURAL, name, why));
        }
        if group != AUTHENTICATED && !is_member(group) {
            check_impersonation(call, "groups", group).await?;
        }
    }
    Ok(())
}

async fn check_impersonation(call: &Call, resource: &str, name: &str) -> Result<(), Status> {
    let asked = Attributes {
        verb: "impersonate",
        resource,
        name,
        ..Attributes::default()
    };
    access::check(&call.server, &call.identity, &asked).await
}

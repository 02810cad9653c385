//! Who am I, and what may I or somebody else do: reviews are created, answered and forgotten.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::access::unknown_rights;
use super::body::Body;
use super::negotiate::Accept;
use super::request::{RequestInfo, Verb};
use crate::access::{Attributes, Policy, decide, rights};
use crate::auth::Identity;
use crate::error::Status;
use crate::server::Server;

/// A kind of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// Who am I?
    Self_,
    /// May I?
    OwnAccess,
    /// What may I?
    OwnRules,
    /// May they?
    Access,
    /// May they, in this namespace?
    LocalAccess,
}

/// A kind of review, as it is discovered.
#[derive(Debug)]
pub(crate) struct Review {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) namespaced: bool,
    question: Question,
}

const AUTHENTICATION: &str = "authentication.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";

/// All of them. kubectl 1.27 asks for `v1beta1` of who it is.
pub(crate) const REVIEWS: &[Review] = &[
    review(
        AUTHENTICATION,
        "v1",
        "selfsubjectreviews",
        "SelfSubjectReview",
        Question::Self_,
    ),
    review(
        AUTHENTICATION,
        "v1beta1",
        "selfsubjectreviews",
        "SelfSubjectReview",
        Question::Self_,
    ),
    review(
        AUTHORIZATION,
        "v1",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        Question::OwnAccess,
    ),
    review(
        AUTHORIZATION,
        "v1",
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
        Question::OwnRules,
    ),
    review(
        AUTHORIZATION,
        "v1",
        "subjectaccessreviews",
        "SubjectAccessReview",
        Question::Access,
    ),
    Review {
        namespaced: true,
        ..review(
            AUTHORIZATION,
            "v1",
            "localsubjectaccessreviews",
            "LocalSubjectAccessReview",
            Question::LocalAccess,
        )
    },
];

const fn review(
    group: &'static str,
    version: &'static str,
    plural: &'static str,
    kind: &'static str,
    question: Question,
) -> Review {
    Review {
        group,
        version,
        plural,
        kind,
        namespaced: false,
        question,
    }
}

/// The kind of review that the request is about, if it is about one.
pub(crate) fn find(info: &RequestInfo) -> Option<&'static Review> {
    REVIEWS.iter().find(|review| {
        review.group == info.group
            && review.version == info.version
            && review.plural == info.resource
    })
}

/// Answers a review.
pub(crate) async fn answer(
    review: &Review,
    server: &Server,
    info: &RequestInfo,
    identity: &Identity,
    accept: Accept,
    body: &Body,
) -> Result<Response, Status> {
    if info.verb != Verb::Create || info.name.is_some() {
        return Err(Status::method_not_allowed());
    }
    if review.namespaced != info.namespace.is_some() {
        return Err(Status::unknown_path());
    }
    let mut object = if body.is_empty() {
        json!({})
    } else {
        body.object()?.value
    };
    if !object.is_object() {
        return Err(Status::bad_request("the body is not an object"));
    }
    let policy = server.policies.current().await;
    let policy = policy.map_err(unknown_rights)?;
    let spec = &object["spec"];
    let status = match review.question {
        Question::Self_ => json!({"userInfo": user_info(identity)}),
        Question::OwnAccess => access(&policy, identity, spec)?,
        Question::OwnRules => {
            let namespace = spec["namespace"].as_str().unwrap_or_default();
            rules(&policy, identity, namespace)
        }
        Question::Access => access(&policy, &subject(spec)?, spec)?,
        Question::LocalAccess => {
            let asked = spec["resourceAttributes"]["namespace"].as_str();
            if asked != info.namespace.as_deref() {
                return Err(Status::bad_request(
                    "spec.resourceAttributes.namespace must be the namespace of the request",
                ));
            }
            access(&policy, &subject(spec)?, spec)?
        }
    };
    object["apiVersion"] = json!(format!("{}/{}", info.group, info.version));
    object["kind"] = json!(review.kind);
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    object["metadata"]["creationTimestamp"] = Value::Null;
    object["status"] = status;
    Ok(accept.respond(StatusCode::CREATED, &object))
}

fn user_info(identity: &Identity) -> Value {
    let mut extra = Map::new();
    if let Some(token) = &identity.token {
        extra.insert("auth.mirage.dev/token".into(), json!([token.name]));
    }
    let limits: Vec<String> = identity
        .limits
        .iter()
        .map(crate::Limits::sentence)
        .collect();
    if !limits.is_empty() {
        extra.insert("auth.mirage.dev/limits".into(), json!(limits));
    }
    let mut info = json!({"username": identity.username, "uid": "", "groups": identity.groups});
    if !extra.is_empty() {
        info["extra"] = Value::Object(extra);
    }
    info
}

/// Whom somebody else's review is about.
fn subject(spec: &Value) -> Result<Identity, Status> {
    let groups = spec["groups"].as_array().into_iter().flatten();
    let identity = Identity {
        username: spec["user"].as_str().unwrap_or_default().to_owned(),
        groups: groups
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        ..Identity::default()
    };
    if identity.username.is_empty() && identity.groups.is_empty() {
        return Err(Status::bad_request(
            "at least one of spec.user and spec.groups must be said",
        ));
    }
    Ok(identity)
}

fn access(policy: &Policy, identity: &Identity, spec: &Value) -> Result<Value, Status> {
    let (asked, path) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    let text = |of: &'_ Value, field: &str| of[field].as_str().unwrap_or_default().to_owned();
    if asked.is_object() == path.is_object() {
        return Err(Status::bad_request(
            "exactly one of spec.resourceAttributes and spec.nonResourceAttributes must be said",
        ));
    }
    let of = if asked.is_object() { asked } else { path };
    let [verb, group, resource, subresource, namespace, name, path] = [
        "verb",
        "group",
        "resource",
        "subresource",
        "namespace",
        "name",
        "path",
    ]
    .map(|field| text(of, field));
    let attributes = Attributes {
        verb: &verb,
        group: &group,
        resource: &resource,
        subresource: &subresource,
        namespace: &namespace,
        name: &name,
        path: if asked.is_object() { "" } else { &path },
    };
    let decision = decide(policy, identity, &attributes);
    let mut status = json!({"allowed": decision.is_allowed()});
    if !decision.reason().is_empty() {
        status["reason"] = json!(decision.reason());
    }
    Ok(status)
}

fn rules(policy: &Policy, identity: &Identity, namespace: &str) -> Value {
    let (on_paths, on_resources): (Vec<_>, Vec<_>) = rights(policy, identity, namespace)
        .into_iter()
        .partition(|rule| !rule.non_resource_urls.is_empty());
    json!({"resourceRules": on_resources, "nonResourceRules": on_paths, "incomplete": false})
}

//! Who am I, and what may I do: reviews are created, answered and forgotten.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use super::access::{self, Attributes};
use super::body::Body;
use super::negotiate::Accept;
use super::request::{RequestInfo, Verb};
use crate::auth::Identity;
use crate::error::Status;

/// The groups and versions with their review kinds: (group, version, plural, kind).
pub(crate) const REVIEWS: &[(&str, &str, &str, &str)] = &[
    (
        "authentication.k8s.io",
        "v1",
        "selfsubjectreviews",
        "SelfSubjectReview",
    ),
    // kubectl 1.27 looks for no other.
    (
        "authentication.k8s.io",
        "v1beta1",
        "selfsubjectreviews",
        "SelfSubjectReview",
    ),
    (
        "authorization.k8s.io",
        "v1",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
    ),
    (
        "authorization.k8s.io",
        "v1",
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
    ),
];

/// The kind of review that the request is about, if it is about one.
pub(crate) fn find(info: &RequestInfo) -> Option<&'static str> {
    REVIEWS
        .iter()
        .find(|(group, version, plural, _)| {
            *group == info.group && *version == info.version && *plural == info.resource
        })
        .map(|(.., kind)| *kind)
}

/// Answers a review.
pub(crate) fn review(
    kind: &str,
    info: &RequestInfo,
    identity: &Identity,
    accept: Accept,
    body: &Body,
) -> Result<Response, Status> {
    if info.verb != Verb::Create || info.name.is_some() {
        return Err(Status::method_not_allowed());
    }
    let mut review = if body.is_empty() {
        json!({})
    } else {
        body.object()?.value
    };
    if !review.is_object() {
        return Err(Status::bad_request("the body is not an object"));
    }
    let status = match kind {
        "SelfSubjectReview" => {
            json!({"userInfo": {"username": identity.username, "uid": "", "groups": identity.groups}})
        }
        "SelfSubjectAccessReview" => access_review(identity, &review["spec"]),
        _ => rules_review(identity),
    };
    review["apiVersion"] = json!(format!("{}/{}", info.group, info.version));
    review["kind"] = json!(kind);
    if !review["metadata"].is_object() {
        review["metadata"] = json!({});
    }
    review["metadata"]["creationTimestamp"] = Value::Null;
    review["status"] = status;
    Ok(accept.respond(StatusCode::CREATED, &review))
}

fn access_review(identity: &Identity, spec: &Value) -> Value {
    let asked = &spec["resourceAttributes"];
    let text = |field: &str| asked[field].as_str().unwrap_or_default();
    let is_allowed = if asked.is_object() {
        let attributes = Attributes {
            verb: text("verb"),
            group: text("group"),
            resource: text("resource"),
            subresource: text("subresource"),
            namespace: text("namespace"),
            name: text("name"),
        };
        access::allows(identity, &attributes)
    } else {
        // Documents about the server are open to everyone who is someone.
        let verb = spec["nonResourceAttributes"]["verb"]
            .as_str()
            .unwrap_or_default();
        matches!(verb, "get" | "head")
            || identity.groups.iter().any(|group| group == access::MASTERS)
    };
    json!({"allowed": is_allowed})
}

fn rules_review(identity: &Identity) -> Value {
    let is_in = |group: &str| identity.groups.iter().any(|member| member == group);
    let mut rules = vec![json!({
        "verbs": ["create"], "apiGroups": ["authentication.k8s.io", "authorization.k8s.io"],
        "resources": ["selfsubjectreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    })];
    let mut documents = vec![json!({"verbs": ["get"], "nonResourceURLs":
        ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version"]})];
    if is_in(access::MASTERS) {
        rules.push(json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}));
        documents.push(json!({"verbs": ["*"], "nonResourceURLs": ["*"]}));
    } else if is_in(access::VIEWERS) {
        rules.push(json!({"verbs": ["get", "list", "watch"], "apiGroups": ["mirage.dev"], "resources": ["*"]}));
        rules.push(
            json!({"verbs": ["get", "list", "watch"], "apiGroups": ["", "events.k8s.io"],
            "resources": ["namespaces", "events", "configmaps"]}),
        );
    }
    json!({"resourceRules": rules, "nonResourceRules": documents, "incomplete": false})
}

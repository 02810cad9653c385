//! Which kinds there are: the plain documents, and the aggregated one that spares clients a request per group.

use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::negotiate::{Accept, media_ranges};
use super::request::Verb;
use super::review::REVIEWS;
use super::tagged;
use crate::error::Status;
use crate::kinds::{Kind, Registry};

/// `/api`
pub(crate) fn core_versions(registry: &Registry, headers: &HeaderMap) -> Response {
    if let Some(version) = aggregated_version(headers) {
        return aggregated(registry, headers, version, |group| group.is_empty());
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let body = json!({"kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}]});
    Accept::JSON.respond(StatusCode::OK, &body)
}

/// `/apis`
pub(crate) fn groups(registry: &Registry, headers: &HeaderMap) -> Response {
    if let Some(version) = aggregated_version(headers) {
        return aggregated(registry, headers, version, |group| !group.is_empty());
    }
    let groups: Vec<Value> = names(registry)
        .iter()
        .filter(|name| !name.is_empty())
        .map(|name| group_document(registry, name))
        .collect();
    let body = json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups});
    Accept::JSON.respond(StatusCode::OK, &body)
}

/// `/apis/{group}`
pub(crate) fn group(registry: &Registry, name: &str) -> Result<Response, Status> {
    if name.is_empty() || !names(registry).iter().any(|known| known == name) {
        return Err(Status::unknown_path());
    }
    let mut body = group_document(registry, name);
    body["kind"] = json!("APIGroup");
    body["apiVersion"] = json!("v1");
    Ok(Accept::JSON.respond(StatusCode::OK, &body))
}

/// `/api/v1` and `/apis/{group}/{version}`
pub(crate) fn resources(
    registry: &Registry,
    group: &str,
    version: &str,
) -> Result<Response, Status> {
    let mut resources = Vec::new();
    for kind in registry
        .kinds()
        .filter(|kind| kind.group == group && kind.version == version)
    {
        let verbs = verbs(kind);
        resources.push(json!({"name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced,
            "kind": kind.kind, "verbs": verbs, "shortNames": kind.short_names, "categories": kind.categories}));
        if kind.has_status {
            resources.push(
                json!({"name": format!("{}/status", kind.plural), "singularName": "",
                "namespaced": kind.namespaced, "kind": kind.kind, "verbs": STATUS_VERBS}),
            );
        }
    }
    for review in REVIEWS
        .iter()
        .filter(|review| review.group == group && review.version == version)
    {
        resources.push(
            json!({"name": review.plural, "singularName": review.kind.to_lowercase(),
            "namespaced": review.namespaced, "kind": review.kind, "verbs": ["create"]}),
        );
    }
    if resources.is_empty() {
        return Err(Status::unknown_path());
    }
    let group_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    let body = json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version,
        "resources": resources});
    Ok(Accept::JSON.respond(StatusCode::OK, &body))
}

const STATUS_VERBS: [&str; 3] = ["get", "patch", "update"];

fn verbs(kind: &Kind) -> Vec<&'static str> {
    kind.verbs
        .iter()
        .map(|verb: &Verb| <&str>::from(*verb))
        .collect()
}

/// All pairs of group and version, reviews included.
pub(super) fn group_versions(registry: &Registry) -> Vec<(String, String)> {
    let mut pairs = registry.group_versions();
    for review in REVIEWS {
        let pair = (review.group.to_owned(), review.version.to_owned());
        if !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    pairs
}

fn names(registry: &Registry) -> Vec<String> {
    let mut names = Vec::new();
    for (group, _) in group_versions(registry) {
        if !names.contains(&group) {
            names.push(group);
        }
    }
    names
}

fn group_document(registry: &Registry, name: &str) -> Value {
    let versions: Vec<Value> = group_versions(registry)
        .into_iter()
        .filter(|(group, _)| group == name)
        .map(|(group, version)| json!({"groupVersion": format!("{group}/{version}"), "version": version}))
        .collect();
    json!({"name": name, "versions": versions, "preferredVersion": versions.first()})
}

/// The version of the aggregated document that the client asks for before anything else that we have.
fn aggregated_version(headers: &HeaderMap) -> Option<&'static str> {
    for range in media_ranges(headers) {
        if !matches!(range.media, "application/json" | "*/*" | "application/*") {
            continue;
        }
        return match (range.parameter("as"), range.parameter("v")) {
            (Some("APIGroupDiscoveryList"), Some("v2")) => Some("v2"),
            (Some("APIGroupDiscoveryList"), Some("v2beta1")) => Some("v2beta1"),
            (Some(_), _) => continue,
            (None, _) => None,
        };
    }
    None
}

fn aggregated(
    registry: &Registry,
    headers: &HeaderMap,
    version: &str,
    is_wanted: impl Fn(&str) -> bool,
) -> Response {
    let items: Vec<Value> = names(registry)
        .iter()
        .filter(|name| is_wanted(name))
        .map(|name| {
            let versions: Vec<Value> = group_versions(registry)
                .iter()
                .filter(|(group, _)| group == name)
                .map(|(group, version)| {
                    json!({"version": version, "freshness": "Current",
                        "resources": aggregated_resources(registry, group, version)})
                })
                .collect();
            let metadata = if name.is_empty() {
                json!({"creationTimestamp": null})
            } else {
                json!({"name": name, "creationTimestamp": null})
            };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    let body = json!({"kind": "APIGroupDiscoveryList", "apiVersion": format!("apidiscovery.k8s.io/{version}"),
        "metadata": {}, "items": items})
    .to_string();
    // Without the parameters clients would take it for the plain form.
    let content_type =
        format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
    tagged::respond(headers, &content_type, tagged::ASK_AGAIN, body)
}

fn aggregated_resources(registry: &Registry, group: &str, version: &str) -> Vec<Value> {
    let response_kind = |kind: &str| json!({"group": group, "version": version, "kind": kind});
    let mut resources = Vec::new();
    for kind in registry
        .kinds()
        .filter(|kind| kind.group == group && kind.version == version)
    {
        let mut resource = json!({
            "resource": kind.plural, "responseKind": response_kind(&kind.kind),
            "scope": if kind.namespaced { "Namespaced" } else { "Cluster" }, "singularResource": kind.singular,
            "verbs": verbs(kind), "shortNames": kind.short_names, "categories": kind.categories,
        });
        if kind.has_status {
            resource["subresources"] = json!([{"subresource": "status", "responseKind": response_kind(&kind.kind),
                "verbs": STATUS_VERBS}]);
        }
        resources.push(resource);
    }
    for review in REVIEWS
        .iter()
        .filter(|review| review.group == group && review.version == version)
    {
        resources.push(
            json!({"resource": review.plural, "responseKind": response_kind(review.kind),
            "scope": if review.namespaced { "Namespaced" } else { "Cluster" },
            "singularResource": review.kind.to_lowercase(), "verbs": ["create"]}),
        );
    }
    resources
}

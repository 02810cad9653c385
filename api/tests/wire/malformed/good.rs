//! Good requests of every kind.

use serde_json::{Value, json};

use super::Asked;
use crate::world::{THINGS, thing};

const SECRETS: &str = "/api/v1/namespaces/default/secrets";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const EVENTS: &str = "/api/v1/namespaces/default/events";
const ENVIRONMENTS: &str = "/apis/mirage.dev/v1alpha1/namespaces/default/environments";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

fn secret() -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web"}, "stringData": {"a": "b"}})
}

fn map() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "labels": {"app": "web"}}, "data": {"a": "b"}})
}

fn event(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "default"},
        "involvedObject": {"kind": "Thing", "name": "web", "namespace": "default"},
        "reason": "Tested", "message": "m", "type": "Normal", "count": 1,
        "firstTimestamp": "2026-11-21T12:00:00Z", "lastTimestamp": "2026-11-21T12:00:00Z"})
}

fn environment(name: &str) -> Value {
    json!({"apiVersion": "mirage.dev/v1alpha1", "kind": "Environment", "metadata": {"name": name},
        "spec": {"project": {"name": "shop"}, "services": {"web": {"source": {"image": "nginx:1.29"},
        "variables": {"A": "b", "C": {"secretRef": {"name": "web", "key": "a"}}}, "domains": [{"port": 80}]}}}})
}

fn lease() -> Value {
    json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "web"},
        "spec": {"holderIdentity": "me", "leaseDurationSeconds": 15, "renewTime": "2026-11-21T12:00:00.000000Z"}})
}

/// What is there before.
pub(super) fn present() -> Vec<(&'static str, Value)> {
    vec![
        (THINGS, thing("web", 1)),
        (SECRETS, secret()),
        (MAPS, map()),
        (EVENTS, event("web")),
        (ENVIRONMENTS, environment("web")),
        (LEASES, lease()),
    ]
}

/// Every verb, patch type and kind of parameter at least once; each succeeds as it stands.
pub(super) fn good() -> Vec<Asked> {
    const JSON: &str = "application/json";
    let web = |collection: &str| format!("{collection}/web");
    let body = |value: Value| value.to_string();
    let mut generated = thing("unused", 2);
    generated["metadata"] = json!({"generateName": "web-", "labels": {"a": "b"}, "annotations": {"c": "d"},
        "finalizers": ["test.dev/hold"], "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "web", "uid": "1"}]});
    let mut table = Asked::get(THINGS);
    table.accept = b"application/json;as=Table;v=v1;g=meta.k8s.io,application/json".to_vec();
    vec![
        Asked::new("POST", THINGS, JSON, body(generated))
            .with("fieldManager", "tester")
            .with("fieldValidation", "Warn"),
        Asked::new("POST", EVENTS, JSON, body(event("other"))),
        Asked::new("POST", ENVIRONMENTS, JSON, body(environment("other"))).with("dryRun", "All"),
        Asked::new(
            "POST",
            REVIEWS,
            JSON,
            body(
                json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"namespace": "default", "verb": "get", "resource": "secrets"}}}),
            ),
        ),
        Asked::new(
            "POST",
            MAPS,
            "application/yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {a: \"1\"}\n",
        ),
        Asked::new(
            "POST",
            MAPS,
            "application/vnd.kubernetes.protobuf",
            protobuf(),
        ),
        Asked::new("PUT", &web(SECRETS), JSON, body(secret())),
        Asked::new("PUT", &web(LEASES), JSON, body(lease())),
        Asked::new(
            "PATCH",
            &web(THINGS),
            "application/merge-patch+json",
            r#"{"spec":{"size":3,"parts":[{"name":"a"}]}}"#,
        ),
        Asked::new(
            "PATCH",
            &web(THINGS),
            "application/json-patch+json",
            r#"[{"op":"test","path":"/spec/size","value":1},{"op":"add","path":"/spec/color","value":"red"},{"op":"copy","from":"/spec/size","path":"/metadata/generation"}]"#,
        ),
        Asked::new(
            "PATCH",
            &web(SECRETS),
            "application/strategic-merge-patch+json",
            r#"{"metadata":{"labels":{"a":"b"}},"data":{"c":"ZA=="}}"#,
        ),
        Asked::new(
            "PATCH",
            &web(THINGS),
            "application/apply-patch+yaml",
            body(thing("web", 4)),
        )
        .with("fieldManager", "applier")
        .with("force", "true"),
        Asked::new(
            "PATCH",
            &format!("{}/status", web(THINGS)),
            "application/merge-patch+json",
            r#"{"status":{"phase":"Up"}}"#,
        ),
        Asked::new(
            "DELETE",
            &web(MAPS),
            JSON,
            r#"{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Background","gracePeriodSeconds":0}"#,
        ),
        Asked::new("DELETE", MAPS, "", "").with("labelSelector", "app in (web,api),!x,tier!=back"),
        Asked::get(&web(ENVIRONMENTS)),
        Asked::get(MAPS)
            .with("labelSelector", "app=web")
            .with("limit", "1")
            .with("fieldSelector", "metadata.name=web"),
        Asked::get(THINGS)
            .with("fieldSelector", "spec.color!=red")
            .with("resourceVersion", "1")
            .with("resourceVersionMatch", "NotOlderThan"),
        Asked::get(THINGS)
            .with("watch", "true")
            .with("resourceVersion", "2")
            .with("timeoutSeconds", "1")
            .with("allowWatchBookmarks", "true"),
        Asked::get(SECRETS)
            .with("watch", "true")
            .with("sendInitialEvents", "true")
            .with("resourceVersionMatch", "NotOlderThan")
            .with("allowWatchBookmarks", "true")
            .with("timeoutSeconds", "1"),
        table,
    ]
}

/// A ConfigMap `proto` in Kubernetes' envelope.
pub(super) fn protobuf() -> Vec<u8> {
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2, u8::try_from(content.len()).unwrap()];
        bytes.extend_from_slice(content);
        bytes
    }
    let kind = [field(1, b"v1"), field(2, b"ConfigMap")].concat();
    let metadata = field(1, b"proto");
    let entry = [field(1, b"a"), field(2, b"b")].concat();
    let object = [field(1, &metadata), field(2, &entry)].concat();
    let envelope = [
        field(1, &kind),
        field(2, &object),
        field(3, b""),
        field(4, b""),
    ]
    .concat();
    [b"k8s\0".as_slice(), &envelope].concat()
}

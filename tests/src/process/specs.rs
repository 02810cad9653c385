//! What these tests declare: two states of one environment, and the Secret they read.

use serde_json::{Value, json};

use crate::manifest::one_of_everything;

/// Name of the Environment, of its project and of its environment on Railway.
pub const NAME: &str = "shop";

/// One of everything.
pub fn before() -> Value {
    one_of_everything(NAME, NAME)
}

/// The same after an edit that changes, adds and removes: an image, variables, a domain, a TCP proxy, a service.
pub fn after() -> Value {
    let mut manifest = before();
    let spec = &mut manifest["spec"];
    spec["variables"] = json!({"LOG_LEVEL": "debug", "REGION": "eu"});
    spec["services"]["web"]["source"]["image"] = json!("nginx:1.30");
    spec["services"]["web"]["variables"] = json!({"LEVEL": "${{shared.REGION}}"});
    spec["services"]["web"]["domains"] = json!([{"port": 8080}]);
    spec["services"]["db"]["tcpProxies"] = json!([]);
    spec["services"]["worker"] = json!({
        "source": {"image": "busybox:1.37"},
        "variables": {"QUEUE": "orders"},
        "dependsOn": ["db"],
    });
    manifest
}

/// The Secret that both read.
pub fn secret(name: &str, key: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "stringData": {key: value},
    })
}

/// A small environment of one image, for what is not about its contents.
pub fn one_image(name: &str) -> Value {
    json!({
        "apiVersion": "mirage.dev/v1alpha1",
        "kind": "Environment",
        "metadata": {"name": name},
        "spec": {"project": {"name": name}, "services": {"web": {
            "source": {"image": "nginx:1.29"},
            "variables": {"LOG_LEVEL": "info"},
        }}},
    })
}

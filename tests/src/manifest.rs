//! Environments as their owners write them, said in as few words as a test needs.

use serde_json::{Value, json};

/// An Environment of a project, with nothing in it.
pub fn environment(name: &str, project: &str) -> Value {
    json!({
        "apiVersion": "mirage.dev/v1alpha1",
        "kind": "Environment",
        "metadata": {"name": name},
        "spec": {"project": {"name": project}, "services": {}},
    })
}

/// An Environment of so many small services, named `service-00` and so on.
pub fn many_services(name: &str, project: &str, count: usize) -> Value {
    let mut manifest = environment(name, project);
    for index in 0..count {
        manifest["spec"]["services"][format!("service-{index:02}")] = json!({
            "source": {"image": "nginx:1.29"},
            "variables": {"INDEX": index.to_string(), "LEVEL": "info"},
        });
    }
    manifest
}

/// An Environment with one of everything: what a walk over every boundary provisions.
pub fn one_of_everything(name: &str, project: &str) -> Value {
    let mut manifest = environment(name, project);
    manifest["spec"]["variables"] = json!({"LOG_LEVEL": "info"});
    manifest["spec"]["services"] = json!({
        "web": {
            "source": {"image": "nginx:1.29"},
            "variables": {"TOKEN": {"secretRef": {"name": "keys", "key": "token"}}, "LEVEL": "${{shared.LOG_LEVEL}}"},
            "domains": [{"port": 80}, {"name": format!("{name}.example.com"), "port": 80}],
        },
        "db": {
            "source": {"image": "postgres:17"},
            "variables": {"PASSWORD": {"generate": {"length": 24}}},
            "volumes": {"data": {"mountPath": "/data"}},
            "tcpProxies": [5432],
        },
    });
    manifest
}

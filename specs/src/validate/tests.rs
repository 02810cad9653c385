//! How an Environment is judged as a whole.

mod fields;
mod kinds;

use serde_json::{Value, json};

use super::*;
use FaultReason::{Duplicate, Invalid, NotSupported, Required, UnknownField};

/// An Environment with a sound service `web`, and `spec` merged over it by key.
fn with(spec: Value) -> Value {
    let mut whole =
        json!({"project": {"name": "shop"}, "services": {"web": {"source": {"image": "nginx"}}}});
    for (key, value) in spec.as_object().unwrap() {
        whole[key] = value.clone();
    }
    json!({"apiVersion": "mirage.dev/v1alpha1", "kind": "Environment", "metadata": {"name": "web"}, "spec": whole})
}

/// The same with one service `web` and nothing else.
fn with_service(service: Value) -> Value {
    with(json!({"services": {"web": service}}))
}

fn found(faults: &[Fault]) -> Vec<(&str, FaultReason)> {
    faults
        .iter()
        .map(|fault| (fault.path.as_str(), fault.reason))
        .collect()
}

#[test]
fn a_sound_environment_has_no_faults() {
    assert_eq!(environment(&with(json!({}))), []);
}

#[test]
fn all_faults_come_in_one_answer() {
    let object = with(json!({
        "ttl": "1m",
        "services": {
            "api": {"source": {"image": "nginx:"}, "dependsOn": ["wbe"], "deploy": {"replicsa": 1}},
            "web": {"source": {"image": "nginx"}},
        },
    }));
    let faults: Vec<String> = environment(&object).iter().map(Fault::to_string).collect();
    assert_eq!(
        faults,
        [
            "spec.services.api.dependsOn[0]: there is no service \"wbe\" in spec.services (did you mean \"web\"?)",
            "spec.services.api.deploy.replicsa: unknown field (did you mean \"replicas\"?)",
            "spec.services.api.source.image: not an image reference: write for example \"nginx:1.29\", \
             \"ghcr.io/acme/api:1.4\" or \"nginx@sha256:…\"",
            "spec.ttl: at least 5m: an environment needs time to become ready",
        ]
    );
}

#[test]
fn a_cycle_is_shown_as_it_runs_and_once() {
    let service = |on: &[&str]| json!({"source": {"image": "nginx"}, "dependsOn": on});
    let object = with(json!({"services": {
        "a": service(&["b"]), "b": service(&["c", "d"]), "c": service(&["a"]), "d": service(&[]), "e": service(&["a"]),
    }}));
    let faults = environment(&object);
    assert_eq!(found(&faults), [("spec.services.c.dependsOn[0]", Invalid)]);
    assert!(
        faults[0].message.ends_with("a → b → c → a"),
        "{}",
        faults[0].message
    );
}

#[test]
fn one_domain_belongs_to_one_service() {
    let service =
        |domain: &str| json!({"source": {"image": "nginx"}, "domains": [{"name": domain}, {}]});
    let object = with(
        json!({"services": {"a": service("shop.example.com"), "b": service("Shop.example.com")}}),
    );
    assert_eq!(
        found(&environment(&object)),
        [("spec.services.b.domains[0].name", Duplicate)]
    );
}

#[test]
fn what_a_template_may_still_bring_is_not_missed() {
    let object = |extra: Value| {
        let mut object = json!({"metadata": {"name": "web"}, "spec": {
            "templateRef": {"name": "prod"},
            "services": {"web": {"dependsOn": ["db"], "variables": {"A": "${{db.URL}}"}}},
        }});
        for (key, value) in extra.as_object().unwrap() {
            object["spec"][key] = value.clone();
        }
        object
    };
    assert_eq!(environment(&object(json!({}))), []);
    assert_eq!(
        found(&environment(&object(json!({"drift": null})))),
        [("spec.drift", NotSupported)],
        "this null could not reach the merge"
    );
    assert_eq!(
        environment(&object(json!({"ttl": null, "services": {"web": null}}))),
        []
    );
}

#[test]
fn an_objects_name_must_do_as_a_name_on_railway() {
    let mut object = with(json!({}));
    object["metadata"]["name"] = json!("shop.example");
    assert_eq!(found(&environment(&object)), [("metadata.name", Invalid)]);
    object["spec"]["name"] = json!("shop");
    assert_eq!(environment(&object), []);
    object["metadata"] = json!({"lables": {}});
    assert_eq!(
        found(&environment(&object)),
        [
            ("metadata.lables", UnknownField),
            ("metadata.name", Required)
        ]
    );
}

#[test]
fn the_value_of_a_variable_is_never_in_a_message() {
    let planted = "s3cr3t-canary";
    for variable in [
        json!(format!("{planted} ${{{{")),
        json!(format!("{planted} ${{{{gone.X}}}}")),
        json!({"generate": planted}),
        json!([planted]),
    ] {
        let faults = environment(&with(json!({"variables": {"A": variable}})));
        assert!(!faults.is_empty());
        assert!(!format!("{faults:?}").contains(planted), "{faults:?}");
    }
}

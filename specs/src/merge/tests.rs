//! Whole environments out of whole layers.

use serde_json::{Value, json};

use super::*;
use crate::environment::EnvironmentType;

fn template() -> EnvironmentTemplateSpec {
    serde_json::from_value(json!({
        "parameters": {
            "replicas": {"type": "integer", "default": 2, "maximum": 5},
            "host": {"type": "string"},
        },
        "base": {
            "project": {"name": "shop"},
            "source": {"repo": "acme/shop", "branch": "main"},
            "drift": {"mode": "report"},
            "services": {
                "db": {"engine": "postgres"},
                "web": {
                    "deploy": {"replicas": 1, "healthcheck": {"path": "/up"}},
                    "domains": [{"name": "${{params.host}}"}],
                    "variables": {"DATABASE_URL": "${{db.DATABASE_URL}}", "LOG": "debug"},
                },
            },
        },
        "types": {"prod": {
            "drift": {"mode": "repair"},
            "services": {"web": {"deploy": {"replicas": "${{params.replicas}}"}, "variables": {"LOG": "info"}}},
        }},
    }))
    .unwrap()
}

fn instance(spec: Value) -> EnvironmentSpec {
    serde_json::from_value(spec).unwrap()
}

fn merged(spec: Value) -> Value {
    serde_json::to_value(effective(Some(&template()), &instance(spec)).unwrap()).unwrap()
}

fn refused(spec: Value) -> MergeError {
    effective(Some(&template()), &instance(spec)).unwrap_err()
}

const REF: fn() -> Value = || json!({"name": "shop", "parameters": {"host": "shop.example.com"}});

#[test]
fn base_type_and_instance_lie_on_each_other() {
    let dev = merged(json!({"templateRef": REF()}));
    assert_eq!(dev["type"], "dev");
    assert_eq!(dev["drift"]["mode"], "report");
    assert_eq!(dev["services"]["web"]["deploy"]["replicas"], 1);
    assert_eq!(
        dev["services"]["web"]["source"],
        json!({"repo": "acme/shop", "branch": "main"})
    );
    assert_eq!(
        dev["services"]["web"]["domains"][0]["name"],
        "shop.example.com"
    );
    assert_eq!(
        dev["services"]["db"]["source"]["image"],
        "ghcr.io/railwayapp-templates/postgres-ssl:17"
    );
    assert!(dev.get("templateRef").is_none());

    let prod = merged(json!({
        "type": "prod",
        "templateRef": REF(),
        "services": {"web": {"variables": {"EXTRA": "1", "DATABASE_URL": null}}, "db": null},
    }));
    assert_eq!(prod["services"]["web"]["deploy"]["replicas"], 2);
    assert_eq!(
        prod["services"]["web"]["deploy"]["healthcheck"]["path"],
        "/up"
    );
    assert_eq!(
        prod["services"]["web"]["variables"],
        json!({"EXTRA": "1", "LOG": "info"})
    );
    assert!(prod["services"].get("db").is_none());
}

#[test]
fn what_comes_out_goes_in_again_unchanged() {
    for spec in [
        json!({"templateRef": REF()}),
        json!({"type": "prod", "templateRef": REF(), "services": {"web": {"source": {"branch": "next"}}}}),
    ] {
        let once = effective(Some(&template()), &instance(spec)).unwrap();
        assert_eq!(effective(None, &once).unwrap(), once);
        assert!(!serde_json::to_string(&once).unwrap().contains("null"));
    }
}

#[test]
fn an_environment_without_a_template_gets_its_defaults() {
    let spec = instance(json!({
        "project": {"name": "shop"},
        "services": {"web": {"source": {"image": "nginx"}, "deploy": {"replicas": null}}},
    }));
    let whole = effective(None, &spec).unwrap();
    assert_eq!(whole.environment_type, Some(EnvironmentType::Dev));
    let web = whole.services["web"].as_ref().unwrap();
    assert!(web.deploy.as_ref().unwrap().replicas.is_inherited());
}

#[test]
fn every_refusal_says_which_field_is_at_fault() {
    let paths = |error: &MergeError| -> Vec<String> {
        error
            .faults()
            .iter()
            .map(|fault| fault.path.clone())
            .collect()
    };
    let missing = refused(json!({"templateRef": {"name": "shop", "parameters": {"replicas": 9}}}));
    assert!(matches!(missing, MergeError::Parameters(_)));
    assert_eq!(
        paths(&missing),
        [
            "spec.templateRef.parameters.host",
            "spec.templateRef.parameters.replicas"
        ]
    );

    let together = refused(json!({
        "templateRef": REF(),
        "services": {"db": {"source": {"repo": "a/b"}}, "web": {"dependsOn": ["gone"]}},
    }));
    assert!(matches!(together, MergeError::Effective(_)));
    assert_eq!(
        paths(&together),
        [
            "spec.services.db.source.repo",
            "spec.services.web.dependsOn[0]"
        ]
    );

    let guarded = EnvironmentTemplateSpec {
        allowed_overrides: vec!["services.web.variables".into()],
        ..template()
    };
    let spec = instance(json!({
        "templateRef": REF(),
        "drift": {"mode": "ignore"},
        "services": {"web": {"variables": {"LOG": "trace"}}},
    }));
    let error = effective(Some(&guarded), &spec).unwrap_err();
    assert!(matches!(error, MergeError::Overrides(_)));
    assert_eq!(paths(&error), ["spec.drift.mode"]);
}

#[test]
fn a_parameter_of_each_type_is_what_its_place_needs_and_text_inside_of_text() {
    let template: EnvironmentTemplateSpec = serde_json::from_value(json!({
        "parameters": {
            "count": {"type": "integer", "default": 2, "minimum": 1, "maximum": 5},
            "cpu": {"type": "number", "default": 0.5},
            "sleeps": {"type": "boolean", "default": false},
            "tag": {"type": "string", "default": "1.29", "pattern": "[0-9.]+"},
        },
        "base": {"project": {"name": "shop"}, "services": {"web": {
            "source": {"image": "nginx:${{params.tag}}"},
            "deploy": {
                "replicas": "${{params.count}}",
                "sleep": "${{ params.sleeps }}",
                "limits": {"cpu": "${{params.cpu}}"},
            },
            "variables": {
                "COUNT": "${{params.count}}",
                "ALL": "${{params.count}}/${{params.cpu}}/${{params.sleeps}}/${{params.tag}}/${{shared.X}}",
            },
        }}, "variables": {"X": "1"}},
    }))
    .unwrap();
    let whole = |parameters: Value| {
        let spec = instance(json!({"templateRef": {"name": "web", "parameters": parameters}}));
        let web = effective(Some(&template), &spec)?.services["web"].clone();
        Ok::<Value, MergeError>(serde_json::to_value(web).unwrap())
    };
    let web = whole(json!({})).unwrap();
    assert_eq!(web["source"]["image"], "nginx:1.29");
    assert_eq!(
        web["deploy"],
        json!({"replicas": 2, "sleep": false, "limits": {"cpu": 0.5}})
    );
    assert_eq!(
        web["variables"],
        json!({"COUNT": "2", "ALL": "2/0.5/false/1.29/${{shared.X}}"})
    );
    let web = whole(json!({"count": 5, "sleeps": true, "cpu": 2})).unwrap();
    assert_eq!(
        web["deploy"],
        json!({"replicas": 5, "sleep": true, "limits": {"cpu": 2.0}})
    );
    for (given, message) in [
        (json!({"count": 6}), "must be at most 5"),
        (json!({"count": 1.5}), "expected a whole number"),
        (json!({"sleeps": "yes"}), "expected true or false"),
        (json!({"cpu": "2"}), "expected a number"),
        (json!({"tag": 1}), "expected a string"),
        (json!({"tag": "1.29 "}), "must match \"[0-9.]+\""),
        (json!({"cuont": 1}), "(did you mean \"count\"?)"),
    ] {
        let error = whole(given.clone()).unwrap_err().to_string();
        assert!(error.contains(message), "{given}: {error}");
    }
}

#[test]
fn the_type_is_the_environments_own_or_the_templates() {
    use EnvironmentType::{Dev, Prod, Staging};
    let spec = |written: Value| instance(json!({"type": written, "templateRef": {"name": "t"}}));
    let template = |base: Value| -> EnvironmentTemplateSpec {
        serde_json::from_value(json!({
            "parameters": {"kind": {"type": "string", "default": "staging"}},
            "base": base,
        }))
        .unwrap()
    };
    for (base, own, expected) in [
        (json!({}), Value::Null, Dev),
        (json!({"type": "prod"}), Value::Null, Prod),
        (json!({"type": "prod"}), json!("dev"), Dev),
        (json!({"type": "${{params.kind}}"}), Value::Null, Staging),
    ] {
        let template = template(base.clone());
        assert_eq!(type_of(Some(&template), &spec(own)), expected, "{base}");
    }
    let mut given = spec(Value::Null);
    let parameters = [("kind".to_owned(), json!("prod"))];
    given.template_ref.as_mut().unwrap().parameters = parameters.into();
    let template = template(json!({"type": "${{params.kind}}"}));
    assert_eq!(type_of(Some(&template), &given), Prod);
    assert_eq!(type_of(None, &spec(Value::Null)), Dev);
}

#[test]
fn a_parameter_outside_of_a_template_is_refused_and_not_taken_for_text() {
    let error = refused(json!({"templateRef": REF(), "services": {"worker": {
        "source": {"image": "nginx"},
        "deploy": {"startCommand": "run ${{params.host}}"},
        "variables": {"HOST": "${{params.host}}"},
    }}}));
    let paths: Vec<&str> = error
        .faults()
        .iter()
        .map(|fault| fault.path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "spec.services.worker.deploy.startCommand",
            "spec.services.worker.variables.HOST"
        ]
    );
}

#[test]
fn a_template_that_is_not_there_is_never_taken_for_an_empty_one() {
    let spec = instance(json!({"templateRef": {"name": "gone"}, "project": {"name": "shop"}}));
    assert_eq!(
        effective(None, &spec),
        Err(MergeError::TemplateMissing("gone".into()))
    );
}

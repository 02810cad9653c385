//! One row a rule: what is written, where the fault lies, of which kind.

use serde_json::{Value, json};

use super::*;
use FaultReason::{
    Duplicate, Forbidden, Invalid, NotSupported, Required, TooLong, TypeInvalid, UnknownField,
};

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
fn every_rule_of_an_environment_names_its_field() {
    let thirty_three = "a".repeat(33);
    for (spec, path, reason) in [
        (json!({"serivces": {}}), "spec.serivces", UnknownField),
        (json!({"suspend": "yes"}), "spec.suspend", TypeInvalid),
        (json!({"variables": null}), "spec.variables", TypeInvalid),
        (json!({"type": "production"}), "spec.type", NotSupported),
        (json!({"name": "Web"}), "spec.name", Invalid),
        (json!({"name": thirty_three}), "spec.name", TooLong),
        (json!({"project": {}}), "spec.project", Required),
        (json!({"project": null}), "spec.project", Required),
        (
            json!({"project": {"name": "a", "id": "5b0ebbcd-3c27-4f7f-a0f5-4b3a3ad3e6e0"}}),
            "spec.project.id",
            Forbidden,
        ),
        (
            json!({"project": {"id": "shop"}}),
            "spec.project.id",
            Invalid,
        ),
        (
            json!({"project": {"name": " shop"}}),
            "spec.project.name",
            Invalid,
        ),
        (json!({"accountRef": {}}), "spec.accountRef.name", Required),
        (
            json!({"accountRef": {"name": "A_b"}}),
            "spec.accountRef.name",
            Invalid,
        ),
        (
            json!({"source": {"repo": "https://github.com/acme/shop"}}),
            "spec.source.repo",
            Invalid,
        ),
        (
            json!({"source": {"repo": "acme/shop", "commit": "abc"}}),
            "spec.source.commit",
            Invalid,
        ),
        (
            json!({"source": {"branch": "a b"}}),
            "spec.source.branch",
            Invalid,
        ),
        (
            json!({"source": {"branch": "main", "commit": "a".repeat(40)}}),
            "spec.source.commit",
            Forbidden,
        ),
        (json!({"ttl": "-1h"}), "spec.ttl", Invalid),
        (json!({"ttl": ""}), "spec.ttl", Invalid),
        (json!({"ttl": "1m"}), "spec.ttl", Invalid),
        (json!({"ttl": "400d"}), "spec.ttl", Invalid),
        (json!({"ttl": 60}), "spec.ttl", TypeInvalid),
        (
            json!({"ttl": "1h", "expiresAt": "2027-01-31T18:00:00Z"}),
            "spec.expiresAt",
            Forbidden,
        ),
        (json!({"expiresAt": "tomorrow"}), "spec.expiresAt", Invalid),
        (
            json!({"rollout": {"strategy": "paralel"}}),
            "spec.rollout.strategy",
            NotSupported,
        ),
        (
            json!({"drift": {"ignore": ["services.web.deploy.replica"]}}),
            "spec.drift.ignore[0]",
            Invalid,
        ),
        (
            json!({"drift": {"ignore": ["services.wbe"]}}),
            "spec.drift.ignore[0]",
            Invalid,
        ),
        (
            json!({"drift": {"ignore": ["ttl"]}}),
            "spec.drift.ignore[0]",
            Invalid,
        ),
        (
            json!({"drift": {"ignore": ["spec.services.web"]}}),
            "spec.drift.ignore[0]",
            Invalid,
        ),
        (
            json!({"services": {thirty_three.clone(): {"engine": "redis"}}}),
            &format!("spec.services.{thirty_three}"),
            TooLong,
        ),
        (
            json!({"services": {"shared": {"engine": "redis"}}}),
            "spec.services.shared",
            Forbidden,
        ),
        (
            json!({"services": {"a.b": {"engine": "redis"}}}),
            "spec.services[a.b]",
            Invalid,
        ),
        (
            json!({"services": {"DB": {"engine": "redis"}, "db": {"engine": "redis"}}}),
            "spec.services.db",
            Duplicate,
        ),
    ] {
        assert_eq!(
            found(&environment(&with(spec.clone()))),
            [(path, reason)],
            "{spec}"
        );
    }
}

#[test]
fn every_rule_of_a_service_names_its_field() {
    for (service, path, reason) in [
        (json!({}), "source", Required),
        (
            json!({"source": {"image": "Nginx:"}}),
            "source.image",
            Invalid,
        ),
        (
            json!({"source": {"image": "nginx", "repo": "a/b"}}),
            "source.repo",
            Forbidden,
        ),
        (json!({"source": {"repo": "shop"}}), "source.repo", Invalid),
        (
            json!({"source": {"repo": "a/b", "rootDirectory": "../x"}}),
            "source.rootDirectory",
            Invalid,
        ),
        (json!({"engine": "postgress"}), "engine", NotSupported),
        (
            json!({"engine": "postgres", "source": {"repo": "a/b"}}),
            "source.repo",
            Forbidden,
        ),
        (
            json!({"engine": "postgres", "version": 17}),
            "version",
            TypeInvalid,
        ),
        (
            json!({"source": {"repo": "a/b"}, "version": "17"}),
            "version",
            Forbidden,
        ),
        (
            json!({"engine": "redis", "deploy": {"replicas": 51}}),
            "deploy.replicas",
            Invalid,
        ),
        (
            json!({"engine": "redis", "deploy": {"replicas": -1}}),
            "deploy.replicas",
            Invalid,
        ),
        (
            json!({"engine": "redis", "deploy": {"replicas": 1, "regions": {"us-west2": 1}}}),
            "deploy.replicas",
            Forbidden,
        ),
        (
            json!({"engine": "redis", "deploy": {"regions": {"us-west2": 30, "us-east4": 30}}}),
            "deploy.regions",
            Invalid,
        ),
        (
            json!({"engine": "redis", "deploy": {"regions": {"US": 1}}}),
            "deploy.regions.US",
            Invalid,
        ),
        (
            json!({"engine": "redis", "deploy": {"cron": "* * * * *"}}),
            "deploy.cron",
            Invalid,
        ),
        (
            json!({"engine": "redis", "deploy": {"cron": "0 3 * * *", "replicas": 2}}),
            "deploy.cron",
            Forbidden,
        ),
        (
            json!({"engine": "redis", "deploy": {"healthcheck": {"path": "health"}}}),
            "deploy.healthcheck.path",
            Invalid,
        ),
        (
            json!({"engine": "redis", "deploy": {"limits": {"cpu": 0}}}),
            "deploy.limits.cpu",
            Invalid,
        ),
        (
            json!({"engine": "redis", "deploy": {"limits": {"memory": "512"}}}),
            "deploy.limits.memory",
            Invalid,
        ),
        (
            json!({"engine": "redis", "deploy": {"overlap": "5"}}),
            "deploy.overlap",
            Invalid,
        ),
        (
            json!({"engine": "redis", "deploy": {"replicas": 2}, "volumes": {"data": {}}}),
            "deploy.replicas",
            Forbidden,
        ),
        (
            json!({"engine": "redis", "tcpProxies": [0]}),
            "tcpProxies[0]",
            Invalid,
        ),
        (
            json!({"engine": "redis", "tcpProxies": [70000]}),
            "tcpProxies[0]",
            Invalid,
        ),
        (
            json!({"engine": "redis", "tcpProxies": [1, 1]}),
            "tcpProxies[1]",
            Duplicate,
        ),
        (
            json!({"engine": "redis", "volumes": {"a": {}, "b": {}}}),
            "volumes.b",
            Forbidden,
        ),
        (
            json!({"engine": "redis", "volumes": {"a": {"mountPath": "data"}}}),
            "volumes.a.mountPath",
            Invalid,
        ),
        (
            json!({"engine": "redis", "volumes": {"a": {"size": "5GB"}}}),
            "volumes.a.size",
            Invalid,
        ),
        (
            json!({"engine": "redis", "volumes": {"a": {"backups": ["daily", "daily"]}}}),
            "volumes.a.backups[1]",
            Duplicate,
        ),
        (
            json!({"source": {"image": "nginx"}, "volumes": {"a": {}}}),
            "volumes.a.mountPath",
            Required,
        ),
        (
            json!({"engine": "redis", "domains": [{}, {}]}),
            "domains[1]",
            Duplicate,
        ),
        (
            json!({"engine": "redis", "domains": [{"name": "localhost"}]}),
            "domains[0].name",
            Invalid,
        ),
        (
            json!({"engine": "redis", "domains": [{"name": "a.up.railway.app"}]}),
            "domains[0].name",
            Forbidden,
        ),
        (
            json!({"engine": "redis", "domains": [{"port": 0}]}),
            "domains[0].port",
            Invalid,
        ),
        (
            json!({"engine": "redis", "dependsOn": ["web"]}),
            "dependsOn[0]",
            Invalid,
        ),
        (
            json!({"engine": "redis", "dependsOn": ["db"]}),
            "dependsOn[0]",
            Invalid,
        ),
    ] {
        let path = format!("spec.services.web.{path}");
        assert_eq!(
            found(&environment(&with_service(service.clone()))),
            [(path.as_str(), reason)],
            "{service}"
        );
    }
}

#[test]
fn every_rule_of_a_variable_names_its_field() {
    for (name, variable, path, reason) in [
        ("1A", json!("x"), "", Invalid),
        ("RAILWAY_SERVICE_ID", json!("x"), "", Forbidden),
        ("MIRAGE_ENVIRONMENT_ID", json!("x"), "", Forbidden),
        ("A", json!(1.10), "", Invalid),
        ("A", json!(["x"]), "", TypeInvalid),
        ("A", json!("${{api.URL}}"), "", Invalid),
        ("A", json!("${{params.x}}"), "", Invalid),
        ("A", json!("${{web.URL"), "", Invalid),
        ("A", json!({}), "", Invalid),
        (
            "A",
            json!({"preserve": true, "generate": {"length": 32}}),
            "",
            Invalid,
        ),
        ("A", json!({"preserve": false}), ".preserve", Invalid),
        ("A", json!({"preserve": true, "x": 1}), ".x", UnknownField),
        (
            "A",
            json!({"secretRef": {"name": "s"}}),
            ".secretRef.key",
            Required,
        ),
        (
            "A",
            json!({"secretRef": {"name": "s", "key": ""}}),
            ".secretRef.key",
            Invalid,
        ),
        (
            "A",
            json!({"secretRef": {"name": "s", "key": "k", "kye": "k"}}),
            ".secretRef.kye",
            UnknownField,
        ),
        (
            "A",
            json!({"copyFrom": {"environment": "staging", "name": "1"}}),
            ".copyFrom.name",
            Invalid,
        ),
        (
            "A",
            json!({"generate": {"length": 8}}),
            ".generate.length",
            Invalid,
        ),
        ("A", json!({"generate": {}}), ".generate.length", Required),
    ] {
        let object =
            with_service(json!({"source": {"image": "nginx"}, "variables": {name: variable}}));
        let path = format!("spec.services.web.variables.{name}{path}");
        assert_eq!(
            found(&environment(&object)),
            [(path.as_str(), reason)],
            "{variable}"
        );
        let shared = with(json!({"variables": {name: variable}}));
        let path = path.replace("spec.services.web.", "spec.");
        assert_eq!(
            found(&environment(&shared)),
            [(path.as_str(), reason)],
            "{variable}"
        );
    }
}

#[test]
fn variables_of_every_form_are_taken() {
    let variables = json!({
        "TEXT": "a ${{web.PORT}} ${{shared.X}} ${{ RAILWAY_PUBLIC_DOMAIN }}",
        "NUMBER": 8080,
        "FLAG": true,
        "EMPTY": "",
        "GONE": null,
        "SECRET": {"secretRef": {"name": "s", "key": "k"}},
        "KEPT": {"preserve": true},
        "COPIED": {"copyFrom": {"environment": "staging", "service": "web", "name": "X"}},
        "MADE": {"generate": {"length": 32}},
        "RAILWAY_RUN_UID": "0",
    });
    assert_eq!(environment(&with(json!({"variables": variables}))), []);
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
fn a_broken_object_is_refused_and_not_a_panic() {
    for object in [
        json!(null),
        json!([]),
        json!("x"),
        json!({}),
        json!({"spec": 1, "metadata": 2}),
    ] {
        for kind in KINDS {
            assert!(!super::object(kind, &object).is_empty(), "{kind} {object}");
        }
    }
    assert_eq!(
        found(&super::object("Enviroment", &json!({}))),
        [("kind", NotSupported)]
    );
}

#[test]
fn a_templates_layers_and_parameters_are_checked() {
    let object = |spec: Value| json!({"metadata": {"name": "t"}, "spec": spec});
    let sound = json!({
        "parameters": {"n": {"type": "integer", "default": 2}, "host": {"type": "string"}},
        "allowedOverrides": ["services.web.deploy.replicas"],
        "base": {
            "services": {"web": {
                "source": {"image": "acme/web:${{params.host}}"},
                "deploy": {"replicas": "${{params.n}}"},
                "domains": [{"name": "${{params.host}}"}],
                "variables": {"A": "${{params.host}} ${{db.URL}}"},
            }},
        },
        "types": {"prod": {"drift": null}},
    });
    assert_eq!(template(&object(sound)), []);
    for (spec, path, reason) in [
        (
            json!({"base": {"servces": {}}}),
            "spec.base.servces",
            UnknownField,
        ),
        (json!({"base": {"ttl": "1m"}}), "spec.base.ttl", Invalid),
        (
            json!({"base": {"ttl": "${{params.x}}"}}),
            "spec.base.ttl",
            Invalid,
        ),
        (json!({"base": {"name": "x"}}), "spec.base.name", Forbidden),
        (
            json!({"base": {"templateRef": {"name": "x"}}}),
            "spec.base.templateRef",
            Forbidden,
        ),
        (
            json!({"types": {"production": {}}}),
            "spec.types.production",
            NotSupported,
        ),
        (
            json!({"types": {"prod": {"type": "prod"}}}),
            "spec.types.prod.type",
            Forbidden,
        ),
        (
            json!({"allowedOverrides": ["service.web"]}),
            "spec.allowedOverrides[0]",
            Invalid,
        ),
        (
            json!({"parameters": {"a-b": {"type": "string"}}}),
            "spec.parameters.a-b",
            Invalid,
        ),
        (
            json!({"parameters": {"a": {}}}),
            "spec.parameters.a.type",
            Required,
        ),
        (
            json!({"parameters": {"a": {"type": "string", "minimum": 1}}}),
            "spec.parameters.a.minimum",
            Forbidden,
        ),
        (
            json!({"parameters": {"a": {"type": "integer", "default": "x"}}}),
            "spec.parameters.a.default",
            Invalid,
        ),
        (
            json!({"parameters": {"a": {"type": "string", "pattern": "("}}}),
            "spec.parameters.a.pattern",
            Invalid,
        ),
        (
            json!({"parameters": {"a": {"type": "number", "minimum": 2, "maximum": 1}}}),
            "spec.parameters.a.minimum",
            Invalid,
        ),
        (
            json!({"parameters": {"a": {"type": "string"}}, "base": {"suspend": "${{params.a}}"}}),
            "spec.base.suspend",
            TypeInvalid,
        ),
    ] {
        assert_eq!(
            found(&template(&object(spec.clone()))),
            [(path, reason)],
            "{spec}"
        );
    }
}

#[test]
fn an_accounts_fields_are_checked() {
    let object = |spec: Value| json!({"metadata": {"name": "default"}, "spec": spec});
    assert_eq!(
        account(&object(
            json!({"secretRef": {"name": "s", "key": "token"}, "tokenType": "project"})
        )),
        []
    );
    for (spec, path, reason) in [
        (
            json!({"secretRef": {"name": "s"}}),
            "spec.secretRef.key",
            Required,
        ),
        (json!({"tokenType": "team"}), "spec.tokenType", NotSupported),
        (json!({"workspace": ""}), "spec.workspace", Invalid),
        (json!({"token": "x"}), "spec.token", UnknownField),
    ] {
        assert_eq!(
            found(&account(&object(spec.clone()))),
            [(path, reason)],
            "{spec}"
        );
    }
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

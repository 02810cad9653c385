//! The rules of the other kinds, and of objects that are none.

use serde_json::json;

use super::*;
use FaultReason::{
    Duplicate, Forbidden, Invalid, NotSupported, Required, TypeInvalid, UnknownField,
};

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
            json!({"rollout": {"waves": [["dev"], ["prod", "dev"]]}}),
            "spec.rollout.waves[1][1]",
            Duplicate,
        ),
        (
            json!({"rollout": {"waves": [["devel"]]}}),
            "spec.rollout.waves[0][0]",
            NotSupported,
        ),
        (
            json!({"rollout": {"waves": [[]]}}),
            "spec.rollout.waves[0]",
            Invalid,
        ),
        (
            json!({"rollout": {"parallel": 0}}),
            "spec.rollout.parallel",
            Invalid,
        ),
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
fn a_preview_policys_fields_are_checked() {
    let object = |spec: Value| {
        let mut whole = json!({
            "repository": "acme/shop",
            "githubSecretRef": {"name": "github"},
            "from": {"template": {"name": "shop"}},
        });
        for (key, value) in spec.as_object().unwrap() {
            whole[key] = value.clone();
        }
        json!({"metadata": {"name": "shop"}, "spec": whole})
    };
    let sound = json!({
        "apiUrl": "https://github.example.com/api/v3",
        "webhookSecretRef": {"name": "github", "key": "webhook"},
        "interval": "30s",
        "from": {"template": {"name": "shop", "parameters": {"version": "{{ pr.sha }}"}}},
        "baseBranches": ["main", "release/*"],
        "paths": "focused",
        "ttl": "3d",
        "maxConcurrent": 5,
        "variables": {"URL": "${{web.URL}}/{{ pr.number }}", "N": 1, "GONE": null, "K": {"secretRef": {"name": "s", "key": "k"}}},
        "nameTemplate": "{{ policy.name }}-{{ pr.branch }}",
    });
    assert_eq!(preview_policy(&object(sound)), []);
    for (spec, path, reason) in [
        (json!({"repository": "shop"}), "spec.repository", Invalid),
        (
            json!({"githubSecretRef": {}}),
            "spec.githubSecretRef.name",
            Required,
        ),
        (
            json!({"githubSecretRef": {"name": "s", "key": "k"}}),
            "spec.githubSecretRef.key",
            UnknownField,
        ),
        (
            json!({"apiUrl": "github.example.com"}),
            "spec.apiUrl",
            Invalid,
        ),
        (
            json!({"apiUrl": "https://user@github.example.com"}),
            "spec.apiUrl",
            Invalid,
        ),
        (
            json!({"webhookSecretRef": {"name": "s"}}),
            "spec.webhookSecretRef.key",
            Required,
        ),
        (json!({"interval": "5s"}), "spec.interval", Invalid),
        (json!({"interval": "2d"}), "spec.interval", Invalid),
        (json!({"from": {}}), "spec.from", Required),
        (
            json!({"from": {"template": {"name": "a"}, "environment": {"name": "b"}}}),
            "spec.from.environment",
            Forbidden,
        ),
        (
            json!({"from": {"template": {"name": "a", "parameters": {"x": "{{ pr.nubmer }}"}}}}),
            "spec.from.template.parameters.x",
            Invalid,
        ),
        (json!({"project": {}}), "spec.project", Required),
        (json!({"labels": [" "]}), "spec.labels[0]", Invalid),
        (json!({"paths": "some"}), "spec.paths", NotSupported),
        (json!({"ttl": "1m"}), "spec.ttl", Invalid),
        (json!({"maxConcurrent": 0}), "spec.maxConcurrent", Invalid),
        (
            json!({"variables": {"A": "{{ pr.title }}"}}),
            "spec.variables.A",
            Invalid,
        ),
        (
            json!({"variables": {"RAILWAY_X": "1"}}),
            "spec.variables.RAILWAY_X",
            Forbidden,
        ),
        (
            json!({"nameTemplate": "{{ pr.sha }}"}),
            "spec.nameTemplate",
            Invalid,
        ),
        (json!({"nameTemplate": ""}), "spec.nameTemplate", Invalid),
    ] {
        assert_eq!(
            found(&preview_policy(&object(spec.clone()))),
            [(path, reason)],
            "{spec}"
        );
    }
    let mut long = object(json!({}));
    long["metadata"]["name"] = json!("a".repeat(64));
    assert_eq!(found(&preview_policy(&long)), [("metadata.name", Invalid)]);
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
fn layers_that_are_right_alone_and_wrong_together_are_refused() {
    let object = |prod: Value| {
        json!({"metadata": {"name": "t"}, "spec": {
            "base": {
                "ttl": "1d",
                "services": {
                    "web": {"source": {"image": "nginx"}, "dependsOn": ["api"]},
                    "api": {"source": {"image": "nginx"}},
                },
            },
            "types": {"prod": prod},
        }})
    };
    for (prod, path, reason) in [
        (
            json!({"services": {"web": {"source": {"repo": "a/b"}}}}),
            "spec.types.prod.services.web.source.repo",
            Forbidden,
        ),
        (
            json!({"expiresAt": "2027-01-31T18:00:00Z"}),
            "spec.types.prod.expiresAt",
            Forbidden,
        ),
        (
            json!({"services": {"api": {"dependsOn": ["web"]}}}),
            "spec.types.prod.services.web.dependsOn[0]",
            Invalid,
        ),
    ] {
        assert_eq!(
            found(&template(&object(prod.clone()))),
            [(path, reason)],
            "{prod}"
        );
    }
    let removed =
        json!({"services": {"web": {"source": {"image": null, "repo": "a/b"}}}, "ttl": null});
    assert_eq!(template(&object(removed)), []);
}

fn git_sync_with(fields: Value) -> Value {
    let mut spec = json!({"url": "https://github.com/acme/shop"});
    for (name, value) in fields.as_object().unwrap() {
        spec[name] = value.clone();
    }
    json!({"metadata": {"name": "shop"}, "spec": spec})
}

#[test]
fn a_git_sync_takes_every_way_to_a_repository() {
    for url in [
        "https://github.com/acme/shop.git",
        "https://git.example.com:8443/acme/shop",
        "ssh://git@github.com/acme/shop.git",
        "ssh://git.example.com:2222/srv/shop.git",
        "git@github.com:acme/shop.git",
        "file:///srv/git/shop.git",
        "http://127.0.0.1:3000/shop.git",
        "http://localhost/shop.git",
        "http://[::1]:80/shop.git",
    ] {
        assert_eq!(git_sync(&git_sync_with(json!({"url": url}))), [], "{url}");
    }
}

#[test]
fn the_address_of_a_git_sync_holds_no_credentials_and_no_fault_repeats_them() {
    for (url, reason) in [
        ("https://canary-token@github.com/acme/shop", Forbidden),
        ("https://x:canary-token@github.com/acme/shop", Forbidden),
        ("http://x:canary-token@127.0.0.1/acme/shop", Forbidden),
        ("ssh://git:canary-token@github.com/acme/shop", Forbidden),
        ("https://github.com/shop?token=canary-token", Invalid),
        ("https://github.com/canary-token shop", Invalid),
        ("http://git.example.com/canary-token", Forbidden),
        ("http://127.0.0.1.example.com/canary-token", Forbidden),
        ("git@github.com:--canary-token", Invalid),
        ("ftp://git.example.com/canary-token", NotSupported),
        ("canary-token", Invalid),
        ("file://canary-token/shop.git", Invalid),
        ("https:///canary-token", Invalid),
    ] {
        let faults = git_sync(&git_sync_with(json!({"url": url})));
        assert_eq!(found(&faults), [("spec.url", reason)], "{url}");
        assert!(!format!("{faults:?}").contains("canary"), "{faults:?}");
    }
}

#[test]
fn a_git_syncs_other_fields_are_checked_where_they_stand() {
    for (fields, path, reason) in [
        (json!({"branch": "a b"}), "spec.branch", Invalid),
        (json!({"commit": "abc"}), "spec.commit", Invalid),
        (json!({"branch": "a", "tag": "b"}), "spec.tag", Forbidden),
        (json!({"path": "../x"}), "spec.path", Invalid),
        (json!({"path": "/x"}), "spec.path", Invalid),
        (json!({"interval": "1s"}), "spec.interval", Invalid),
        (json!({"interval": "2d"}), "spec.interval", Invalid),
        (
            json!({"secretRef": {"name": "A"}}),
            "spec.secretRef.name",
            Invalid,
        ),
        (
            json!({"webhookSecretRef": {"name": "github", "key": ""}}),
            "spec.webhookSecretRef.key",
            Invalid,
        ),
        (
            json!({"allowed": {"kinds": ["secrets"]}}),
            "spec.allowed.kinds[0]",
            Invalid,
        ),
        (
            json!({"allowed": {"namespaces": ["*"]}}),
            "spec.allowed.namespaces[0]",
            Invalid,
        ),
        (
            json!({"variables": {"values": {"1A": "x"}}}),
            "spec.variables.values.1A",
            Invalid,
        ),
        (
            json!({"variables": {"values": {"A": {}}}}),
            "spec.variables.values.A",
            TypeInvalid,
        ),
        (json!({"drift": "repair"}), "spec.drift", NotSupported),
        (json!({"prun": true}), "spec.prun", UnknownField),
    ] {
        assert_eq!(found(&git_sync(&git_sync_with(fields))), [(path, reason)]);
    }
    let mut long = git_sync_with(json!({}));
    long["metadata"]["name"] = "a".repeat(64).into();
    assert_eq!(found(&git_sync(&long)), [("metadata.name", Invalid)]);
}

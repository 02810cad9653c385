//! One row a rule of an Environment: what is written, where the fault lies, of which kind.

use serde_json::json;

use super::*;
use FaultReason::{
    Duplicate, Forbidden, Invalid, NotSupported, Required, TooLong, TypeInvalid, UnknownField,
};

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
            json!({"engine": "postgres", "source": {"rootDirectory": "/a"}}),
            "source.rootDirectory",
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
            json!({"source": {"image": "nginx"}, "deploy": {"replicas": 51}}),
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
            json!({"source": {"image": "nginx"}, "deploy": {"regions": {"us-west2": 30, "us-east4": 30}}}),
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
            json!({"source": {"image": "nginx"}, "deploy": {"cron": "0 3 * * *", "replicas": 2}}),
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
            json!({"engine": "redis", "deploy": {"replicas": 2}}),
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
            json!({"engine": "redis", "volumes": {"a": {"size": "1Ki"}}}),
            "volumes.a.size",
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
            json!({"copyFrom": {"projectId": "shop", "environment": "staging", "name": "A"}}),
            ".copyFrom.projectId",
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

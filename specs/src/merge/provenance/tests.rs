//! Rows for each kind of origin, and the law that an explanation says what the merge does.

use proptest::{prelude::*, sample::select};
use serde_json::{Map, json};

use super::*;
use crate::merge::effective;

fn template() -> EnvironmentTemplateSpec {
    serde_json::from_value(json!({
        "parameters": {"replicas": {"type": "integer", "default": 2}, "tag": {"type": "string", "default": "1"}},
        "base": {
            "project": {"name": "shop"},
            "source": {"repo": "acme/shop", "branch": "main"},
            "services": {
                "db": {"engine": "postgres", "version": "16"},
                "web": {
                    "deploy": {"replicas": 1, "sleep": true},
                    "variables": {"LOG": "debug", "TAG": "v${{params.tag}}", "OLD": "x"},
                },
            },
        },
        "types": {"prod": {
            "services": {"web": {"deploy": {"replicas": "${{params.replicas}}", "sleep": null}}},
        }},
    }))
    .unwrap()
}

fn explained(spec: Value) -> Explained {
    let spec = serde_json::from_value(spec).unwrap();
    explain(Some(&template()), &spec, "shop").unwrap()
}

/// `value | origin | overridden`, as people read it.
fn told(explained: &Explained, path: &str) -> String {
    let found: Vec<&Traced> = explained
        .fields
        .iter()
        .filter(|field| field.path.as_str() == path)
        .collect();
    let [field] = found.as_slice() else {
        return format!("{} entries", found.len());
    };
    let shown = |value: &Option<Value>| {
        value
            .as_ref()
            .map_or_else(|| "removed".to_owned(), Value::to_string)
    };
    let mut text = format!("{} | {}", shown(&field.value), field.origin);
    for parameter in &field.parameters {
        text.push_str(&format!(" with {parameter}"));
    }
    for below in &field.overridden {
        text.push_str(&format!(" | {} {}", below.origin, shown(&below.value)));
    }
    text
}

#[test]
fn every_value_says_where_it_comes_from_and_what_it_took_the_place_of() {
    let prod = explained(json!({
        "type": "prod",
        "templateRef": {"name": "shop"},
        "services": {"web": {
            "deploy": {"replicas": 4},
            "variables": {"LOG": {"secretRef": {"name": "s", "key": "k"}}, "OLD": null, "GONE": null},
        }},
    }));
    for (path, origin) in [
        ("spec.type", r#""prod" | environment"#),
        ("spec.project.name", r#""shop" | template base"#),
        (
            "spec.services.web.deploy.replicas",
            "4 | environment | template types.prod 2 | template base 1",
        ),
        (
            "spec.services.web.deploy.sleep",
            "removed | template types.prod | template base true",
        ),
        (
            "spec.services.web.variables.LOG",
            r#"{"secretRef":{"key":"k","name":"s"}} | environment | template base "debug""#,
        ),
        (
            "spec.services.web.variables.TAG",
            r#""v1" | template base with tag"#,
        ),
        (
            "spec.services.web.variables.OLD",
            r#"removed | environment | template base "x""#,
        ),
        ("spec.services.web.variables.GONE", "0 entries"),
        (
            "spec.services.web.source.repo",
            r#""acme/shop" | spec.source.repo"#,
        ),
        (
            "spec.services.db.source.image",
            r#""ghcr.io/railwayapp-templates/postgres-ssl:16" | engine: postgres"#,
        ),
        (
            "spec.services.db.version",
            r#"removed | engine: postgres | template base "16""#,
        ),
        (
            "spec.services.db.variables.PGPORT",
            r#""5432" | engine: postgres"#,
        ),
        ("spec.approval", r#""automatic" | default"#),
        ("spec.name", r#""shop" | default"#),
    ] {
        assert_eq!(told(&prod, path), origin, "{path}");
    }
    let overrides: Vec<&str> = prod.overrides().map(|field| field.path.as_str()).collect();
    assert_eq!(
        overrides,
        [
            "spec.services.web.deploy.replicas",
            "spec.services.web.variables.LOG",
            "spec.services.web.variables.OLD"
        ]
    );
}

#[test]
fn a_parameter_that_stands_alone_is_named_too() {
    let prod = explained(json!({"type": "prod", "templateRef": {"name": "shop"}}));
    assert_eq!(
        told(&prod, "spec.services.web.deploy.replicas"),
        "2 | template types.prod with replicas | template base 1"
    );
}

#[test]
fn a_removed_service_takes_all_of_its_values_along() {
    let without = explained(json!({"templateRef": {"name": "shop"}, "services": {"db": null}}));
    assert_eq!(
        told(&without, "spec.services.db.engine"),
        r#"removed | environment | template base "postgres""#
    );
    assert!(without.fields.iter().all(|field| {
        !field.path.as_str().starts_with("spec.services.db") || field.value.is_none()
    }));
}

#[test]
fn an_environment_alone_is_its_own_origin_and_has_defaults() {
    let spec = serde_json::from_value(json!({
        "project": {"name": "shop"}, "services": {"web": {"source": {"image": "nginx"}}},
    }))
    .unwrap();
    let alone = explain(None, &spec, "web").unwrap();
    assert_eq!(told(&alone, "spec.type"), r#""dev" | default"#);
    assert_eq!(
        told(&alone, "spec.services.web.source.image"),
        r#""nginx" | environment"#
    );
    assert_eq!(alone.overrides().count(), 0);
}

/// Layers that fit each other, with whatever one may say of a service.
fn any_layer() -> impl Strategy<Value = Value> {
    let service = prop_oneof![
        1 => Just(Value::Null),
        6 => (
            select(vec![json!({}), json!({"image": "nginx"}), json!({"rootDirectory": "/a"}), Value::Null]),
            select(vec![json!({}), json!({"replicas": 2}), json!({"replicas": null, "sleep": true}), json!({"restart": {"policy": "never"}})]),
            select(vec![json!({}), json!({"A": "1"}), json!({"A": null, "B": {"preserve": true}}), json!({"B": "x${{params.n}}"})]),
            prop::bool::ANY,
        )
            .prop_map(|(source, deploy, variables, given)| {
                let mut service = json!({"deploy": deploy, "variables": variables});
                if given && !source.is_null() {
                    service["source"] = source;
                }
                service
            }),
        1 => Just(json!({"engine": "redis", "version": "7"})),
        1 => Just(json!({"domains": [{}], "dependsOn": []})),
    ];
    let services = prop::collection::btree_map(
        select(vec!["a", "b", "c"]).prop_map(str::to_owned),
        service,
        0..4,
    );
    let shared = select(vec![
        json!({}),
        json!({"S": "1", "T": "2"}),
        json!({"S": null}),
        json!({"S": {"generate": {"length": 16}}}),
    ]);
    (services, shared, prop::bool::ANY).prop_map(|(services, variables, deletes)| {
        let services: Map<String, Value> = services.into_iter().collect();
        let mut layer = json!({"services": services, "variables": variables});
        if deletes {
            layer["deletion"] = json!("retain");
        }
        layer
    })
}

/// The values of an explanation as one spec again.
fn put_together(fields: &[Traced]) -> Value {
    let mut whole = json!({});
    for field in fields {
        let Some(value) = &field.value else { continue };
        let mut at = &mut whole;
        for key in field.keys() {
            at = &mut at[key.as_str()];
        }
        *at = value.clone();
    }
    whole
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn an_explanation_put_together_is_the_merge(base in any_layer(), typed in any_layer(), own in any_layer()) {
        let mut base = base;
        base["project"] = json!({"name": "shop"});
        base["source"] = json!({"repo": "acme/shop", "branch": "main"});
        let template: EnvironmentTemplateSpec = serde_json::from_value(json!({
            "parameters": {"n": {"type": "integer", "default": 3}},
            "base": base,
            "types": {"dev": typed},
        })).unwrap();
        let mut own = own;
        own["templateRef"] = json!({"name": "shop"});
        let text = own.to_string().replace("${{params.n}}", "y");
        let own: EnvironmentSpec = serde_json::from_str(&text).unwrap();
        let whole = effective(Some(&template), &own);
        let explained = explain(Some(&template), &own, "web");
        prop_assert_eq!(whole.is_ok(), explained.is_ok());
        if let (Ok(mut whole), Ok(explained)) = (whole, explained) {
            prop_assert_eq!(put_together(&explained.fields), serde_json::to_value(&explained.spec).unwrap());
            defaults::fill(&mut whole, "web");
            prop_assert_eq!(&whole, &explained.spec);
            let places: BTreeSet<&FieldPath> = explained.fields.iter().map(|field| &field.path).collect();
            prop_assert_eq!(places.len(), explained.fields.len(), "each place once");
            for field in &explained.fields {
                prop_assert!(field.value.is_some() || !field.overridden.is_empty(), "{}", field.path);
            }
        }
    }
}

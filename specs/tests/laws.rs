//! Laws that hold for any input, not only for the rows of a table.

use mirage_specs::{Environment, manifest, merge::effective, validate};
use proptest::{prelude::*, sample::select};
use serde_json::{Map, Value, json};

/// Sound and broken values for the fields of a service, mixed.
fn any_service() -> impl Strategy<Value = Value> {
    let choices: [(&str, Vec<Value>); 9] = [
        (
            "engine",
            vec![json!("postgres"), json!("redis"), json!("oracle")],
        ),
        ("version", vec![json!("16"), json!(16), json!(null)]),
        (
            "source",
            vec![
                json!({"image": "nginx"}),
                json!({"repo": "acme/shop", "branch": "main"}),
                json!({"rootDirectory": "/a"}),
                json!({"image": "nginx", "repo": "acme/shop"}),
                json!({"image": null}),
                json!(null),
            ],
        ),
        (
            "deploy",
            vec![
                json!({"replicas": 1, "cron": "0 3 * * *"}),
                json!({"replicas": 2, "regions": {"us-west2": null}}),
                json!({"replicas": 2, "regions": {"us-west2": 1}}),
                json!({"overlap": "10s", "sleep": null}),
                json!({"limits": {"cpu": 0.5, "memory": "512Mi"}}),
                json!([]),
            ],
        ),
        (
            "variables",
            vec![
                json!({"A": "${{b.X}}", "B": null}),
                json!({"A": {"generate": {"length": 16}}}),
                json!({"1": "x"}),
                json!({"A": 1.5}),
            ],
        ),
        (
            "domains",
            vec![
                json!([{}]),
                json!([{"name": "a.example.com", "port": 80}]),
                json!([{}, {}]),
                json!(null),
            ],
        ),
        (
            "tcpProxies",
            vec![json!([5432]), json!([1, 1]), json!(null)],
        ),
        (
            "volumes",
            vec![
                json!({"data": {"mountPath": "/data", "size": "1Gi"}}),
                json!({"data": {}}),
                json!({"data": null}),
                json!({"a": {"mountPath": "/a"}, "b": {"mountPath": "/b"}}),
            ],
        ),
        (
            "dependsOn",
            vec![json!(["b"]), json!(["a"]), json!(["c", "b"]), json!([])],
        ),
    ];
    // Mostly services that could run, so that what follows from being sound is tested too.
    (fields(choices.into()), prop::bool::weighted(0.8)).prop_map(|(mut service, runs)| {
        if runs && service["source"].is_null() && service["engine"].is_null() {
            service["source"] = json!({"image": "nginx"});
        }
        service
    })
}

fn any_spec() -> impl Strategy<Value = Value> {
    let services = prop::collection::btree_map(
        select(vec!["a", "b", "c"]).prop_map(str::to_owned),
        prop_oneof![9 => any_service(), 1 => Just(Value::Null)],
        0..4,
    );
    let rest = fields(vec![
        ("type", vec![json!("prod"), json!(null), json!("x")]),
        ("name", vec![json!("staging"), json!("A"), json!(null)]),
        (
            "source",
            vec![
                json!({"repo": "acme/shop", "commit": "a".repeat(40)}),
                json!({"repo": null}),
                json!({"repo": "x"}),
            ],
        ),
        (
            "variables",
            vec![
                json!({"LOG": "info", "OLD": null}),
                json!({"X": {"preserve": true}}),
            ],
        ),
        ("ttl", vec![json!("1d"), json!("1s"), json!(null)]),
        (
            "expiresAt",
            vec![json!("2027-01-31T18:00:00Z"), json!(null), json!("x")],
        ),
        (
            "drift",
            vec![
                json!({"mode": "report", "ignore": ["services.a.deploy"]}),
                json!(null),
            ],
        ),
        (
            "rollout",
            vec![json!({"strategy": "sequential", "healthTimeout": "5m"})],
        ),
        ("approval", vec![json!("always"), json!("never")]),
    ]);
    (services, rest, prop::bool::weighted(0.9)).prop_map(|(services, mut spec, project)| {
        spec["services"] = Value::Object(services.into_iter().collect());
        if project {
            spec["project"] = json!({"name": "shop"});
        }
        spec
    })
}

/// A map with some of the fields, each with one of its values.
fn fields(choices: Vec<(&'static str, Vec<Value>)>) -> impl Strategy<Value = Value> {
    let each: Vec<_> = choices
        .into_iter()
        .map(|(name, values)| {
            prop::option::weighted(0.2, select(values)).prop_map(move |value| (name, value))
        })
        .collect();
    each.prop_map(|fields| {
        let given = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(given.collect::<Map<_, _>>())
    })
}

fn object(spec: Value) -> Value {
    json!({"apiVersion": "mirage.dev/v1alpha1", "kind": "Environment", "metadata": {"name": "web"}, "spec": spec})
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn what_validation_lets_through_comes_to_an_environment(spec in any_spec()) {
        let object = object(spec);
        if validate::environment(&object).is_empty() {
            let environment: Environment = serde_json::from_value(object).unwrap();
            let whole = effective(None, &environment.spec).unwrap();
            prop_assert_eq!(&effective(None, &whole).unwrap(), &whole, "given in again it is unchanged");
            for service in whole.services.values() {
                let source = service.as_ref().unwrap().source.as_ref().unwrap();
                prop_assert_ne!(source.image.value().is_some(), source.repo.value().is_some());
            }
        }
    }

    #[test]
    fn the_same_faults_come_with_and_without_a_file(spec in any_spec()) {
        let object = object(spec);
        let faults = validate::environment(&object);
        let mut located: Vec<_> = manifest::check(&serde_yaml::to_string(&object).unwrap())
            .into_iter()
            .map(|located| located.fault)
            .collect();
        located.sort();
        prop_assert_eq!(located, faults);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-c:\\-\\[\\]{},&*<!'\"|>#%0 \n\t]{0,60}") {
        let _ = manifest::check(&text);
    }
}

//! A write that repeats the `spec` is worked out without looking at it. Nobody can tell: the same requests, said in a way
//! that makes the server read everything, get the same answers and leave the same objects and records.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{THINGS, World, thing};

const MERGE: &str = "application/merge-patch+json";
const JSON: &str = "application/json-patch+json";

/// What a client does with the object that it has read.
#[derive(Debug, Clone)]
enum Step {
    Put {
        subresource: &'static str,
        manager: &'static str,
        edit: Value,
        managed: Stated,
    },
    Merge {
        subresource: &'static str,
        manager: &'static str,
        edit: Value,
    },
    Json {
        pointer: &'static str,
        value: Value,
    },
    Resize(i64),
    Apply(Value),
    Delete,
}

/// What a PUT says of the managers.
#[derive(Debug, Clone, Copy)]
enum Stated {
    Nothing,
    AsRead,
    Others,
    Clear,
}

fn edit() -> impl Strategy<Value = Value> {
    let text = || prop_oneof![Just(json!("x")), Just(json!("y")), Just(Value::Null)];
    prop_oneof![
        text().prop_map(|value| json!({"metadata": {"labels": {"a": value}}})),
        text().prop_map(|value| json!({"metadata": {"annotations": {"b": value}}})),
        Just(json!({"metadata": {"labels": {"bad label": "x"}}})),
        Just(json!({"metadata": {"finalizers": ["test.dev/hold"]}})),
        Just(json!({"metadata": {"finalizers": null}})),
        Just(json!({"metadata": {"uid": "another"}})),
        Just(json!({"metadata": {"resourceVersion": "7"}})),
        Just(json!({"metadata": {"generation": 9, "unheard": "of"}})),
        Just(json!({"metadata": {"annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "{\"spec\":{\"color\":null,\"size\":null}}"
        }}})),
        Just(json!({"unheard": {"of": 1}})),
        Just(json!({})),
        text().prop_map(|value| json!({"status": {"phase": value}})),
        Just(json!({"status": {"phase": 7}})),
        Just(json!({"status": null})),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let subresource = || prop_oneof![2 => Just(""), 1 => Just("/status")];
    let manager = || prop_oneof![Just("one"), Just("two")];
    let managed = prop_oneof![
        3 => Just(Stated::AsRead),
        2 => Just(Stated::Nothing),
        1 => Just(Stated::Others),
        1 => Just(Stated::Clear),
    ];
    let pointer = prop_oneof![
        Just("/metadata/labels"),
        Just("/metadata/finalizers"),
        Just("/status"),
        Just("/metadata/managedFields"),
        Just("/metadata"),
    ];
    let value = prop_oneof![
        Just(json!({"c": "z"})),
        Just(json!(["test.dev/hold"])),
        Just(json!({"phase": "P"})),
        Just(Value::Null),
    ];
    prop_oneof![
        8 => (subresource(), manager(), edit(), managed).prop_map(|(subresource, manager, edit, managed)| {
            Step::Put { subresource, manager, edit, managed }
        }),
        4 => (subresource(), manager(), edit()).prop_map(|(subresource, manager, edit)| {
            Step::Merge { subresource, manager, edit }
        }),
        2 => (pointer, value).prop_map(|(pointer, value)| Step::Json { pointer, value }),
        1 => (0..120_i64).prop_map(Step::Resize),
        1 => edit().prop_map(Step::Apply),
        1 => Just(Step::Delete),
    ]
}

/// A server, and whether it is made to read everything.
struct Side {
    world: World,
    is_whole: bool,
}

impl Side {
    async fn new(is_whole: bool) -> Self {
        let world = World::new().await;
        let mut first = thing("it", 1);
        first["spec"]["color"] = json!("red");
        let (code, answer) = world.ask("POST", THINGS, first).await;
        assert_eq!(code, 201, "{answer}");
        Self { world, is_whole }
    }

    async fn take(&self, step: &Step) -> (u16, Value) {
        let it = format!("{THINGS}/it");
        let (_, read) = self.world.get(&it).await;
        match step {
            Step::Put {
                subresource,
                manager,
                edit,
                managed,
            } => {
                let mut body = read.clone();
                json_patch::merge(&mut body, edit);
                match managed {
                    Stated::AsRead => {}
                    Stated::Nothing => {
                        json_patch::merge(&mut body, &json!({"metadata": {"managedFields": null}}));
                    }
                    Stated::Others => {
                        body["metadata"]["managedFields"] = json!([{"manager": "other",
                            "operation": "Apply", "apiVersion": "test.dev/v1", "fieldsType": "FieldsV1",
                            "fieldsV1": {"f:spec": {"f:size": {}}}}]);
                    }
                    Stated::Clear => body["metadata"]["managedFields"] = json!([{}]),
                }
                // Said with more white space, the spec is not repeated word for word.
                let body = if self.is_whole {
                    format!("{body:#}")
                } else {
                    body.to_string()
                };
                let uri = format!("{it}{subresource}?fieldManager={manager}");
                let headers = [("content-type", "application/json")];
                self.world.send("PUT", &uri, &headers, body).await
            }
            Step::Merge {
                subresource,
                manager,
                edit,
            } => {
                let mut patch = edit.clone();
                if self.is_whole {
                    patch["spec"] = json!({});
                }
                let uri = format!("{it}{subresource}?fieldManager={manager}");
                self.world.patch(&uri, MERGE, patch).await
            }
            Step::Json { pointer, value } => {
                let mut patch = vec![json!({"op": "add", "path": pointer, "value": value})];
                if self.is_whole {
                    let spec = &read["spec"];
                    patch.insert(0, json!({"op": "test", "path": "/spec", "value": spec}));
                }
                self.world.patch(&it, JSON, json!(patch)).await
            }
            Step::Resize(size) => {
                let patch = json!({"spec": {"size": size}});
                self.world.patch(&it, MERGE, patch).await
            }
            Step::Apply(edit) => {
                let mut config = thing("it", 3);
                json_patch::merge(&mut config, edit);
                let uri = format!("{it}?fieldManager=three&force=true");
                let kind = "application/apply-patch+yaml";
                self.world.patch(&uri, kind, config).await
            }
            Step::Delete => self.world.ask("DELETE", &it, Value::Null).await,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").map_or(60, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nobody_can_tell_whether_the_spec_was_read(steps in prop::collection::vec(step(), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (quick, whole) = (Side::new(false).await, Side::new(true).await);
            for step in &steps {
                let answers = (quick.take(step).await, whole.take(step).await);
                prop_assert_eq!(&answers.0, &answers.1, "{:?}", step);
            }
            for path in [THINGS, "/api/v1/audit"] {
                let (left, kept) = (quick.world.get(path).await, whole.world.get(path).await);
                prop_assert_eq!(left.0, 200);
                prop_assert_eq!(left, kept);
            }
            Ok(())
        })?;
    }
}

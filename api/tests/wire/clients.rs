//! kube-rs as people use it: typed calls, watchers in every mode, and a controller with a finalizer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::controller::{Action, Controller};
use kube::runtime::finalizer::{Event as FinalizerEvent, finalizer};
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, ResourceExt as _};
use mirage_specs::Environment;
use serde::Deserialize as _;
use serde_json::json;
use tokio::sync::mpsc;

use crate::world::{Part, Thing, ThingSpec, ThingStatus, World};

fn sized(name: &str, size: i64) -> Thing {
    Thing::new(
        name,
        ThingSpec {
            size,
            ..ThingSpec::default()
        },
    )
}

#[tokio::test]
async fn typed_calls_do_what_they_say() {
    let world = World::new().await;
    let things = world.things();
    let created = things
        .create(&PostParams::default(), &sized("web", 1))
        .await
        .unwrap();
    assert_eq!(things.get("web").await.unwrap().spec, created.spec);

    let mut replaced = created.clone();
    replaced.spec.parts = vec![Part {
        name: "api".into(),
        image: None,
    }];
    let replaced = things
        .replace("web", &PostParams::default(), &replaced)
        .await
        .unwrap();
    assert_eq!(replaced.metadata.generation, Some(2));
    let stale = things
        .replace("web", &PostParams::default(), &created)
        .await;
    // Equal to what is there except for its version: the version alone decides.
    assert!(matches!(stale, Err(kube::Error::Api(status)) if status.reason == "Conflict"));

    let merge = Patch::Merge(json!({"spec": {"size": 5}}));
    assert_eq!(
        things
            .patch("web", &PatchParams::default(), &merge)
            .await
            .unwrap()
            .spec
            .size,
        5
    );
    let status = Patch::Merge(json!({"status": {"phase": "Ready"}}));
    let patched = things
        .patch_status("web", &PatchParams::default(), &status)
        .await
        .unwrap();
    assert_eq!(
        patched.status,
        Some(ThingStatus {
            phase: Some("Ready".into())
        })
    );
    let apply = Patch::Apply(
        json!({"apiVersion": "test.dev/v1", "kind": "Thing", "status": {"phase": "Gone"}}),
    );
    let applied = things
        .patch_status("web", &PatchParams::apply("me").force(), &apply)
        .await
        .unwrap();
    assert_eq!(applied.status.unwrap().phase.as_deref(), Some("Gone"));

    let listed = things
        .list(&ListParams::default().fields("metadata.name=web"))
        .await
        .unwrap();
    assert_eq!(
        (
            listed.items.len(),
            listed.metadata.resource_version.is_some()
        ),
        (1, true)
    );
    let metadata = things.list_metadata(&ListParams::default()).await.unwrap();
    assert_eq!(metadata.items[0].name_any(), "web");
    assert!(things.get_opt("gone").await.unwrap().is_none());
    assert!(
        things
            .delete("web", &DeleteParams::background())
            .await
            .unwrap()
            .is_right()
    );
    let deleted = things
        .delete_collection(&DeleteParams::default(), &ListParams::default())
        .await
        .unwrap();
    assert!(deleted.left().unwrap().items.is_empty());
}

#[tokio::test]
async fn the_kinds_around_ours_are_there() {
    let world = World::new().await;
    let namespaces: Api<Namespace> = Api::all(world.client());
    assert_eq!(
        namespaces
            .get("default")
            .await
            .unwrap()
            .status
            .unwrap()
            .phase
            .as_deref(),
        Some("Active")
    );
    let secrets: Api<Secret> = Api::default_namespaced(world.client());
    let secret = Secret {
        metadata: kube::core::ObjectMeta {
            name: Some("db".into()),
            ..Default::default()
        },
        string_data: Some(BTreeMap::from([("password".into(), "hunter2".into())])),
        ..Default::default()
    };
    let secret = secrets
        .create(&PostParams::default(), &secret)
        .await
        .unwrap();
    assert_eq!(secret.data.unwrap()["password"].0, b"hunter2");

    let leases: Api<Lease> = Api::default_namespaced(world.client());
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "leader"},
        "spec": {"holderIdentity": "a", "leaseDurationSeconds": 15, "renewTime": "2026-11-21T12:00:00.000000Z"}});
    let params = PatchParams::apply("a");
    leases
        .patch("leader", &params, &Patch::Apply(&lease))
        .await
        .unwrap();
    let mut stolen = lease.clone();
    stolen["spec"]["holderIdentity"] = json!("b");
    let conflict = leases
        .patch("leader", &PatchParams::apply("b"), &Patch::Apply(&stolen))
        .await;
    assert!(matches!(conflict, Err(kube::Error::Api(status)) if status.code == 409));
}

#[tokio::test]
async fn every_example_survives_the_way_through_the_server() {
    let world = World::new().await;
    let environments: Api<Environment> = Api::default_namespaced(world.client());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../specs/examples");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for document in serde_yaml::Deserializer::from_str(&text) {
            let object = serde_json::Value::deserialize(document).unwrap();
            if object["kind"] != "Environment" {
                continue;
            }
            let sent: Environment = serde_json::from_value(object).unwrap();
            let created = environments
                .create(&PostParams::default(), &sent)
                .await
                .unwrap();
            let (before, after) = (json!(sent.spec), json!(created.spec));
            assert_eq!(after, before, "{}", sent.name_any());
            let replaced = environments
                .replace(&sent.name_any(), &PostParams::default(), &created)
                .await
                .unwrap();
            assert_eq!(replaced.resource_version(), created.resource_version());
            seen += 1;
        }
    }
    assert!(seen > 3);
}

#[tokio::test(start_paused = true)]
async fn watchers_follow_in_every_mode() {
    for config in [
        watcher::Config::default().page_size(2),
        watcher::Config::default().any_semantic(),
        watcher::Config::default().streaming_lists(),
    ] {
        let world = World::new().await;
        let things = world.things();
        for name in ["a", "b", "c"] {
            things
                .create(&PostParams::default(), &sized(name, 1))
                .await
                .unwrap();
        }
        let mut events = watcher(things.clone(), config).boxed();
        let mut seen = Vec::new();
        while let Some(event) = events.try_next().await.unwrap() {
            seen.push(match event {
                Event::Init => "init".to_owned(),
                Event::InitApply(thing) => format!("+{}", thing.name_any()),
                Event::InitDone => "done".to_owned(),
                Event::Apply(thing) => format!("apply {}", thing.spec.size),
                Event::Delete(thing) => format!("-{}", thing.name_any()),
            });
            match seen.last().map(String::as_str) {
                Some("done") => {
                    let patch = Patch::Merge(json!({"spec": {"size": 2}}));
                    things
                        .patch("a", &PatchParams::default(), &patch)
                        .await
                        .unwrap();
                    things.delete("b", &DeleteParams::default()).await.unwrap();
                }
                Some("-b") => break,
                _ => {}
            }
        }
        assert_eq!(seen, ["init", "+a", "+b", "+c", "done", "apply 2", "-b"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_watcher_outlives_its_watches_and_misses_nothing() {
    let world = World::new().await;
    let things = world.things();
    let mut events = watcher(things.clone(), watcher::Config::default()).boxed();
    assert!(matches!(
        events.try_next().await.unwrap(),
        Some(Event::Init)
    ));
    assert!(matches!(
        events.try_next().await.unwrap(),
        Some(Event::InitDone)
    ));
    let writer = async {
        // Three times as long as kube-rs lets one watch last.
        tokio::time::sleep(Duration::from_secs(900)).await;
        things
            .create(&PostParams::default(), &sized("late", 1))
            .await
            .unwrap();
    };
    let (event, ()) = tokio::join!(events.try_next(), writer);
    assert!(matches!(event.unwrap(), Some(Event::Apply(thing)) if thing.name_any() == "late"));
}

#[derive(Debug, thiserror::Error)]
#[error("reconcile failed")]
struct Failed;

#[tokio::test(start_paused = true)]
async fn a_controller_with_a_finalizer_reconciles_and_cleans_up() {
    let world = World::new().await;
    let things = world.things();
    let (told, mut heard) = mpsc::unbounded_channel();
    let context = Arc::new((things.clone(), told));
    let controller = Controller::new(things.clone(), watcher::Config::default()).run(
        |thing: Arc<Thing>, context: Arc<(Api<Thing>, mpsc::UnboundedSender<String>)>| async move {
            let (things, told) = &*context;
            finalizer(things, "test.dev/cleanup", thing, |event| async {
                match event {
                    FinalizerEvent::Apply(thing) => {
                        let status = Patch::Merge(json!({"status": {"phase": "Ready"}}));
                        let patched = things
                            .patch_status(&thing.name_any(), &PatchParams::default(), &status)
                            .await;
                        patched.map_err(|_| Failed)?;
                        told.send(format!("applied {}", thing.name_any()))
                            .map_err(|_| Failed)?;
                        Ok(Action::await_change())
                    }
                    FinalizerEvent::Cleanup(thing) => {
                        told.send(format!("cleaned {}", thing.name_any()))
                            .map_err(|_| Failed)?;
                        Ok::<_, Failed>(Action::await_change())
                    }
                }
            })
            .await
        },
        |_, _, _| Action::requeue(Duration::from_secs(5)),
        context,
    );
    let running = tokio::spawn(controller.for_each(|_| async {}));
    let created = things
        .create(&PostParams::default(), &sized("web", 1))
        .await
        .unwrap();
    assert_eq!(heard.recv().await.unwrap(), "applied web");
    let is_ready = |thing: Option<&Thing>| {
        thing
            .and_then(|thing| thing.status.as_ref())
            .is_some_and(|status| status.phase.as_deref() == Some("Ready"))
    };
    await_condition(things.clone(), "web", is_ready)
        .await
        .unwrap();

    things
        .delete("web", &DeleteParams::default())
        .await
        .unwrap();
    loop {
        if heard.recv().await.unwrap() == "cleaned web" {
            break;
        }
    }
    let uid = created.uid().unwrap();
    await_condition(things.clone(), "web", conditions::is_deleted(&uid))
        .await
        .unwrap();
    assert!(things.get_opt("web").await.unwrap().is_none());
    running.abort();
}

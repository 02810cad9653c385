//! Owners and dependents, with the garbage collector at work.

use std::time::Duration;

use mirage_api::store::Store as _;
use serde_json::{Value, json};
use tokio::task::AbortHandle;

use crate::world::{THINGS, World, thing};

const MERGE: &str = "application/merge-patch+json";
const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// Much longer than anything takes; the time is simulated, so that only a failing test "waits" for it.
const PATIENCE: Duration = Duration::from_secs(600);

struct Collecting(AbortHandle);

impl Collecting {
    fn start(world: &World) -> Self {
        let api = world.api.clone();
        let task = tokio::spawn(async move { api.collect_garbage().await });
        Self(task.abort_handle())
    }
}

impl Drop for Collecting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn reference(owner: &Value, more: Value) -> Value {
    let mut reference = json!({"apiVersion": owner["apiVersion"], "kind": owner["kind"],
        "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]});
    let more = more.as_object().cloned().unwrap_or_default();
    reference.as_object_mut().unwrap().extend(more);
    reference
}

async fn owned_thing(world: &World, name: &str, owners: Value) -> Value {
    let mut manifest = thing(name, 1);
    manifest["metadata"]["ownerReferences"] = owners;
    let (code, created) = world.ask("POST", THINGS, manifest).await;
    assert_eq!(code, 201, "{created}");
    created
}

async fn free_thing(world: &World, name: &str) -> Value {
    owned_thing(world, name, json!([])).await
}

async fn is_gone(world: &World, name: &str) -> bool {
    world.get(&format!("{THINGS}/{name}")).await.0 == 404
}

async fn owners_of(world: &World, name: &str) -> Vec<String> {
    let (_, object) = world.get(&format!("{THINGS}/{name}")).await;
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners
        .into_iter()
        .flatten()
        .map(|owner| owner["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn delete(world: &World, name: &str, options: Value) -> Value {
    let (code, answer) = world
        .ask("DELETE", &format!("{THINGS}/{name}"), options)
        .await;
    assert_eq!(code, 200, "{answer}");
    answer
}

async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let tries = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let outcome = tokio::time::timeout(PATIENCE, tries).await;
    assert!(outcome.is_ok(), "waited in vain until {what}");
}

/// Until the collector has seen everything so far: it works in order, and this comes last.
async fn settled(world: &World) {
    let owner = free_thing(world, "last-owner").await;
    owned_thing(world, "last", json!([reference(&owner, json!({}))])).await;
    delete(world, "last-owner", json!({})).await;
    eventually("the collector has caught up", async || {
        is_gone(world, "last").await
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_dependent_goes_after_its_last_owner() {
    let world = World::new().await;
    let _collecting = Collecting::start(&world);
    let one = free_thing(&world, "one").await;
    let two = free_thing(&world, "two").await;
    let both = json!([reference(&one, json!({})), reference(&two, json!({}))]);
    let child = owned_thing(&world, "child", both).await;
    let grandchild = json!([reference(&child, json!({"controller": true}))]);
    owned_thing(&world, "grandchild", grandchild).await;
    delete(&world, "one", json!({})).await;
    eventually("the first owner is forgotten", async || {
        owners_of(&world, "child").await == ["two"]
    })
    .await;
    delete(&world, "two", json!({"propagationPolicy": "Background"})).await;
    eventually("all are gone", async || {
        is_gone(&world, "child").await && is_gone(&world, "grandchild").await
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn another_object_of_the_owners_name_is_not_the_owner() {
    let world = World::new().await;
    let _collecting = Collecting::start(&world);
    let owner = free_thing(&world, "owner").await;
    let wrong = json!([reference(&owner, json!({"uid": "of-another-life"}))]);
    owned_thing(&world, "wrong", wrong).await;
    let right = json!([reference(&owner, json!({}))]);
    owned_thing(&world, "right", right).await;
    eventually("the one with the wrong uid is gone", async || {
        is_gone(&world, "wrong").await
    })
    .await;
    settled(&world).await;
    assert_eq!(owners_of(&world, "right").await, ["owner"]);
}

#[tokio::test(start_paused = true)]
async fn in_the_foreground_an_owner_goes_after_the_dependents_that_block_it() {
    let world = World::new().await;
    let _collecting = Collecting::start(&world);
    let owner = free_thing(&world, "owner").await;
    let blocking = json!([reference(&owner, json!({"blockOwnerDeletion": true}))]);
    let loose = json!([reference(&owner, json!({}))]);
    owned_thing(&world, "blocking", blocking).await;
    owned_thing(&world, "loose", loose).await;
    for name in ["blocking", "loose"] {
        let held = json!({"metadata": {"finalizers": ["test.dev/hold"]}});
        world.patch(&format!("{THINGS}/{name}"), MERGE, held).await;
    }
    let answer = delete(&world, "owner", json!({"propagationPolicy": "Foreground"})).await;
    assert_eq!(
        answer["metadata"]["finalizers"],
        json!(["foregroundDeletion"])
    );
    let is_deleting = async |name: &str| {
        let (_, object) = world.get(&format!("{THINGS}/{name}")).await;
        object["metadata"]["deletionTimestamp"].is_string()
    };
    eventually("both dependents are to go", async || {
        is_deleting("blocking").await && is_deleting("loose").await
    })
    .await;
    settled(&world).await;
    assert!(is_deleting("owner").await);
    let free = json!({"metadata": {"finalizers": null}});
    world
        .patch(&format!("{THINGS}/blocking"), MERGE, free)
        .await;
    eventually("the owner is gone", async || is_gone(&world, "owner").await).await;
    assert!(is_deleting("loose").await);
}

#[tokio::test(start_paused = true)]
async fn orphaned_dependents_stay_and_forget_their_owner() {
    let world = World::new().await;
    let _collecting = Collecting::start(&world);
    for (index, (query, body)) in [
        ("", json!({"propagationPolicy": "Orphan"})),
        ("?propagationPolicy=Orphan", json!({})),
        ("?orphanDependents=true", Value::Null),
    ]
    .into_iter()
    .enumerate()
    {
        let (owner, child) = (format!("owner{index}"), format!("child{index}"));
        let object = free_thing(&world, &owner).await;
        owned_thing(&world, &child, json!([reference(&object, json!({}))])).await;
        let uri = format!("{THINGS}/{owner}{query}");
        let (code, answer) = world.ask("DELETE", &uri, body).await;
        assert_eq!(
            (code, &answer["metadata"]["finalizers"]),
            (200, &json!(["orphan"]))
        );
        eventually("the owner is gone", async || is_gone(&world, &owner).await).await;
        assert_eq!(owners_of(&world, &child).await, [""; 0]);
    }
    settled(&world).await;
    assert!(!is_gone(&world, "child0").await);
}

#[tokio::test(start_paused = true)]
async fn objects_that_own_each_other_go_together() {
    let world = World::new().await;
    let _collecting = Collecting::start(&world);
    let a = free_thing(&world, "a").await;
    let blocks = json!({"blockOwnerDeletion": true});
    let b = owned_thing(&world, "b", json!([reference(&a, blocks.clone())])).await;
    let circle = json!({"metadata": {"ownerReferences": [reference(&b, blocks)]}});
    world.patch(&format!("{THINGS}/a"), MERGE, circle).await;
    settled(&world).await;
    assert!(!is_gone(&world, "a").await);
    delete(&world, "a", json!({"propagationPolicy": "Foreground"})).await;
    eventually("both are gone", async || {
        is_gone(&world, "a").await && is_gone(&world, "b").await
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_owner_in_another_namespace_is_no_owner_and_a_warning_says_so() {
    let world = World::new().await;
    let _collecting = Collecting::start(&world);
    let elsewhere = "/apis/test.dev/v1/namespaces/kube-public/things";
    let (_, foreign) = world.ask("POST", elsewhere, thing("foreign", 1)).await;
    owned_thing(&world, "child", json!([reference(&foreign, json!({}))])).await;
    let (_, default) = world.get("/api/v1/namespaces/default").await;
    owned_thing(
        &world,
        "of-the-namespace",
        json!([reference(&default, json!({}))]),
    )
    .await;
    let events = "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dchild";
    eventually("there is a warning", async || {
        let (_, list) = world.get(events).await;
        let items = list["items"].as_array().unwrap().len();
        items == 1 && list["items"][0]["reason"] == "OwnerRefInvalidNamespace"
    })
    .await;
    settled(&world).await;
    assert!(!is_gone(&world, "child").await);
    assert!(!is_gone(&world, "of-the-namespace").await);
}

#[tokio::test(start_paused = true)]
async fn what_was_left_undone_is_done_after_a_restart() {
    let world = World::new().await;
    let owner = free_thing(&world, "owner").await;
    let front = free_thing(&world, "front").await;
    owned_thing(&world, "child", json!([reference(&owner, json!({}))])).await;
    let blocking = json!([reference(&front, json!({"blockOwnerDeletion": true}))]);
    owned_thing(&world, "blocking", blocking).await;
    delete(&world, "owner", json!({})).await;
    delete(&world, "front", json!({"propagationPolicy": "Foreground"})).await;
    // The changes themselves are forgotten: only what is there counts.
    let newest = *world.store.revision().borrow();
    world.store.compact(newest + 1).await.unwrap();
    assert!(!is_gone(&world, "child").await);
    let first = Collecting::start(&world);
    eventually("all are gone", async || {
        is_gone(&world, "child").await && is_gone(&world, "front").await
    })
    .await;
    assert!(is_gone(&world, "blocking").await);
    drop(first);

    // Another one is overtaken by compaction while it runs.
    let _second = Collecting::start(&world);
    settled(&world).await;
    let owner = free_thing(&world, "owner").await;
    let (_, map) = world
        .ask(
            "POST",
            CONFIG_MAPS,
            json!({"metadata": {"name": "map", "ownerReferences": [reference(&owner, json!({}))]}}),
        )
        .await;
    assert_eq!(map["metadata"]["name"], "map");
    delete(&world, "owner", json!({})).await;
    let newest = *world.store.revision().borrow();
    world.store.compact(newest + 1).await.unwrap();
    eventually("the map is gone", async || {
        world.get(&format!("{CONFIG_MAPS}/map")).await.0 == 404
    })
    .await;
}

#[tokio::test]
async fn references_and_options_that_make_no_sense_are_refused() {
    let world = World::new().await;
    let owner = free_thing(&world, "owner").await;
    for (owners, field) in [
        (
            json!([
                reference(&owner, json!({"controller": true})),
                reference(&owner, json!({"controller": true, "uid": "other"}))
            ]),
            "metadata.ownerReferences",
        ),
        (
            json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "x"}]),
            "metadata.ownerReferences[0].uid",
        ),
        (
            json!([reference(&owner, json!({"name": ""}))]),
            "metadata.ownerReferences[0].name",
        ),
        (
            json!([reference(
                &owner,
                json!({"kind": "Event", "apiVersion": "v1"})
            )]),
            "metadata.ownerReferences[0]",
        ),
    ] {
        let mut manifest = thing("child", 1);
        manifest["metadata"]["ownerReferences"] = owners;
        let (code, status) = world.ask("POST", THINGS, manifest).await;
        assert_eq!(
            (code, &status["details"]["causes"][0]["field"]),
            (422, &json!(field)),
            "{status}"
        );
    }
    for options in [
        json!({"propagationPolicy": "Sideways"}),
        json!({"propagationPolicy": "Orphan", "orphanDependents": true}),
    ] {
        let uri = format!("{THINGS}/owner");
        let (code, status) = world.ask("DELETE", &uri, options).await;
        assert_eq!((code, &status["reason"]), (422, &json!("Invalid")));
    }
}

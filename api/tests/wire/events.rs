//! Events: posted in one shape, read in the other, and forgotten after an hour.

use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Api, Resource as _};
use serde_json::{Value, json};

use crate::world::{Thing, ThingSpec, World};

#[tokio::test]
async fn wire_68_what_a_recorder_publishes_is_what_describe_reads() {
    let world = World::new().await;
    let things: Api<Thing> = world.things();
    let thing = things
        .create(
            &Default::default(),
            &Thing::new("web", ThingSpec::default()),
        )
        .await
        .unwrap();
    let reporter = Reporter {
        controller: "mirage".into(),
        instance: None,
    };
    let recorder = Recorder::new(world.client(), reporter);
    let event = || Event {
        type_: EventType::Normal,
        reason: "Provisioned".into(),
        note: Some("two services are up".into()),
        action: "Apply".into(),
        secondary: None,
    };
    recorder
        .publish(&event(), &thing.object_ref(&()))
        .await
        .unwrap();
    recorder
        .publish(&event(), &thing.object_ref(&()))
        .await
        .unwrap();

    let uid = thing.metadata.uid.unwrap();
    let selector = format!(
        "involvedObject.namespace%3Ddefault,involvedObject.kind%3DThing,involvedObject.uid%3D{uid},involvedObject.name%3Dweb"
    );
    let uri = format!("/api/v1/namespaces/default/events?fieldSelector={selector}&limit=500");
    let (_, list) = world.get(&uri).await;
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{list}");
    assert_eq!(items[0]["message"], "two services are up");
    assert_eq!(items[0]["involvedObject"]["name"], "web");
    assert_eq!(items[0]["series"]["count"], 2);
    let (_, none) = world
        .get("/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dother")
        .await;
    assert_eq!(none["items"], json!([]));
    let (_, new) = world
        .get("/apis/events.k8s.io/v1/events?fieldSelector=regarding.name%3Dweb")
        .await;
    assert_eq!(new["items"][0]["note"], "two services are up");
    assert_eq!(new["items"][0]["apiVersion"], "events.k8s.io/v1");
}

#[tokio::test]
async fn old_events_are_swept_away() {
    let world = World::new().await;
    let event = |name: &str, last: &str| {
        json!({"metadata": {"name": name}, "involvedObject": {"name": "web"}, "reason": "R", "message": "m",
            "lastTimestamp": last})
    };
    let uri = "/api/v1/namespaces/default/events";
    world
        .ask("POST", uri, event("old", "2026-11-21T10:59:00Z"))
        .await;
    world
        .ask("POST", uri, event("new", "2026-11-21T11:30:00Z"))
        .await;
    assert_eq!(world.api.sweep(1000).await.unwrap(), 1);
    let (_, list) = world.send("GET", uri, &[], Value::Null.to_string()).await;
    assert_eq!(list["items"][0]["metadata"]["name"], "new");
}

#[tokio::test]
async fn what_typed_clients_insist_on_is_there_whoever_wrote_the_event() {
    let world = World::new().await;
    let old = json!({"metadata": {"name": "bare"}, "reason": "R", "message": "m"});
    let (code, posted) = world
        .ask("POST", "/api/v1/namespaces/default/events", old)
        .await;
    assert_eq!((code, &posted["involvedObject"]), (201, &json!({})));
    let (_, list) = world
        .get("/apis/events.k8s.io/v1/namespaces/default/events")
        .await;
    assert_eq!(list["items"][0]["regarding"], json!({}));
    assert_eq!(list["items"][0]["eventTime"], "2026-11-21T12:00:00.000000Z");
}

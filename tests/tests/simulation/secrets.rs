//! Secrets and variables in a world on paused time: what a changed value takes, who is told of its use, what a store that
//! does not answer means, and what nobody can read.

#![expect(clippy::unwrap_used, reason = "in a test a failure is the message")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use kube::api::PostParams;
use mirage_railway_simulator::DashboardEdit;
use mirage_specs::SecretStore;
use mirage_tests::{
    invariants, manifest,
    world::{World, WorldOptions},
};
use mirage_vault::{Connection, Error, Place, StoredSecret, Vault};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);

/// A Vault that is a map, and counts who asks.
#[derive(Default)]
struct Shelf(Mutex<ShelfState>);

#[derive(Default)]
struct ShelfState {
    secrets: BTreeMap<String, (u64, BTreeMap<String, String>)>,
    reads: u64,
    is_sealed: bool,
}

impl Shelf {
    fn put(&self, path: &str, fields: &[(&str, &str)]) {
        let mut state = self.0.lock().unwrap();
        let version = state
            .secrets
            .get(path)
            .map_or(1, |(version, _)| version + 1);
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let fields = fields.iter().map(owned).collect();
        state.secrets.insert(path.to_owned(), (version, fields));
    }

    fn seal(&self, is_sealed: bool) {
        self.0.lock().unwrap().is_sealed = is_sealed;
    }

    fn take_reads(&self) -> u64 {
        std::mem::take(&mut self.0.lock().unwrap().reads)
    }
}

#[async_trait]
impl Vault for Shelf {
    async fn read(&self, _: &Connection, place: &Place) -> Result<StoredSecret, Error> {
        let mut state = self.0.lock().unwrap();
        state.reads += 1;
        if state.is_sealed {
            return Err(Error::Sealed);
        }
        let found = state.secrets.get(&place.path);
        let (version, fields) = found.cloned().ok_or_else(|| Error::NotFound {
            place: place.to_string(),
        })?;
        let fields = fields.into_iter().map(|(name, value)| (name, value.into()));
        Ok(StoredSecret {
            fields: fields.collect(),
            version,
        })
    }
}

async fn world(vault: Option<Arc<Shelf>>) -> World {
    let options = WorldOptions {
        vault: vault.map(|it| it as Arc<dyn Vault>),
        ..WorldOptions::lifelike(1)
    };
    let mut world = World::new(options).await.unwrap();
    world.start();
    world.pass(MINUTE).await;
    world
}

async fn rest(world: &mut World) {
    let rested = world
        .pass_until(45 * MINUTE, async |world| {
            Ok(invariants::unsettled(world).await?.is_empty())
        })
        .await
        .unwrap();
    assert!(rested, "{:?}", invariants::unsettled(world).await.unwrap());
}

/// An environment `shop` with these shared variables.
fn shop(variables: Value) -> Value {
    let mut manifest = manifest::many_services("shop", "shop", 1);
    manifest["spec"]["variables"] = variables;
    manifest
}

fn of_secret(key: &str) -> Value {
    json!({"secretRef": {"name": "keys", "key": key}})
}

fn of_store(path: &str, key: &str) -> Value {
    json!({"secretRef": {"store": "vault", "name": path, "key": key}})
}

async fn add_store(world: &World) {
    world.secrets("vault", json!({"token": "t"})).await.unwrap();
    let store: SecretStore = serde_json::from_value(json!({
        "apiVersion": "mirage.dev/v1alpha1", "kind": "SecretStore", "metadata": {"name": "vault"},
        "spec": {"vault": {
            "address": "https://vault.invalid",
            "auth": {"tokenSecretRef": {"name": "vault", "key": "token"}},
        }},
    }))
    .unwrap();
    let stores = world.objects::<SecretStore>();
    stores.create(&PostParams::default(), &store).await.unwrap();
}

fn on_railway(world: &World, name: &str) -> Option<String> {
    let inventory = world.simulator.inventory_with_values();
    let shop = inventory.environment("shop", "shop")?;
    shop.shared_variables.get(name).cloned().flatten()
}

/// Purpose, subject and version of each use that was recorded.
async fn uses(world: &World) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let records = world.audited("use").await.unwrap();
    records
        .iter()
        .map(|it| {
            let about = &it["object"];
            let subject = format!("{}/{}", text(&it["name"]), text(&about["key"]));
            (text(&about["purpose"]), subject, text(&about["version"]))
        })
        .collect()
}

async fn synced(world: &World) -> (String, String) {
    let status = world.status("shop").await.unwrap();
    let mut conditions = status.conditions.into_iter();
    let found = conditions.find(|it| it.type_ == "Synced").unwrap();
    (found.reason, found.message)
}

#[tokio::test(start_paused = true)]
async fn a_changed_secret_is_on_railway_within_a_minute_and_each_use_is_recorded_once() {
    let mut world = world(None).await;
    let keys = json!({"a": "first value", "b": "another value"});
    world.secrets("keys", keys).await.unwrap();
    let variables = json!({"A": of_secret("a"), "AGAIN": of_secret("a"), "B": of_secret("b")});
    world.apply(&shop(variables)).await.unwrap();
    rest(&mut world).await;
    assert_eq!(on_railway(&world, "AGAIN").as_deref(), Some("first value"));
    let first = uses(&world).await;
    let subjects: Vec<_> = first.iter().map(|(what, of, _)| (&**what, &**of)).collect();
    assert_eq!(subjects, [("sent", "keys/a"), ("sent", "keys/b")]);
    let record = &world.audited("use").await.unwrap()[0];
    assert_eq!(record["object"]["variables"], json!(["A", "AGAIN"]));
    assert_eq!(record["user"]["name"], "system:mirage-controllers");
    let uid = world
        .environment("shop")
        .await
        .unwrap()
        .unwrap()
        .metadata
        .uid
        .unwrap();
    assert_eq!(record["object"]["environment"]["environmentId"], uid);
    assert!(!record.to_string().contains("first value"));

    // Hours of visits that only see that all is as it was.
    world.pass(180 * MINUTE).await;
    assert_eq!(uses(&world).await, first);

    let keys = json!({"a": "second value", "b": "another value"});
    world.secrets("keys", keys).await.unwrap();
    let arrived = world
        .pass_until(MINUTE, async |world| {
            Ok(on_railway(world, "A").as_deref() == Some("second value"))
        })
        .await
        .unwrap();
    assert!(arrived, "the change woke nobody");
    rest(&mut world).await;
    let more = uses(&world).await.split_off(first.len());
    let more: Vec<_> = more.iter().map(|(what, of, _)| (&**what, &**of)).collect();
    assert_eq!(
        more,
        [("sent", "keys/a")],
        "what was not sent is not recorded again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_value_that_waits_for_approval_was_compared_and_is_sent_when_it_is_let_through() {
    let mut world = world(None).await;
    world
        .secrets("keys", json!({"a": "a value"}))
        .await
        .unwrap();
    let mut manifest = shop(json!({"A": of_secret("a")}));
    manifest["spec"]["approval"] = json!("always");
    world.apply(&manifest).await.unwrap();
    world.pass(60 * MINUTE).await;
    let compared = uses(&world).await;
    assert_eq!(compared.len(), 1, "{compared:?}");
    assert_eq!(compared[0].0, "compared");
    world
        .merge("shop", &json!({"spec": {"approval": "automatic"}}))
        .await
        .unwrap();
    rest(&mut world).await;
    let all = uses(&world).await;
    assert_eq!(all.last().unwrap().0, "sent");
}

#[tokio::test(start_paused = true)]
async fn many_variables_of_one_path_are_one_read_and_a_store_that_is_sealed_changes_nothing() {
    let shelf = Arc::new(Shelf::default());
    shelf.put(
        "shop/keys",
        &[("a", "value a"), ("b", "value b"), ("c", "value c")],
    );
    let mut world = world(Some(Arc::clone(&shelf))).await;
    add_store(&world).await;
    let many: BTreeMap<String, Value> = (0..30)
        .map(|index| {
            let key = ["a", "b", "c"][index % 3];
            (format!("V{index}"), of_store("shop/keys", key))
        })
        .collect();
    world.apply(&shop(json!(many))).await.unwrap();
    rest(&mut world).await;
    assert_eq!(on_railway(&world, "V2").as_deref(), Some("value c"));
    let sent = uses(&world).await;
    assert_eq!(sent.len(), 3, "one for each field: {sent:?}");

    // At rest there is a visit every ten minutes, and a read with each.
    shelf.take_reads();
    world.pass(120 * MINUTE).await;
    let reads = shelf.take_reads();
    assert!(
        (11..=14).contains(&reads),
        "{reads} reads in two hours at rest"
    );
    assert_eq!(uses(&world).await, sent);

    shelf.seal(true);
    shelf.put(
        "shop/keys",
        &[("a", "newer a"), ("b", "value b"), ("c", "value c")],
    );
    world.simulator.reset_requests();
    world.pass(30 * MINUTE).await;
    let (reason, message) = synced(&world).await;
    assert_eq!(reason, "SecretStoreUnavailable", "{message}");
    assert!(
        message.contains("spec.variables.V0") && message.contains("unseal"),
        "{message}"
    );
    assert_eq!(world.simulator.requests().mutations, 0);
    assert_eq!(on_railway(&world, "V0").as_deref(), Some("value a"));

    shelf.seal(false);
    rest(&mut world).await;
    assert_eq!(on_railway(&world, "V0").as_deref(), Some("newer a"));
    let (what, subject, version) = uses(&world).await.pop().unwrap();
    assert_eq!((&*what, &*subject, &*version), ("sent", "vault/a", "2"));
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_in_a_store_is_named_with_its_field() {
    let shelf = Arc::new(Shelf::default());
    shelf.put("shop/keys", &[("a", "value a")]);
    let mut world = world(Some(shelf)).await;
    world
        .apply(&shop(json!({"A": of_store("shop/keys", "nothing")})))
        .await
        .unwrap();
    world.pass(5 * MINUTE).await;
    let (reason, message) = synced(&world).await;
    assert_eq!(reason, "WaitingForSecret");
    assert!(
        message.contains("there is no SecretStore \"vault\""),
        "{message}"
    );
    // The store wakes who waits for it.
    add_store(&world).await;
    world.pass(MINUTE).await;
    let (_, message) = synced(&world).await;
    assert!(
        message.contains("spec.variables.A: secret/shop/keys in Vault has no field"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_sealed_variable_is_no_drift_and_cannot_be_copied() {
    let mut world = world(None).await;
    world
        .secrets("keys", json!({"a": "a value"}))
        .await
        .unwrap();
    world
        .apply(&shop(
            json!({"A": of_secret("a"), "OLD": {"preserve": true}}),
        ))
        .await
        .unwrap();
    rest(&mut world).await;
    let seal = |name: &str, value: &str| DashboardEdit::Patch {
        environment: "shop/shop".to_owned(),
        patch: json!({"sharedVariables": {name: {"value": value, "isSealed": true}}}),
    };
    for (name, value) in [("A", "a value"), ("OLD", "an old value")] {
        world.simulator.edit(seal(name, value)).unwrap();
    }
    world.pass(30 * MINUTE).await;
    world.simulator.reset_requests();
    world.pass(180 * MINUTE).await;
    let counts = world.simulator.requests();
    assert_eq!(counts.mutations, 0, "{counts:?}");
    assert_eq!(synced(&world).await.0, "InSync");

    // Another value is sent all the same, once.
    let keys = json!({"a": "a new value"});
    world.secrets("keys", keys).await.unwrap();
    let arrived = world
        .pass_until(5 * MINUTE, async |world| {
            Ok(on_railway(world, "A").as_deref() == Some("a new value"))
        })
        .await
        .unwrap();
    assert!(arrived);
    rest(&mut world).await;
    world.simulator.reset_requests();
    world.pass(60 * MINUTE).await;
    assert_eq!(world.simulator.requests().mutations, 0);

    let mut copy = shop(json!({"COPY": {"copyFrom": {"environment": "shop", "name": "OLD"}}}));
    copy["metadata"]["name"] = json!("copy");
    world.apply(&copy).await.unwrap();
    world.pass(20 * MINUTE).await;
    let status = world.status("copy").await.unwrap();
    let told = status.conditions.iter().any(|it| {
        it.reason == "CopySourceMissing"
            && it.message.contains("COPY")
            && it.message.contains("OLD is sealed and cannot be read")
    });
    assert!(told, "{:?}", status.conditions);
}

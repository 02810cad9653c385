//! Taking over what is on Railway already.

#![expect(clippy::unwrap_used, reason = "in a test a failure is the message")]

use std::{collections::BTreeMap, time::Duration};

use http::{Method, StatusCode};
use mirage_railway_simulator::{DashboardEdit, Inventory};
use mirage_specs::{
    catalog::RailwayEnvironment,
    convert,
    import::{ImportItem, ImportState, ImportWish},
};
use mirage_tests::{
    invariants, manifest, seeds,
    world::{World, WorldOptions},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);
const CANARY: &str = "canary-5b1d90c4e7";

/// Controllers that have looked at their credential, and a Railway that people use by hand.
async fn world(seed: u64) -> World {
    let mut world = World::new(WorldOptions::lifelike(seed)).await.unwrap();
    world.start();
    world.pass(MINUTE).await;
    world
}

fn by_hand(world: &World, edits: impl IntoIterator<Item = DashboardEdit>) {
    for edit in edits {
        world.simulator.edit(edit).unwrap();
    }
}

fn variable(service: Option<&str>, name: &str, value: &str) -> DashboardEdit {
    DashboardEdit::SetVariable {
        environment: "shop/production".to_owned(),
        service: service.map(str::to_owned),
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

fn service(name: &str, image: &str) -> DashboardEdit {
    DashboardEdit::CreateService {
        environment: "shop/production".to_owned(),
        name: name.to_owned(),
        image: image.to_owned(),
    }
}

/// A shop that somebody made in Railway's dashboard.
async fn shop_by_hand(world: &mut World) {
    let shop = DashboardEdit::CreateProject {
        name: "shop".to_owned(),
    };
    by_hand(
        world,
        [
            shop,
            service("web", "nginx:1.29"),
            service("db", "postgres:17"),
            variable(None, "LEVEL", "info"),
            variable(Some("db"), "PASSWORD", CANARY),
            variable(
                Some("web"),
                "URL",
                "postgres://app:${{db.PASSWORD}}@${{db.RAILWAY_PRIVATE_DOMAIN}}:5432",
            ),
            variable(Some("web"), "PORT", "8080"),
            DashboardEdit::SetReplicas {
                environment: "shop/production".to_owned(),
                service: "web".to_owned(),
                replicas: 3,
            },
        ],
    );
    world.pass(5 * MINUTE).await;
}

fn wish(environment: &str) -> ImportWish {
    ImportWish {
        project: "shop".to_owned(),
        environment: environment.to_owned(),
        ..ImportWish::default()
    }
}

async fn survey(world: &World, wish: ImportWish) -> ImportItem {
    let catalog = world.catalog().unwrap();
    let items = catalog.survey("default", "default", vec![wish]).await;
    items.unwrap().remove(0)
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

async fn synced(world: &World, name: &str) -> (String, String) {
    let status = world.status(name).await.unwrap();
    let found = status
        .conditions
        .into_iter()
        .find(|condition| condition.type_ == "Synced")
        .unwrap();
    (found.reason, found.message)
}

async fn plan(world: &World, name: &str) -> Vec<String> {
    let environment = world.environment(name).await.unwrap().unwrap();
    world.plan(&environment).await.unwrap().unwrap().lines
}

fn name_of(item: &ImportItem) -> String {
    item.name.clone()
}

#[tokio::test(start_paused = true)]
async fn an_environment_made_by_hand_is_taken_over_with_one_mark_and_nothing_else() {
    let mut world = world(1).await;
    shop_by_hand(&mut world).await;
    let item = survey(&world, wish("production")).await;
    assert_eq!(item.state, ImportState::Importable, "{:?}", item.problems);
    let spec = &item.manifest.as_ref().unwrap()["spec"];
    assert_eq!(spec["type"], "prod");
    assert_eq!(spec["deletion"], "retain");
    assert_eq!(spec["variables"], json!({"LEVEL": {"preserve": true}}));
    let web = &spec["services"]["web"];
    assert_eq!(web["source"]["image"], "nginx:1.29");
    let url = "postgres://${{db.PASSWORD}}";
    assert_eq!(
        web["variables"]["URL"],
        json!({"preserve": true}),
        "not {url}: a user name stands in it"
    );

    let deployments = deployments(&world);
    world.simulator.reset_requests();
    world.apply(item.manifest.as_ref().unwrap()).await.unwrap();
    rest(&mut world).await;
    let name = name_of(&item);
    assert_eq!(synced(&world, &name).await.0, "InSync");
    assert_eq!(plan(&world, &name).await, Vec::<String>::new());
    assert_eq!(world.simulator.requests().mutations, 1, "the mark alone");
    assert_eq!(
        self::deployments(&world),
        deployments,
        "nothing was deployed"
    );
    let status = world.status(&name).await.unwrap();
    assert_eq!(
        status.railway.unwrap().environment_id,
        item.railway_environment_id
    );

    // And from now on it is kept as declared, and left alone where nothing is declared.
    by_hand(
        &world,
        [
            variable(Some("db"), "PASSWORD", "another"),
            DashboardEdit::SetReplicas {
                environment: "shop/production".to_owned(),
                service: "web".to_owned(),
                replicas: 1,
            },
        ],
    );
    world.pass(10 * MINUTE).await;
    rest(&mut world).await;
    let again = survey(&world, wish("production")).await;
    assert_eq!(
        again.manifest.unwrap()["spec"]["services"]["web"]["deploy"],
        spec["services"]["web"]["deploy"]
    );
}

/// All that there is, but for the versions of configurations.
fn still(world: &World) -> Inventory {
    let mut inventory = world.simulator.inventory_with_values();
    let projects = inventory.projects.iter_mut();
    for environment in projects.flat_map(|project| &mut project.environments) {
        environment.etag.clear();
    }
    inventory
}

/// Deployments of everything, by environment and service.
fn deployments(world: &World) -> BTreeMap<(String, String), usize> {
    let inventory = world.simulator.inventory();
    let environments = inventory
        .projects
        .iter()
        .flat_map(|project| &project.environments);
    environments
        .flat_map(|environment| {
            let of = |name: &str| (environment.name.clone(), name.to_owned());
            environment
                .services
                .iter()
                .map(move |service| (of(&service.name), service.deployments.len()))
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn values_stay_on_railway_unless_they_are_asked_for() {
    let mut world = world(2).await;
    shop_by_hand(&mut world).await;
    let asked = ImportWish {
        plain: vec!["LEVEL".to_owned(), "web.PORT".to_owned()],
        ..wish("production")
    };
    let item = survey(&world, asked).await;
    let manifest = item.manifest.unwrap();
    assert_eq!(manifest["spec"]["variables"]["LEVEL"], "info");
    assert_eq!(
        manifest["spec"]["services"]["web"]["variables"]["PORT"],
        "8080"
    );
    assert_eq!(
        manifest["spec"]["services"]["db"]["variables"]["PASSWORD"],
        json!({"preserve": true})
    );
    world.apply(&manifest).await.unwrap();
    rest(&mut world).await;
    for resource in ["environments.mirage.dev", "events", "events.events.k8s.io"] {
        for object in world.past(resource).await.unwrap() {
            assert!(!object.to_string().contains(CANARY), "{object}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_spec_that_does_not_describe_what_there_is_touches_nothing() {
    let mut world = world(3).await;
    shop_by_hand(&mut world).await;
    let item = survey(&world, wish("production")).await;
    let name = name_of(&item);
    let good = item.manifest.unwrap();
    let mut wrong = good.clone();
    wrong["spec"]["services"]["web"]["source"]["image"] = json!("nginx:2");
    let before = still(&world);
    world.simulator.reset_requests();
    world.apply(&wrong).await.unwrap();
    world.pass(10 * MINUTE).await;
    let (reason, message) = synced(&world, &name).await;
    assert_eq!(reason, "ImportDiffers", "{message}");
    assert!(message.contains("nginx:2"), "{message}");
    let status = world.status(&name).await.unwrap();
    assert!(status.ledger.is_empty(), "{:?}", status.ledger);
    assert!(status.plan.is_some(), "the plan is shown");
    assert_eq!(world.simulator.requests().mutations, 0);
    assert_eq!(still(&world), before);

    world.apply(&good).await.unwrap();
    rest(&mut world).await;
    assert_eq!(synced(&world, &name).await.0, "InSync");

    // Deleting it leaves everything but the mark.
    world.delete(&name).await.unwrap();
    world.pass(10 * MINUTE).await;
    assert!(world.environment(&name).await.unwrap().is_none());
    assert_eq!(still(&world), before);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_or_is_anothers_is_neither_made_nor_taken() {
    let mut world = world(4).await;
    shop_by_hand(&mut world).await;
    let nowhere = survey(&world, wish("staging")).await;
    assert_eq!(nowhere.state, ImportState::Refused);
    assert_eq!(nowhere.problems[0].reason, "NotFound");

    let item = survey(&world, wish("production")).await;
    let mut missing = item.manifest.clone().unwrap();
    missing["metadata"]["name"] = json!("missing");
    missing["metadata"]["annotations"]["mirage.dev/import"] =
        json!("b1b7a3d0-0000-4000-8000-000000000000");
    world.simulator.reset_requests();
    world.apply(&missing).await.unwrap();
    world.pass(10 * MINUTE).await;
    assert_eq!(synced(&world, "missing").await.0, "ImportMissing");
    assert_eq!(world.simulator.requests().mutations, 0);
    world.delete("missing").await.unwrap();
    world.pass(5 * MINUTE).await;

    world.apply(item.manifest.as_ref().unwrap()).await.unwrap();
    rest(&mut world).await;
    let again = survey(&world, wish("production")).await;
    assert_eq!(again.problems[0].reason, "Marked");
}

#[tokio::test(start_paused = true)]
async fn what_mirage_left_behind_can_be_taken_over_again() {
    let mut world = world(5).await;
    let mut everything = manifest::one_of_everything("stage", "shop");
    everything["spec"]["deletion"] = json!("retain");
    world
        .secrets("keys", json!({"token": CANARY}))
        .await
        .unwrap();
    world.apply(&everything).await.unwrap();
    rest(&mut world).await;
    world.delete("stage").await.unwrap();
    world.pass(10 * MINUTE).await;
    assert!(world.environment("stage").await.unwrap().is_none());

    let item = survey(&world, wish("stage")).await;
    assert_eq!(item.state, ImportState::Importable, "{:?}", item.problems);
    world.simulator.reset_requests();
    world.apply(item.manifest.as_ref().unwrap()).await.unwrap();
    rest(&mut world).await;
    assert_eq!(world.simulator.requests().mutations, 1);
    assert_eq!(plan(&world, &name_of(&item)).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_process_killed_at_any_step_of_an_import_ends_with_one_mark() {
    for cut in 0..8 {
        let mut world = world(6).await;
        shop_by_hand(&mut world).await;
        let item = survey(&world, wish("production")).await;
        let before = still(&world);
        world.simulator.reset_requests();
        world.apply(item.manifest.as_ref().unwrap()).await.unwrap();
        world.pass(Duration::from_millis(400 * cut)).await;
        world.crash().await;
        rest(&mut world).await;
        assert_eq!(synced(&world, &name_of(&item)).await.0, "InSync");
        world.delete(&name_of(&item)).await.unwrap();
        world.pass(10 * MINUTE).await;
        assert_eq!(still(&world), before, "cut {cut}");
    }
}

#[tokio::test(start_paused = true)]
async fn browsing_shows_names_and_states_and_asks_railway_for_little() {
    let mut world = world(7).await;
    shop_by_hand(&mut world).await;
    world.simulator.reset_requests();
    let catalog = world.catalog().unwrap();
    for _ in 0..5 {
        let projects = catalog.projects("default", "default").await.unwrap();
        assert_eq!(projects.len(), 1);
        assert_eq!(
            (projects[0].environments, projects[0].services),
            (Some(1), Some(2))
        );
        let environments = catalog
            .environments("default", "default", "shop")
            .await
            .unwrap();
        assert_eq!(environments[0].name, "production");
        assert_eq!(environments[0].services_ready, "2/2");
    }
    let first = world.simulator.requests().total;
    assert!(first <= 2, "one list and one look, however often: {first}");
    let shop: RailwayEnvironment = catalog
        .environment("default", "default", "shop", "production")
        .await
        .unwrap();
    let web = shop
        .services
        .iter()
        .find(|service| service.name == "web")
        .unwrap();
    assert_eq!(web.image.as_deref(), Some("nginx:1.29"));
    assert_eq!(web.replicas, Some(3));
    let deployments = catalog
        .deployments("default", "default", ["shop", "production", "web"], 10)
        .await
        .unwrap();
    assert!(deployments[0].active, "{deployments:?}");
    assert_eq!(deployments[0].image.as_deref(), Some("nginx:1.29"));
    let all = format!("{shop:?} {deployments:?}");
    assert!(!all.contains(CANARY));
    assert!(
        catalog
            .environments("default", "default", "nowhere")
            .await
            .is_err()
    );
    world.pass(30 * MINUTE).await;
    let looks = world.simulator.requests().of("projectsByIds");
    assert_eq!(looks, 1, "what was only looked at is not watched");
}

/// What an environment comes to, taken over, exported, applied under another name and cloned, comes to the same.
#[tokio::test(start_paused = true)]
async fn a_clone_of_an_export_of_an_import_comes_to_the_same() {
    for seed in seeds::wanted(0..6).unwrap() {
        let mut world = world(seed).await;
        let mut random = StdRng::seed_from_u64(seed);
        let mut first = generated(&mut random);
        first["spec"]["deletion"] = json!("retain");
        world.apply(&first).await.unwrap();
        rest(&mut world).await;
        world.delete("first").await.unwrap();
        world.pass(10 * MINUTE).await;

        let all = ImportWish {
            plain: ["A", "B", "C", "TIER"].map(str::to_owned).to_vec(),
            ..wish("first")
        };
        let item = survey(&world, all.clone()).await;
        assert_eq!(
            item.state,
            ImportState::Importable,
            "seed {seed}: {:?}",
            item.problems
        );
        let imported = item.manifest.clone().unwrap();
        world.apply(&imported).await.unwrap();
        rest(&mut world).await;
        let name = name_of(&item);
        assert_eq!(
            plan(&world, &name).await,
            Vec::<String>::new(),
            "seed {seed}"
        );

        let stored = world.environment(&name).await.unwrap().unwrap();
        let text = serde_yaml::to_string(&convert::spec::exported(&json!(stored))).unwrap();
        let mut copy: Value = serde_yaml::from_str(&text).unwrap();
        copy["metadata"]["name"] = json!("copy");
        copy["spec"]["name"] = json!("copy");
        world.apply(&copy).await.unwrap();
        rest(&mut world).await;
        assert_eq!(
            plan(&world, "copy").await,
            Vec::<String>::new(),
            "seed {seed}"
        );

        clone(&mut world, "copy", "clone").await;
        assert_eq!(
            plan(&world, "clone").await,
            Vec::<String>::new(),
            "seed {seed}"
        );

        let expected = described(&survey(&world, all.clone()).await);
        for name in ["copy", "clone"] {
            let of_copy = ImportWish {
                environment: name.to_owned(),
                ..all.clone()
            };
            let of_copy = survey(&world, of_copy).await;
            assert_eq!(described(&of_copy), expected, "seed {seed}, {name}: {text}");
        }
    }
}

/// A copy, ready.
async fn clone(world: &mut World, source: &str, name: &str) {
    let source = world.environment(source).await.unwrap().unwrap();
    let path = format!(
        "/api/v1/environments/{}/clone",
        source.metadata.uid.unwrap()
    );
    let options = json!({"name": name});
    let (status, answer) = world
        .ask(Method::POST, &path, Some(&options))
        .await
        .unwrap();
    assert_eq!(status, StatusCode::CREATED, "{answer:#}");
    rest(world).await;
}

/// What an environment is described as, without its name.
fn described(item: &ImportItem) -> Value {
    let mut spec = item.manifest.clone().unwrap()["spec"].clone();
    spec["name"] = Value::Null;
    spec
}

/// An Environment of some services, each with some of everything that an export keeps.
fn generated(random: &mut StdRng) -> Value {
    let mut services = json!({});
    for name in ["api", "db", "web"] {
        if name != "web" && random.random_bool(0.4) {
            continue;
        }
        let mut service = json!({
            "source": {"image": format!("nginx:1.{}", random.random_range(10..20))},
            "variables": {"A": format!("value-{}", random.random_range(0..9)), "B": "${{shared.TIER}}"},
        });
        if random.random_bool(0.4) {
            service["volumes"]["data"] = json!({"mountPath": "/data"});
        } else if random.random_bool(0.5) {
            service["deploy"]["replicas"] = json!(random.random_range(1..4));
        }
        if random.random_bool(0.5) {
            service["deploy"]["startCommand"] = json!("serve --all");
        }
        if random.random_bool(0.4) {
            service["deploy"]["healthcheck"] = json!({"path": "/health", "timeout": "90s"});
        }
        if random.random_bool(0.3) {
            service["deploy"]["restart"] = json!({"policy": "always"});
        }
        if random.random_bool(0.3) {
            service["deploy"]["limits"] = json!({"cpu": 0.5, "memory": "512Mi"});
        }
        if random.random_bool(0.4) {
            service["domains"] = json!([{"port": 8080}]);
        }
        if random.random_bool(0.3) {
            service["tcpProxies"] = json!([5432]);
        }
        services[name] = service;
    }
    json!({
        "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment", "metadata": {"name": "first"},
        "spec": {"project": {"name": "shop"}, "variables": {"TIER": "gold"}, "services": services},
    })
}

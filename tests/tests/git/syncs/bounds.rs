//! What a repository may write, and what is filled into its files.

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use mirage_specs::EnvironmentTemplate;
use mirage_tests::git::Depot;
use serde_json::json;

use super::scene::{MINUTE, image, seen, sync, template, world};

#[tokio::test(start_paused = true)]
async fn a_repository_writes_what_it_may_and_nothing_else() {
    let mut world = world(11).await;
    let mut depot = Depot::new().unwrap();
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n";
    let elsewhere = template("x", "1").replace("{name: x}", "{name: x, namespace: other}");
    let files = [
        ("map.yaml", map.to_owned()),
        ("x.yaml", elsewhere),
        ("a.yaml", template("a", "1")),
    ];
    let commit = depot.push("main", files).unwrap();
    sync(&world, "shop", &depot, json!({})).await;
    let status_now = seen(&mut world, "shop", &commit).await;
    let said: Vec<&str> = status_now
        .faults
        .iter()
        .map(|fault| fault.message.as_str())
        .collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].contains("may not write ConfigMap") && said[1].contains("namespace \"other\""),
        "{said:?}"
    );
    assert!(image(&world, "a").await.is_some());
    assert!(
        world
            .objects::<ConfigMap>()
            .get_opt("settings")
            .await
            .unwrap()
            .is_none()
    );
    sync(
        &world,
        "shop",
        &depot,
        json!({"allowed": {"kinds": ["ConfigMap", "EnvironmentTemplate"]}}),
    )
    .await;
    world.pass(2 * MINUTE).await;
    assert!(
        world
            .objects::<ConfigMap>()
            .get_opt("settings")
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test(start_paused = true)]
async fn variables_are_filled_in_and_secret_ones_are_seen_nowhere() {
    let mut world = world(12).await;
    let mut depot = Depot::new().unwrap();
    world
        .secrets("values", json!({"TOKEN": "canary-4711"}))
        .await
        .unwrap();
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: made}\nstringData: {token: 'x-${TOKEN}'}\n";
    let leak = template("leak", "nginx:${TOKEN}");
    let undefined = template("undefined", "nginx:${NOPE}");
    let commit = depot
        .push(
            "main",
            [
                (
                    "a.yaml",
                    format!(
                        "{}        variables: {{REF: '${{{{shared.X}}}}', TAG: 'v${{TAG}}'}}\n",
                        template("a", "nginx:${TAG}")
                    ),
                ),
                ("secret.yaml", secret.to_owned()),
                ("leak.yaml", leak),
                ("undefined.yaml", undefined),
            ],
        )
        .unwrap();
    let fields = json!({
        "allowed": {"kinds": ["Secret", "EnvironmentTemplate"]},
        "variables": {"values": {"TAG": "1.5"}, "secretRef": {"name": "values"}},
    });
    sync(&world, "shop", &depot, fields).await;
    let status_now = seen(&mut world, "shop", &commit).await;
    let said: Vec<(&str, Option<usize>)> = status_now
        .faults
        .iter()
        .map(|fault| (fault.file.as_str(), fault.line))
        .collect();
    assert_eq!(
        said,
        [("leak.yaml", Some(8)), ("undefined.yaml", Some(8))],
        "{:?}",
        status_now.faults
    );
    assert_eq!(image(&world, "a").await.as_deref(), Some("nginx:1.5"));
    let a = world
        .objects::<EnvironmentTemplate>()
        .get("a")
        .await
        .unwrap();
    assert_eq!(
        serde_json::to_value(&a).unwrap()["spec"]["base"]["services"]["web"]["variables"],
        json!({"REF": "${{shared.X}}", "TAG": "v1.5"})
    );
    let made = world.objects::<Secret>().get("made").await.unwrap();
    assert_eq!(made.data.unwrap()["token"].0, b"x-canary-4711");
    world.pass(5 * MINUTE).await;
    for resource in [
        "gitsyncs.mirage.dev",
        "events",
        "environmenttemplates.mirage.dev",
    ] {
        let past = world.past(resource).await.unwrap();
        assert!(!past.is_empty(), "{resource}");
        assert!(!json!(past).to_string().contains("canary"), "{resource}");
    }
}

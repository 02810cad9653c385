//! 49 to 51 and 58 to 60: tables, pages, selections, waits and the events of an object.

use anyhow::{Result, ensure};
use jiff::Timestamp;
use mirage_tests::process::recorder::Recorder;
use serde_json::{Value, json};

use crate::{
    checklist::checklist,
    scene::{Scene, named, row},
};

checklist![
    wire_49_get_shows_the_columns_that_people_need,
    wire_50_a_long_list_comes_in_pages,
    wire_51_selectors_select_and_unknown_fields_are_refused,
    wire_58_wait_returns_when_it_is_so_and_fails_when_it_is_not,
    wire_58_wait_for_create_returns_when_it_is_there,
    wire_59_describe_and_events_tell_the_story,
    wire_60_events_of_the_newer_group_are_the_same_events,
];

async fn wire_49_get_shows_the_columns_that_people_need(scene: &Scene<'_>) -> Result<()> {
    scene.make("web").await?;
    scene
        .report(&json!({"phase": "Ready", "servicesReady": "2/2", "url": "https://web.example"}))
        .await?;
    let columns = |table: &str| -> Vec<String> {
        let header = table.lines().next().unwrap_or_default();
        header
            .split("  ")
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let table = scene.does("get env").await?;
    let short = [
        "NAME", "TYPE", "STATUS", "SERVICES", "DRIFT", "TTL", "URL", "AGE",
    ];
    ensure!(columns(&table) == short, "{table}");
    ensure!(
        row(
            &table,
            &["web", "dev", "Ready", "2/2", "https://web.example"]
        )
        .is_some(),
        "{table}"
    );
    let wide = scene.does("get env -o wide").await?;
    ensure!(
        columns(&wide) == [&short[..], &["PROJECT", "RAILWAY ID", "LAST RECONCILE"]].concat(),
        "{wide}"
    );
    let everywhere = scene.does("get env -A").await?;
    ensure!(
        row(&everywhere, &[&scene.namespace, "web"]).is_some()
            && everywhere.starts_with("NAMESPACE"),
        "{everywhere}"
    );
    let labels = scene.does("get env --show-labels").await?;
    ensure!(row(&labels, &["web", "app=web"]).is_some(), "{labels}");
    let chosen = scene.does("get env -L app").await?;
    ensure!(columns(&chosen).contains(&"APP".to_owned()), "{chosen}");

    scene.make("api").await?;
    let sorted = scene
        .does("get env --sort-by=.metadata.creationTimestamp --no-headers")
        .await?;
    ensure!(sorted.lines().count() == 2, "{sorted}");
    let names = scene
        .does("get env --sort-by=.metadata.name -o name")
        .await?;
    ensure!(
        names
            .lines()
            .eq(["environment.mirage.dev/api", "environment.mirage.dev/web"]),
        "{names}"
    );
    let both = scene.does("get env,ns").await?;
    ensure!(
        row(&both, &["environment.mirage.dev/web"]).is_some()
            && row(&both, &["namespace/default", "Active"]).is_some(),
        "{both}"
    );
    for all in ["get all", "get mirage"] {
        let category = scene.does(all).await?;
        // The kind goes before the name only where the category has objects of several.
        let short = category.replace("environment.mirage.dev/", "");
        ensure!(
            row(&short, &["web", "Ready"]).is_some(),
            "{all}: {category}"
        );
    }
    Ok(())
}

async fn wire_50_a_long_list_comes_in_pages(scene: &Scene<'_>) -> Result<()> {
    for name in ["a", "b", "c", "d", "e"] {
        scene.make(name).await?;
    }
    let recorder = Recorder::before(scene.mirage).await?;
    let rows = scene
        .does(&format!(
            "get env --chunk-size=2 --no-headers --server={}",
            recorder.address()
        ))
        .await?;
    ensure!(rows.lines().count() == 5, "{rows}");
    let asked: Vec<_> = recorder
        .take()
        .into_iter()
        .filter(|asked| asked.path == scene.environments())
        .collect();
    ensure!(
        asked.len() == 3
            && asked
                .iter()
                .all(|asked| asked.query.contains("limit=2") && asked.status == 200),
        "{asked:?}"
    );
    Ok(())
}

async fn wire_51_selectors_select_and_unknown_fields_are_refused(scene: &Scene<'_>) -> Result<()> {
    scene.make("a").await?;
    scene.make("b").await?;
    scene.does("label env b tier=x").await?;
    scene.write("c.yaml", &named("c").replace("app: web", "app: other"))?;
    scene.does("create -f c.yaml").await?;
    for (selector, expected) in [
        ("-l 'app in (web),tier!=x'", "a"),
        ("-l 'app in (web, other),tier'", "b"),
        ("-l 'app notin (web)'", "c"),
        ("-l 'app=web,!tier'", "a"),
        ("--field-selector metadata.name=b", "b"),
        ("--field-selector metadata.name!=a,metadata.name!=b", "c"),
    ] {
        let found = scene.does(&format!("get env {selector} -o name")).await?;
        ensure!(
            found.trim() == format!("environment.mirage.dev/{expected}"),
            "{selector}: {found}"
        );
    }
    scene
        .k("get env --field-selector spec.colour=blue")
        .await?
        .refused("BadRequest")?
        .refused("field label not supported: spec.colour")?;
    Ok(())
}

async fn wire_58_wait_returns_when_it_is_so_and_fails_when_it_is_not(
    scene: &Scene<'_>,
) -> Result<()> {
    scene.make("web").await?;
    scene
        .k("wait --for=condition=Ready env/web --timeout=1s")
        .await?
        .with(1)?
        .refused("timed out waiting for the condition")?;
    let mut ready = scene.starts(
        "wait --for=condition=Ready env/web --timeout=60s",
        "ready.txt",
    )?;
    let mut path = scene.starts(
        "wait --for=jsonpath={.status.phase}=Ready env/web --timeout=60s",
        "path.txt",
    )?;
    let condition = json!({"type": "Ready", "status": "True", "reason": "Test", "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1});
    scene
        .report(&json!({"phase": "Ready", "conditions": [condition]}))
        .await?;
    ensure!(ready.wait().await?.success(), "condition");
    ensure!(path.wait().await?.success(), "jsonpath");
    let said = scene.read("ready.txt")?;
    ensure!(
        said.trim() == "environment.mirage.dev/web condition met",
        "{said}"
    );

    let mut gone = scene.starts("wait --for=delete env/web --timeout=60s", "gone.txt")?;
    scene.does("delete env web").await?;
    ensure!(gone.wait().await?.success(), "delete");
    // What is not there is deleted.
    scene
        .does("wait --for=delete env/web --timeout=60s")
        .await?;
    Ok(())
}

async fn wire_58_wait_for_create_returns_when_it_is_there(scene: &Scene<'_>) -> Result<()> {
    scene
        .k("wait --for=create env/web --timeout=1s")
        .await?
        .with(1)?;
    let mut created = scene.starts("wait --for=create env/web --timeout=60s", "created.txt")?;
    scene.make("web").await?;
    ensure!(
        created.wait().await?.success(),
        "{}",
        scene.read("created.txt")?
    );
    Ok(())
}

/// An event about environment `web`, in the older group.
fn happened(web: &Value, reason: &str) -> Value {
    // Old ones are swept away.
    let now = format!("{:.0}", Timestamp::now());
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"generateName": "web.", "namespace": web["metadata"]["namespace"]},
        "involvedObject": {"apiVersion": "mirage.dev/v1alpha1", "kind": "Environment", "name": "web",
            "namespace": web["metadata"]["namespace"], "uid": web["metadata"]["uid"]},
        "reason": reason, "message": "as the test says", "type": "Normal", "count": 1,
        "firstTimestamp": now, "lastTimestamp": now,
        "source": {"component": "test"},
    })
}

/// What stands below `Events:`.
fn events_of(described: &str) -> &str {
    described.split("Events:").nth(1).unwrap_or_default()
}

async fn wire_59_describe_and_events_tell_the_story(scene: &Scene<'_>) -> Result<()> {
    let web = scene.make("web").await?;
    let described = scene.does("describe env web").await?;
    ensure!(events_of(&described).contains("<none>"), "{described}");
    scene.write("event.json", &happened(&web, "Provisioned").to_string())?;
    scene.does("create -f event.json").await?;
    let described = scene.does("describe env web").await?;
    let row_of = row(events_of(&described), &["Normal", "Provisioned", "test"]);
    ensure!(
        row_of.is_some_and(|row| row.contains("as the test says")),
        "{described}"
    );
    for line in ["events --for env/web", "get events"] {
        let events = scene.does(line).await?;
        ensure!(
            row(&events, &["Normal", "Provisioned"])
                .is_some_and(|row| row.to_lowercase().contains("environment/web")),
            "{line}: {events}"
        );
    }
    Ok(())
}

async fn wire_60_events_of_the_newer_group_are_the_same_events(scene: &Scene<'_>) -> Result<()> {
    let web = scene.make("web").await?;
    let old = happened(&web, "");
    let event = json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": old["metadata"],
        "regarding": old["involvedObject"], "reason": "Repaired", "note": "as the test says", "type": "Warning",
        "action": "Repair", "eventTime": format!("{:.6}", Timestamp::now()),
        "reportingController": "test.dev/controller", "reportingInstance": "one",
    });
    scene.write("event.json", &event.to_string())?;
    scene.does("create -f event.json").await?;
    let described = scene.does("describe env web").await?;
    let row_of = row(events_of(&described), &["Warning", "Repaired"]);
    ensure!(
        row_of.is_some_and(|row| row.contains("as the test says")),
        "{described}"
    );
    let newer = scene.does("get events.events.k8s.io -o json").await?;
    let newer: Value = serde_json::from_str(&newer)?;
    let found = &newer["items"][0];
    ensure!(
        found["note"] == "as the test says" && found["regarding"]["name"] == "web",
        "{newer}"
    );
    let sorted = scene
        .does("get events --sort-by=.lastTimestamp --no-headers")
        .await?;
    ensure!(row(&sorted, &["Warning", "Repaired"]).is_some(), "{sorted}");
    Ok(())
}

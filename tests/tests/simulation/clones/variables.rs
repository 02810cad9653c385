//! What becomes of variables, and where their values have been.

use mirage_railway_simulator::DashboardEdit;
use serde_json::json;

use super::scene::{DASHBOARD, MINUTE, PROJECT, SOURCE, Scene};

fn value<'v>(all: &'v std::collections::BTreeMap<String, Option<String>>, name: &str) -> &'v str {
    all[name].as_deref().unwrap()
}

#[tokio::test(start_paused = true)]
async fn overrides_win_for_the_environment_and_for_a_service() {
    let mut scene = Scene::new(21).await;
    scene
        .ready(json!({
            "name": "twin",
            "variables": {"LEVEL": "debug", "KEPT": "given", "BY_HAND": null},
            "services": {"api": {"variables": {"STRIPE_KEY": "test", "TOKEN": null, "MORE": "${{web.HOST}}"}}},
            "prefix": "x-",
        }))
        .await;
    let twin = scene.on_railway(PROJECT, "twin");
    assert_eq!(value(&twin.shared_variables, "LEVEL"), "debug");
    assert_eq!(value(&twin.shared_variables, "KEPT"), "given");
    assert!(!twin.shared_variables.contains_key("BY_HAND"));
    let api = twin.service("x-api").unwrap();
    assert_eq!(value(&api.variables, "STRIPE_KEY"), "test");
    assert!(!api.variables.contains_key("TOKEN"));
    // Options speak in the source's names.
    assert_eq!(value(&api.variables, "MORE"), "${{x-web.HOST}}");
    assert_eq!(value(&api.variables, "LEVEL"), "${{shared.LEVEL}}");
}

#[tokio::test(start_paused = true)]
async fn what_only_railway_has_is_copied_there_also_across_projects() {
    let mut scene = Scene::new(22).await;
    for project in [PROJECT, "other"] {
        let name = format!("in-{project}");
        scene.world.simulator.reset_requests();
        scene
            .ready(json!({"name": name, "project": {"name": project}}))
            .await;
        let copy = scene.on_railway(project, &name);
        assert_eq!(value(&copy.shared_variables, "KEPT"), DASHBOARD);
        assert_eq!(value(&copy.shared_variables, "BY_HAND"), DASHBOARD);
        let api = copy.service("api").unwrap();
        assert_eq!(value(&api.variables, "STRIPE_KEY"), DASHBOARD);
        assert_eq!(value(&api.variables, "TOKEN"), "canary-6f1e-secret");
        // One read for all of them, not one for each.
        assert_eq!(scene.world.simulator.requests().of("variables"), 0);
        // The mark is the copy's own.
        let uid = scene.id(&name).await;
        assert_eq!(value(&copy.shared_variables, "MIRAGE_ENVIRONMENT_ID"), uid);
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_is_copied_once_and_then_the_copys_own() {
    let mut scene = Scene::new(23).await;
    scene
        .ready(json!({"name": "twin", "project": {"name": "other"}}))
        .await;
    scene.edit(DashboardEdit::SetVariable {
        environment: format!("{PROJECT}/{SOURCE}"),
        service: Some("api".to_owned()),
        name: "STRIPE_KEY".to_owned(),
        value: "rotated".to_owned(),
    });
    scene.world.pass(20 * MINUTE).await;
    let api = scene.service("other", "twin", "api");
    assert_eq!(value(&api.variables, "STRIPE_KEY"), DASHBOARD);
    // And the source may go.
    scene.world.delete(SOURCE).await.unwrap();
    scene.is_gone(PROJECT, SOURCE).await;
    scene.world.pass(20 * MINUTE).await;
    scene.rests().await;
}

#[tokio::test(start_paused = true)]
async fn a_generated_password_is_generated_anew_and_a_text_stays_as_declared() {
    let mut scene = Scene::new(24).await;
    // What is declared counts, not what somebody made of it on Railway.
    scene.ready(json!({"name": "twin"})).await;
    let (old, new) = (
        scene.service(PROJECT, SOURCE, "db"),
        scene.service(PROJECT, "twin", "db"),
    );
    let password = "POSTGRES_PASSWORD";
    assert_eq!(value(&new.variables, password).len(), 32);
    assert_ne!(
        value(&new.variables, password),
        value(&old.variables, password)
    );
    assert_eq!(
        value(&new.variables, "POSTGRES_DB"),
        value(&old.variables, "POSTGRES_DB")
    );
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_copied_follows_services_with_another_name() {
    let mut scene = Scene::new(25).await;
    scene.edit(DashboardEdit::SetVariable {
        environment: format!("{PROJECT}/{SOURCE}"),
        service: Some("api".to_owned()),
        name: "PEER".to_owned(),
        value: "${{web.HOST}} http://web.railway.internal".to_owned(),
    });
    scene.world.pass(3 * MINUTE).await;
    for (name, project) in [("near", PROJECT), ("far", "other")] {
        scene
            .ready(json!({"name": name, "suffix": "-2", "project": {"name": project}}))
            .await;
        let api = scene.service(project, name, "api-2");
        assert_eq!(
            value(&api.variables, "PEER"),
            "${{web-2.HOST}} http://web-2.railway.internal"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_value_from_railway_and_none_of_a_secret_is_ever_in_our_store() {
    let mut scene = Scene::new(26).await;
    scene.seals("api", "SEALED").await;
    let options = json!({"name": "twin", "project": {"name": "other"}, "suffix": "-2", "exclude": ["web"],
                         "services": {"api": {"variables": {"SEALED": null}}}});
    let preview = json!(scene.preview(&options).await).to_string();
    assert!(!preview.contains("canary-6f1e"), "{preview}");
    let answer = scene.clones(options).await;
    assert!(!answer.to_string().contains("canary-6f1e"), "{answer}");
    scene.rests().await;
    let generated = scene.service("other", "twin", "db-2").variables["POSTGRES_PASSWORD"].clone();
    let planted = ["canary-6f1e", generated.as_deref().unwrap()];
    for resource in [
        "environments.mirage.dev",
        "railwayaccounts.mirage.dev",
        "orphans.mirage.dev",
        "events",
        "configmaps",
    ] {
        for object in scene.world.past(resource).await.unwrap() {
            let text = object.to_string();
            for value in planted {
                assert!(
                    !text.contains(value),
                    "{resource}: {:#}",
                    object["metadata"]
                );
            }
        }
    }
    let api = scene.service("other", "twin", "api-2");
    assert_eq!(value(&api.variables, "STRIPE_KEY"), DASHBOARD);
}

//! Made whole, or not at all; or kept, where that is asked.

use http::StatusCode;
use kube::ResourceExt as _;
use mirage_railway_simulator::{DashboardEdit, DeploymentEnding, Fault, FaultKind};
use mirage_specs::copy::{READY_BY, ROLLED_BACK};
use serde_json::json;

use super::scene::{LONG, MINUTE, PROJECT, SOURCE, Scene};

fn failing(service: &str) -> Fault {
    Fault::new(FaultKind::Deployment {
        ending: DeploymentEnding::BuildFails,
    })
    .object(service)
}

#[tokio::test(start_paused = true)]
async fn a_clone_of_which_a_part_fails_is_rolled_back_whole() {
    let mut scene = Scene::new(81).await;
    let _ = scene.world.simulator.inject(failing("web"));
    scene.clones(json!({"name": "twin"})).await;
    scene.is_gone(PROJECT, "twin").await;
    // Why stood on the object while it went.
    let told = scene.world.past("environments.mirage.dev").await.unwrap();
    let why = told
        .iter()
        .find_map(|object| object["metadata"]["annotations"][ROLLED_BACK].as_str());
    assert!(why.unwrap().contains("web"), "{why:?}");
    let events = scene.world.past("events").await.unwrap();
    let is_told = events
        .iter()
        .any(|event| event["reason"] == "CopyTakenBack");
    assert!(is_told);
    // The source is as it was.
    scene.rests().await;
    assert_eq!(scene.on_railway(PROJECT, SOURCE).services.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_clone_that_railway_refuses_is_rolled_back_and_a_project_made_for_it_stays() {
    let mut scene = Scene::new(82).await;
    for operation in ["environmentApplyChangeSet", "environmentPatchCommit"] {
        let kind = FaultKind::Refused {
            message: "Service limit reached".to_owned(),
            code: None,
        };
        let _ = scene
            .world
            .simulator
            .inject(Fault::new(kind).on(operation).object("acme/api"));
    }
    scene
        .clones(json!({"name": "twin", "project": {"name": "other"}}))
        .await;
    scene.is_gone("other", "twin").await;
    let inventory = scene.world.simulator.inventory();
    assert!(
        inventory.project("other").is_some(),
        "projects are never deleted"
    );
}

#[tokio::test(start_paused = true)]
async fn a_clone_that_is_not_ready_in_time_is_rolled_back() {
    let mut scene = Scene::new(83).await;
    let stuck = Fault::new(FaultKind::Deployment {
        ending: DeploymentEnding::NeverBuilt,
    });
    let _ = scene.world.simulator.inject(stuck.object("web"));
    scene
        .clones(json!({"name": "twin", "timeout": "20m"}))
        .await;
    scene.world.pass(19 * MINUTE).await;
    let twin = scene.get("twin").await;
    assert!(twin.metadata.deletion_timestamp.is_none());
    scene.is_gone(PROJECT, "twin").await;
}

#[tokio::test(start_paused = true)]
async fn a_clone_is_kept_on_request_and_becomes_ready_when_what_failed_is_put_right() {
    let mut scene = Scene::new(84).await;
    let fault = scene.world.simulator.inject(failing("web"));
    scene
        .clones(json!({"name": "twin", "onFailure": "keep"}))
        .await;
    scene.world.pass(LONG).await;
    let twin = scene.get("twin").await;
    assert!(!twin.annotations().contains_key(READY_BY));
    assert_eq!(twin.status.unwrap().phase.as_deref(), Some("Degraded"));
    scene.world.simulator.remove_fault(fault);
    let now = scene.world.now().to_string();
    let again = json!({"metadata": {"annotations": {"mirage.dev/retry": now}}});
    scene.world.merge("twin", &again).await.unwrap();
    let ready = scene
        .world
        .pass_until(LONG, async |world| {
            Ok(world.status("twin").await?.phase.as_deref() == Some("Ready"))
        })
        .await
        .unwrap();
    assert!(ready, "{:#?}", scene.get("twin").await.status);
}

#[tokio::test(start_paused = true)]
async fn a_clone_that_was_ready_once_is_never_taken_back() {
    let mut scene = Scene::new(85).await;
    scene.ready(json!({"name": "twin"})).await;
    let _ = scene.world.simulator.inject(failing("web"));
    scene.edit(DashboardEdit::Redeploy {
        environment: format!("{PROJECT}/twin"),
        service: "web".to_owned(),
    });
    scene.world.pass(2 * LONG).await;
    let twin = scene.get("twin").await;
    assert!(twin.metadata.deletion_timestamp.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_clone_made_goes_though_it_was_to_be_retained() {
    let mut scene = Scene::new(86).await;
    let retained = json!({"spec": {"deletion": "retain"}});
    scene.world.merge(SOURCE, &retained).await.unwrap();
    scene.world.pass(MINUTE).await;
    scene.rests().await;
    let _ = scene.world.simulator.inject(failing("web"));
    let answer = scene.clones(json!({"name": "twin"})).await;
    assert_eq!(answer["object"]["spec"]["deletion"], "retain");
    scene.is_gone(PROJECT, "twin").await;
}

#[tokio::test(start_paused = true)]
async fn a_clone_whose_place_on_railway_is_somebody_elses_is_taken_back_and_theirs_is_left() {
    let mut scene = Scene::new(87).await;
    scene.edit(DashboardEdit::CreateEnvironment {
        project: PROJECT.to_owned(),
        name: "twin".to_owned(),
    });
    scene.world.pass(5 * MINUTE).await;
    let theirs = scene.on_railway(PROJECT, "twin").id;
    let (status, answer) = scene.asks("clone", &json!({"name": "twin"})).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let gone = scene
        .world
        .pass_until(LONG, async |world| {
            Ok(world.environment("twin").await?.is_none())
        })
        .await
        .unwrap();
    assert!(gone);
    assert_eq!(scene.on_railway(PROJECT, "twin").id, theirs);
}

//! What was copied from what.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::scene::{PROJECT, SOURCE, Scene};

async fn asks(scene: &Scene, name: &str, what: &str) -> Value {
    let id = scene.id(name).await;
    let path = format!("/api/v1/environments/{id}/{what}");
    let (status, answer) = scene.ask(Method::GET, &path, None).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

fn names(all: &Value) -> Vec<(&str, bool)> {
    let all = all.as_array().unwrap();
    all.iter()
        .map(|one| (one["name"].as_str().unwrap(), one["exists"] == true))
        .collect()
}

async fn copies(scene: &mut Scene, from: &str, name: &str) {
    let id = scene.id(from).await;
    let path = format!("/api/v1/environments/{id}/clone");
    let (status, answer) = scene
        .ask(Method::POST, &path, Some(&json!({"name": name})))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    scene.rests().await;
}

#[tokio::test(start_paused = true)]
async fn clones_are_listed_with_both_ids() {
    let mut scene = Scene::at_once(61).await;
    copies(&mut scene, SOURCE, "a").await;
    copies(&mut scene, SOURCE, "b").await;
    copies(&mut scene, "a", "c").await;
    let answer = asks(&scene, SOURCE, "clones").await;
    assert_eq!(names(&answer["clones"]), [("a", true), ("b", true)]);
    let first = &answer["clones"][0];
    assert_eq!(first["environmentId"], json!(scene.id("a").await));
    let railway = scene.on_railway(PROJECT, "a").id;
    assert_eq!(first["railwayEnvironmentId"], json!(railway));
    assert_eq!(answer["environmentId"], json!(scene.id(SOURCE).await));
    let answer = asks(&scene, "c", "clones").await;
    assert_eq!(answer["clones"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn the_lineage_of_a_copy_of_a_copy_is_known_also_when_the_one_between_was_deleted() {
    let mut scene = Scene::at_once(62).await;
    copies(&mut scene, SOURCE, "a").await;
    copies(&mut scene, "a", "b").await;
    copies(&mut scene, "b", "c").await;
    let between = scene.id("a").await;
    scene.world.delete("a").await.unwrap();
    scene.is_gone(PROJECT, "a").await;

    let answer = asks(&scene, "c", "lineage").await;
    assert_eq!(
        names(&answer["ancestors"]),
        [("b", true), ("a", false), (SOURCE, true)]
    );
    assert_eq!(answer["ancestors"][1]["environmentId"], json!(between));
    let answer = asks(&scene, SOURCE, "lineage").await;
    assert_eq!(answer["ancestors"], json!([]));
    assert_eq!(
        names(&answer["descendants"]),
        [("a", false), ("b", true), ("c", true)]
    );
    assert_eq!(answer["descendants"][1]["parentId"], json!(between));
    let answer = asks(&scene, "b", "lineage").await;
    assert_eq!(names(&answer["descendants"]), [("c", true)]);
}

//! What is refused, and in which words.

use http::{Method, StatusCode};
use mirage_railway_simulator::{DashboardEdit, DeploymentEnding, Fault, FaultKind};
use serde_json::json;

use super::scene::{MINUTE, PROJECT, SOURCE, Scene};

fn only(refusals: &[(String, String)]) -> (&str, &str) {
    let [(field, message)] = refusals else {
        panic!("not one refusal: {refusals:#?}");
    };
    (field, message)
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_not_healthy_is_refused_unless_forced() {
    let mut scene = Scene::new(41).await;
    let broken = scene.world.simulator.inject(
        Fault::new(FaultKind::Deployment {
            ending: DeploymentEnding::BuildFails,
        })
        .object("web"),
    );
    scene.edit(DashboardEdit::Redeploy {
        environment: format!("{PROJECT}/{SOURCE}"),
        service: "web".to_owned(),
    });
    scene.world.pass(5 * MINUTE).await;
    let refusals = scene.refusals(json!({"name": "twin"})).await;
    let (field, message) = only(&refusals);
    assert_eq!(field, "source");
    assert!(
        message.contains("not healthy") && message.contains("web"),
        "{message}"
    );
    scene.world.simulator.remove_fault(broken);
    scene.clones(json!({"name": "twin", "force": true})).await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_cannot_be_read_is_refused() {
    let mut scene = Scene::new(42).await;
    let _ = scene
        .world
        .simulator
        .inject(Fault::new(FaultKind::EverythingGone));
    scene.world.pass(3 * MINUTE).await;
    let refusals = scene.refusals(json!({"name": "twin", "force": true})).await;
    let (field, message) = only(&refusals);
    assert_eq!(field, "source");
    assert!(message.contains("cannot be read"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_sealed_value_is_refused_by_name_unless_another_one_is_given() {
    let mut scene = Scene::new(43).await;
    scene.seals("api", "SEALED").await;
    let refusals = scene.refusals(json!({"name": "twin"})).await;
    let (field, message) = only(&refusals);
    assert_eq!(field, "spec.services.api.variables.SEALED");
    assert!(message.contains("api.SEALED is sealed"), "{message}");
    for (name, given) in [("given", json!("mine")), ("without", json!(null))] {
        let options = json!({"name": name, "services": {"api": {"variables": {"SEALED": given}}}});
        scene.ready(options).await;
    }
    let api = scene.service(PROJECT, "given", "api");
    assert_eq!(api.variables["SEALED"].as_deref(), Some("mine"));
    let api = scene.service(PROJECT, "without", "api");
    assert!(!api.variables.contains_key("SEALED"));
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_the_namespace_lacks_is_named() {
    let scene = Scene::new(44).await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}});
    let (status, _) = scene
        .ask(Method::POST, "/api/v1/namespaces", Some(&namespace))
        .await;
    assert_eq!(status, StatusCode::CREATED);
    let refusals = scene
        .refusals(json!({"name": "twin", "namespace": "team"}))
        .await;
    let (field, message) = only(&refusals);
    assert_eq!(field, "spec.services.api.variables.TOKEN");
    for word in ["\"token\"", "\"keys\"", "\"team\"", "api.TOKEN"] {
        assert!(message.contains(word), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_refers_to_a_service_that_is_left_out_is_refused_with_what_would_do() {
    let scene = Scene::new(45).await;
    let refusals = scene
        .refusals(json!({"name": "twin", "exclude": ["api"]}))
        .await;
    let fields: Vec<&str> = refusals.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "spec.services.web.variables.API_URL",
            "spec.services.web.variables.HOST"
        ]
    );
    for (_, message) in &refusals {
        assert!(message.contains("include api, or give web."), "{message}");
    }
    let given = json!({"name": "twin", "exclude": ["api"],
                       "services": {"web": {"variables": {"API_URL": "http://elsewhere", "HOST": null}}}});
    let preview = scene.preview(&given).await;
    assert_eq!(preview.refusals, []);
    let waits = preview
        .notes
        .iter()
        .any(|note| note == "web no longer waits for api, which is left out");
    assert!(waits, "{:?}", preview.notes);
}

#[tokio::test(start_paused = true)]
async fn a_value_on_railway_that_refers_to_what_is_left_out_is_refused_too() {
    let mut scene = Scene::new(46).await;
    scene.edit(DashboardEdit::SetVariable {
        environment: format!("{PROJECT}/{SOURCE}"),
        service: Some("api".to_owned()),
        name: "PEER".to_owned(),
        value: "${{ web.HOST }}".to_owned(),
    });
    scene.world.pass(3 * MINUTE).await;
    let refusals = scene
        .refusals(json!({"name": "twin", "exclude": ["web"]}))
        .await;
    let (field, message) = only(&refusals);
    assert_eq!(field, "spec.services.api.variables.PEER");
    assert!(message.contains("refers to web"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn options_that_speak_of_what_is_not_there_are_refused() {
    let scene = Scene::new(47).await;
    let refusals = scene
        .refusals(json!({
            "name": "twin", "include": ["wbe", "api", "db"], "exclude": ["nobody"],
            "services": {"nobody": {"replicas": 1}, "web": {"replicas": 1}},
        }))
        .await;
    let fields: Vec<&str> = refusals.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        ["include", "exclude", "services.nobody", "services.web"]
    );
    let refusals = scene.refusals(json!({"name": "Twin"})).await;
    assert!(
        refusals.iter().any(|(field, _)| field == "metadata.name"),
        "{refusals:?}"
    );
    let refusals = scene
        .refusals(json!({"name": "twin", "prefix": "a-prefix-that-leaves-no-room-for-it-"}))
        .await;
    assert_eq!(refusals.len(), 3, "{refusals:?}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_and_an_id_that_nobody_has_are_told() {
    let scene = Scene::new(48).await;
    let preview = scene.preview(&json!({"name": SOURCE})).await;
    assert_eq!(preview.refusals[0].field, "name");
    let (status, answer) = scene.asks("clone", &json!({"name": SOURCE})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{answer}");
    let path = "/api/v1/environments/11111111-1111-4111-8111-111111111111/clone";
    let (status, answer) = scene
        .ask(Method::POST, path, Some(&json!({"name": "twin"})))
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{answer}");
    let (status, answer) = scene
        .asks("clone", &json!({"name": "twin", "nmae": "x"}))
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
    assert!(
        answer["message"].as_str().unwrap().contains("nmae"),
        "{answer}"
    );
}

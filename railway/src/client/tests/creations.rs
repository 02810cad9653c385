//! Making what Railway throttles.

use std::time::Duration;

use serde_json::json;

use crate::{
    client::{Client, NewEnvironment, NewProject},
    error::Class,
    id::{EnvironmentId, ProjectId, WorkspaceId},
    scripted::{Canned, Scripted},
};

fn made() -> Canned {
    Canned::data(json!({ "environmentCreate": { "id": "e" } }))
}

async fn create(client: &Client, name: &str) -> Result<EnvironmentId, crate::Error> {
    client
        .create_environment(NewEnvironment {
            project: ProjectId::new("p"),
            name: name.to_owned(),
            source: None,
            ephemeral: false,
            key: format!("uid-{name}"),
        })
        .await
}

#[tokio::test(start_paused = true)]
async fn trap_10_a_creation_that_must_wait_costs_no_request() {
    let railway = Scripted::new();
    railway.always("EnvironmentCreate", |_| made());
    let client = railway.client();
    create(&client, "a").await.unwrap();
    let error = create(&client, "b").await.unwrap_err();
    assert_eq!(error.class(), Class::RateLimited);
    assert_eq!(railway.requests().len(), 1);
    tokio::time::advance(error.wait().unwrap()).await;
    create(&client, "b").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn trap_10_a_throttle_that_somebody_else_used_up_keeps_the_place() {
    let railway = Scripted::new();
    railway.once(
        "EnvironmentCreate",
        Canned::error("You are creating environments too quickly. This workspace allows 1 environment per 30 seconds."),
    );
    railway.always("EnvironmentCreate", |_| made());
    let client = railway.client();
    let error = create(&client, "a").await.unwrap_err();
    assert_eq!(
        (error.class(), error.wait()),
        (Class::RateLimited, Some(Duration::from_secs(31)))
    );
    let second = create(&client, "b").await.unwrap_err();
    assert_eq!(second.wait(), Some(Duration::from_secs(62)));
    tokio::time::advance(Duration::from_secs(31)).await;
    create(&client, "a").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn trap_02_a_creation_that_times_out_is_ambiguous_and_sent_once() {
    let railway = Scripted::new();
    railway.once("EnvironmentCreate", Canned::status(504));
    let error = create(&railway.client(), "a").await.unwrap_err();
    assert_eq!(error.class(), Class::Ambiguous);
    assert_eq!(railway.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn trap_03_a_name_that_is_still_reserved_is_a_conflict() {
    let railway = Scripted::new();
    railway.once(
        "EnvironmentCreate",
        Canned::error("An environment with that name already exists"),
    );
    let error = create(&railway.client(), "a").await.unwrap_err();
    assert_eq!(error.class(), Class::Conflict);
    assert!(error.next_step().contains("becomes free"));
}

#[tokio::test(start_paused = true)]
async fn an_environment_without_a_source_sends_no_source() {
    let railway = Scripted::new();
    railway.always("EnvironmentCreate", |_| made());
    create(&railway.client(), "a").await.unwrap();
    let input = &railway.requests()[0].variables["input"];
    assert_eq!(input, &json!({ "name": "a", "projectId": "p" }));
}

#[tokio::test(start_paused = true)]
async fn a_project_comes_with_its_environment() {
    let railway = Scripted::new();
    railway.once(
        "ProjectCreate",
        Canned::data(json!({ "projectCreate": {
            "id": "p", "environments": { "edges": [{ "node": { "id": "e" } }] },
        }})),
    );
    let project = NewProject {
        name: "shop".to_owned(),
        description: "made by Mirage".to_owned(),
        workspace: WorkspaceId::new("w"),
        default_environment: None,
        key: "uid".to_owned(),
    };
    let made = railway.client().create_project(project).await.unwrap();
    assert_eq!(made, (ProjectId::new("p"), EnvironmentId::new("e")));
    assert_eq!(railway.requests()[0].variables["input"]["workspaceId"], "w");
}

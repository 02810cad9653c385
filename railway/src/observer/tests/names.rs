//! Projects by name.

use super::*;

fn listed(names: &[(&str, &str, Option<&str>, &str)]) -> Canned {
    let edges: Vec<_> = names
        .iter()
        .map(|(id, name, description, created_at)| {
            json!({ "node": {
                "id": id, "name": name, "description": description,
                "createdAt": created_at, "deletedAt": null,
            }})
        })
        .collect();
    Canned::data(json!({ "projects": {
        "edges": edges, "pageInfo": { "hasNextPage": false, "endCursor": null },
    }}))
}

fn with_names(names: &'static [(&str, &str, Option<&str>, &str)]) -> World {
    let world = World::new();
    world.railway.always("ApiToken", |_| {
        Canned::data(json!({ "apiToken": { "workspaces": [{ "id": "w", "name": "Team" }] } }))
    });
    world.railway.always("Projects", move |_| listed(names));
    world
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_found_is_remembered_and_a_missing_one_is_looked_up_afresh() {
    let world = with_names(&[("a", "shop", None, "2026-01-01T00:00:00Z")]);
    let observer = world.observer();
    for _ in 0..3 {
        let found = observer.find_project("shop", Priority::User).await.unwrap();
        assert_eq!(found, Presence::Present(ProjectId::new("a")));
    }
    assert_eq!(world.railway.take_operations(), ["ApiToken", "Projects"]);
    for _ in 0..2 {
        assert_eq!(
            observer.find_project("new", Priority::User).await.unwrap(),
            Presence::Absent
        );
    }
    assert_eq!(world.railway.take_operations(), ["Projects", "Projects"]);
    let looks = (0..50).map(|_| observer.find_project("new", Priority::User));
    futures::future::join_all(looks).await;
    assert_eq!(world.railway.take_operations(), ["Projects"]);
}

#[tokio::test(start_paused = true)]
async fn trap_09_of_several_projects_the_oldest_of_ours_is_meant_or_none() {
    let world = with_names(&[
        (
            "c",
            "shop",
            Some("Made by Mirage for x"),
            "2026-01-03T00:00:00Z",
        ),
        (
            "b",
            "shop",
            Some("Made by Mirage for y"),
            "2026-01-02T00:00:00Z",
        ),
        ("a", "shop", None, "2026-01-01T00:00:00Z"),
        ("d", "twin", None, "2026-01-01T00:00:00Z"),
        ("e", "twin", None, "2026-01-01T00:00:00Z"),
    ]);
    let observer = world.observer();
    assert_eq!(
        observer.find_project("shop", Priority::User).await.unwrap(),
        Presence::Present(ProjectId::new("b"))
    );
    let twin = observer.find_project("twin", Priority::User).await.unwrap();
    assert!(matches!(twin, Presence::Unknown(words) if words.contains("2 projects")));
}

#[tokio::test(start_paused = true)]
async fn trap_09_a_project_that_lists_do_not_show_yet_is_not_made_twice() {
    let world = with_names(&[]);
    world.railway.once("ProjectCreate", Canned::NoAnswer);
    world.railway.once(
        "ProjectCreate",
        Canned::data(json!({ "projectCreate": {
            "id": "made", "environments": { "edges": [{ "node": { "id": "e" } }] },
        }})),
    );
    let observer = world.observer();
    let project = |name: &str| NewProject {
        name: name.to_owned(),
        description: String::new(),
        workspace: WorkspaceId::new("w"),
        default_environment: None,
        key: name.to_owned(),
    };
    let error = observer
        .client()
        .create_project(project("lost"))
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Ambiguous);
    let found = observer.find_project("lost", Priority::User).await.unwrap();
    assert!(matches!(found, Presence::Unknown(_)));
    let again = observer
        .client()
        .create_project(project("lost"))
        .await
        .unwrap_err();
    assert_eq!(again.class(), Class::NotYet);
    pass(181).await;
    assert_eq!(
        observer.find_project("lost", Priority::User).await.unwrap(),
        Presence::Absent
    );

    observer
        .client()
        .create_project(project("shop"))
        .await
        .unwrap();
    assert_eq!(
        observer.find_project("shop", Priority::User).await.unwrap(),
        Presence::Present(ProjectId::new("made"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_that_sees_nothing_does_not_make_projects_absent() {
    let world = World::new();
    world.railway.always("ApiToken", |_| {
        Canned::data(json!({ "apiToken": { "workspaces": [] } }))
    });
    let error = world
        .observer()
        .find_project("shop", Priority::User)
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Unauthorized);
}

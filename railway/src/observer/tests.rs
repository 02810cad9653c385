//! The observer against a scripted Railway.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::*;
use crate::{
    client::NewProject,
    error::Class,
    id::{ServiceId, WorkspaceId},
    scripted::{Canned, FakeProject, Scripted, configs},
};

/// A Railway whose projects can be changed between reads.
struct World {
    railway: Arc<Scripted>,
    projects: Arc<Mutex<BTreeMap<String, FakeProject>>>,
}

impl World {
    fn new() -> Self {
        let railway = Scripted::new();
        let projects: Arc<Mutex<BTreeMap<String, FakeProject>>> = Arc::default();
        let shown = Arc::clone(&projects);
        railway.always("ObserveProjects", move |variables| {
            let projects = shown.lock().unwrap();
            let found: Vec<_> = variables["ids"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|id| projects.get(id.as_str().unwrap()))
                .map(|project| project.0.clone())
                .collect();
            Canned::data(json!({ "projectsByIds": found }))
        });
        let shown = Arc::clone(&projects);
        railway.always("EnvironmentConfigs", move |variables| {
            let projects = shown.lock().unwrap();
            configs(variables, |id| {
                let environments = projects.values().flat_map(|project| {
                    project.0["environments"]["edges"]
                        .as_array()
                        .unwrap()
                        .iter()
                });
                let node = environments
                    .map(|edge| &edge["node"])
                    .find(|node| node["id"] == id);
                node.unwrap()["configEtag"].as_str().unwrap().to_owned()
            })
        });
        Self { railway, projects }
    }

    fn show(&self, id: &str, project: FakeProject) {
        self.projects.lock().unwrap().insert(id.to_owned(), project);
    }

    fn hide(&self, id: &str) {
        self.projects.lock().unwrap().remove(id);
    }

    fn edit(&self, id: &str, edit: impl FnOnce(&mut Value)) {
        edit(&mut self.projects.lock().unwrap().get_mut(id).unwrap().0);
    }

    fn observer(&self) -> Arc<Observer> {
        Observer::new(
            self.railway.client(),
            ObserverOptions::new(FingerprintKey::new([3; 32])),
        )
    }
}

fn project(environments: usize) -> FakeProject {
    (0..environments).fold(FakeProject::new("p"), |project, index| {
        project.environment(&format!("e{index}"), "1", &["s1"])
    })
}

fn id() -> ProjectId {
    ProjectId::new("p")
}

async fn look(observer: &Observer) -> Presence<Arc<ProjectSnapshot>> {
    observer
        .project(&id(), Priority::Convergence)
        .await
        .unwrap()
}

fn environments(presence: &Presence<Arc<ProjectSnapshot>>) -> usize {
    match presence {
        Presence::Present(snapshot) => snapshot.environments.len(),
        other => panic!("{other:?}"),
    }
}

async fn pass(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_look_at_what_did_not_change_costs_nothing() {
    let world = World::new();
    world.show("p", project(2));
    let observer = world.observer();
    let first = look(&observer).await;
    assert_eq!(environments(&first), 2);
    let Presence::Present(snapshot) = &first else {
        panic!()
    };
    let environment = &snapshot.environments[&EnvironmentId::new("e0")];
    assert!(
        environment
            .config
            .as_ref()
            .unwrap()
            .services
            .contains_key(&ServiceId::new("s1"))
    );
    assert_eq!(
        world.railway.take_operations(),
        ["ObserveProjects", "EnvironmentConfigs"]
    );
    for _ in 0..10 {
        look(&observer).await;
    }
    assert!(world.railway.take_operations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_wish_for_a_look_costs_one_look_however_often_it_is_said() {
    let world = World::new();
    world.show("p", project(1));
    let observer = world.observer();
    look(&observer).await;
    world.railway.take_operations();
    let (noon, later) = ("2026-01-01T12:00:00Z", "2026-01-01T12:00:01Z");
    for (wish, reads) in [(noon, 1), (noon, 0), (later, 1), (noon, 0), (later, 0)] {
        observer.look_since(&ProjectId::new("p"), wish.parse().unwrap());
        look(&observer).await;
        assert_eq!(world.railway.take_operations().len(), reads, "{wish}");
    }
}

#[tokio::test(start_paused = true)]
async fn callers_at_the_same_moment_share_a_read() {
    let world = World::new();
    world.show("p", project(1));
    let observer = world.observer();
    let looks = (0..50).map(|_| look(&observer));
    futures::future::join_all(looks).await;
    assert_eq!(world.railway.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_read_outlives_the_caller_who_began_it() {
    let world = World::new();
    world.show("p", project(1));
    let observer = world.observer();
    let first = tokio::spawn({
        let observer = Arc::clone(&observer);
        async move { look(&observer).await }
    });
    tokio::task::yield_now().await;
    let second = tokio::spawn({
        let observer = Arc::clone(&observer);
        async move { look(&observer).await }
    });
    tokio::task::yield_now().await;
    first.abort();
    assert_eq!(environments(&second.await.unwrap()), 1);
    assert_eq!(world.railway.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_sweep_over_a_hundred_environments_takes_one_request_and_two_when_one_changed() {
    let world = World::new();
    let observer = world.observer();
    for index in 0..10 {
        let name = format!("p{index}");
        let project = (0..10).fold(FakeProject::new(&name), |project, environment| {
            let services: Vec<_> = (0..10).map(|service| format!("s{service}")).collect();
            let services: Vec<_> = services.iter().map(String::as_str).collect();
            project.environment(&format!("{name}-e{environment}"), "1", &services)
        });
        world.show(&name, project);
        let seen = observer
            .project(&ProjectId::new(name), Priority::Convergence)
            .await
            .unwrap();
        assert_eq!(environments(&seen), 10);
    }
    world.railway.take_operations();

    pass(61).await;
    let mut changes = observer.changes();
    let report = observer.sweep().await.unwrap();
    assert_eq!(
        (report.projects, report.configs, report.changed.len()),
        (10, 0, 0)
    );
    assert_eq!(world.railway.take_operations(), ["ObserveProjects"]);
    assert!(changes.try_recv().is_err());

    pass(61).await;
    world.edit("p4", |project| {
        project["environments"]["edges"][7]["node"]["configEtag"] = json!("2");
    });
    let report = observer.sweep().await.unwrap();
    assert_eq!(
        (report.configs, report.changed.as_slice()),
        (1, [ProjectId::new("p4")].as_slice())
    );
    assert_eq!(
        world.railway.take_operations(),
        ["ObserveProjects", "EnvironmentConfigs"]
    );
    assert_eq!(changes.try_recv().unwrap(), ProjectId::new("p4"));
}

#[tokio::test(start_paused = true)]
async fn trap_06_after_our_own_write_the_cache_is_not_believed_and_absence_is_unknown_for_a_while()
{
    let world = World::new();
    world.show("p", project(1));
    let observer = world.observer();
    look(&observer).await;
    assert!(!observer.in_grace(&id()));
    observer.wrote(&id());
    assert!(observer.in_grace(&id()));
    world.railway.take_operations();
    look(&observer).await;
    assert_eq!(world.railway.take_operations(), ["ObserveProjects"]);
    pass(31).await;
    assert!(!observer.in_grace(&id()));
}

#[tokio::test(start_paused = true)]
async fn a_read_that_began_before_a_write_does_not_count_as_after_it() {
    let world = World::new();
    world.show("p", project(1));
    let observer = world.observer();
    let early = tokio::spawn({
        let observer = Arc::clone(&observer);
        async move { look(&observer).await }
    });
    tokio::task::yield_now().await;
    observer.wrote(&id());
    look(&observer).await;
    early.await.unwrap();
    let reads = world.railway.take_operations();
    assert_eq!(
        reads
            .iter()
            .filter(|operation| *operation == "ObserveProjects")
            .count(),
        2
    );
}

#[tokio::test(start_paused = true)]
async fn trap_22_a_read_in_which_every_environment_seems_gone_is_not_believed_at_once() {
    let world = World::new();
    world.show("p", project(6));
    let observer = world.observer();
    look(&observer).await;
    world.edit("p", |project| project["environments"]["edges"] = json!([]));
    pass(121).await;
    assert!(
        matches!(look(&observer).await, Presence::Unknown(words) if words.contains("6 environments"))
    );
    assert!(!observer.take_alarms()[0].is_confirmed);
    // An outage that ends leaves everything as it was.
    world.show("p", project(6));
    pass(6).await;
    assert_eq!(environments(&look(&observer).await), 6);
    assert!(observer.take_alarms().is_empty());
}

#[tokio::test(start_paused = true)]
async fn trap_22_two_reads_apart_that_agree_are_believed_with_an_alarm() {
    let world = World::new();
    world.show("p", project(6));
    let observer = world.observer();
    look(&observer).await;
    world.show("p", project(1));
    pass(121).await;
    assert!(matches!(look(&observer).await, Presence::Unknown(_)));
    assert!(
        matches!(look(&observer).await, Presence::Unknown(_)),
        "a second look at once is no second opinion"
    );
    pass(6).await;
    assert_eq!(environments(&look(&observer).await), 1);
    let alarms = observer.take_alarms();
    assert_eq!(
        alarms
            .iter()
            .map(|alarm| alarm.is_confirmed)
            .collect::<Vec<_>>(),
        [false, true]
    );
}

#[tokio::test(start_paused = true)]
async fn environments_that_we_deleted_ourselves_alarm_nobody() {
    let world = World::new();
    world.show("p", project(6));
    world.railway.always("EnvironmentDelete", |_| {
        Canned::data(json!({ "environmentDelete": true }))
    });
    let observer = world.observer();
    look(&observer).await;
    for index in 1..6 {
        observer
            .client()
            .delete_environment(&EnvironmentId::new(format!("e{index}")))
            .await
            .unwrap();
    }
    observer.wrote(&id());
    world.show("p", project(1));
    assert_eq!(environments(&look(&observer).await), 1);
    assert!(observer.take_alarms().is_empty());
}

#[tokio::test(start_paused = true)]
async fn trap_21_a_stop_of_everything_is_not_believed_at_once() {
    let world = World::new();
    world.show("p", project(5));
    let observer = world.observer();
    look(&observer).await;
    world.edit("p", |project| {
        for edge in project["environments"]["edges"].as_array_mut().unwrap() {
            edge["node"]["serviceInstances"]["edges"][0]["node"]["activeDeployments"] = json!([]);
        }
    });
    pass(121).await;
    assert!(
        matches!(look(&observer).await, Presence::Unknown(words) if words.contains("run nothing"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_project_left_out_is_absent_only_when_railway_says_so_by_its_id() {
    for (answer, expected) in [
        (Canned::error("Project not found"), Some(Presence::Absent)),
        (
            Canned::data(json!({ "project": { "id": "p", "deletedAt": "2026-01-01T00:00:00Z" } })),
            Some(Presence::Absent),
        ),
        (
            Canned::data(json!({ "project": { "id": "p", "deletedAt": null } })),
            None,
        ),
        (Canned::error("Not Authorized"), None),
    ] {
        let world = World::new();
        world.show("p", project(1));
        let observer = world.observer();
        look(&observer).await;
        world.hide("p");
        let canned = answer.clone();
        world
            .railway
            .always("ProjectPresence", move |_| canned.clone());
        pass(121).await;
        assert!(
            matches!(look(&observer).await, Presence::Unknown(_)),
            "{answer:?}"
        );
        pass(6).await;
        let second = look(&observer).await;
        match expected {
            Some(expected) => assert_eq!(second, expected, "{answer:?}"),
            None => assert!(matches!(second, Presence::Unknown(_)), "{answer:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_project_that_railway_calls_deleted_is_absent() {
    let world = World::new();
    world.show("p", project(3));
    let observer = world.observer();
    look(&observer).await;
    world.edit("p", |project| {
        project["deletedAt"] = json!("2026-01-02T00:00:00Z")
    });
    pass(121).await;
    assert_eq!(look(&observer).await, Presence::Absent);
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_cannot_be_read_is_unknown_and_not_asked_for_at_every_look() {
    let world = World::new();
    world.show("p", project(1));
    let refused = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&refused);
    world.railway.always("EnvironmentConfigs", move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Canned::error("Not Authorized")
    });
    let observer = world.observer();
    for _ in 0..5 {
        observer.wrote(&id());
        let Presence::Present(snapshot) = look(&observer).await else {
            panic!()
        };
        assert!(
            snapshot.environments[&EnvironmentId::new("e0")]
                .config
                .is_none()
        );
    }
    assert_eq!(refused.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn the_loop_looks_often_at_what_is_under_way_and_seldom_at_the_rest() {
    let world = World::new();
    world.show("p", project(1));
    let observer = world.observer();
    observer.follow(&id(), true);
    let running = tokio::spawn(Arc::clone(&observer).run());
    tokio::time::sleep(Duration::from_secs(61)).await;
    let often = world.railway.take_operations().len();
    assert!((11..=15).contains(&often), "{often}");
    observer.follow(&id(), false);
    tokio::time::sleep(Duration::from_secs(120)).await;
    let seldom = world.railway.take_operations().len();
    assert!((1..=3).contains(&seldom), "{seldom}");
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn the_loop_survives_an_outage() {
    let world = World::new();
    for _ in 0..40 {
        world.railway.once("ObserveProjects", Canned::status(503));
    }
    world.show("p", project(1));
    let observer = world.observer();
    observer.follow(&id(), true);
    let mut changes = observer.changes();
    let running = tokio::spawn(Arc::clone(&observer).run());
    let seen = tokio::time::timeout(Duration::from_secs(300), changes.recv()).await;
    assert_eq!(seen.unwrap().unwrap(), id());
    running.abort();
}

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

#[tokio::test(start_paused = true)]
async fn configurations_that_nobody_asked_for_are_not_read() {
    let world = World::new();
    world.show("p", project(3));
    let observer = world.observer();
    let look = async |name: &str| {
        let seen = observer
            .project_with(&id(), [name.to_owned()], Priority::Convergence)
            .await
            .unwrap();
        let Presence::Present(snapshot) = seen else {
            panic!("{seen:?}");
        };
        let known =
            |environment: &&crate::snapshot::EnvironmentSnapshot| environment.config.is_some();
        let environments = snapshot.environments.values().filter(known);
        environments
            .map(|environment| environment.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(look("e1").await, ["e1-name"]);
    assert_eq!(look("e1").await, ["e1-name"]);
    assert_eq!(
        world.railway.take_operations(),
        ["ObserveProjects", "EnvironmentConfigs"]
    );
    // Wanted later: read at once, though the snapshot is fresh otherwise.
    assert_eq!(look("e2-name").await, ["e1-name", "e2-name"]);
    assert_eq!(
        world.railway.take_operations(),
        ["ObserveProjects", "EnvironmentConfigs"]
    );
}

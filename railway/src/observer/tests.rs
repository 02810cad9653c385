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

mod belief;
mod names;

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

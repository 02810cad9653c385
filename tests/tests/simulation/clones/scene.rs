//! A shop in production, ready to be copied.

use std::time::Duration;

use http::{Method, StatusCode};
use kube::ResourceExt as _;
use mirage_railway_simulator::{DashboardEdit, EnvironmentEntry, InstanceEntry, Timing};
use mirage_specs::{
    Environment, EnvironmentSpec,
    copy::{Change, Copied, Difference, READY_BY},
    merge,
};
use mirage_tests::{
    invariants,
    world::{World, WorldOptions},
};
use serde_json::{Value, json};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
/// Long enough for anything that is to come.
pub(crate) const LONG: Duration = Duration::from_secs(45 * 60);
pub(crate) const SOURCE: &str = "prod";
pub(crate) const PROJECT: &str = "shop";
/// A value that was set in Railway's dashboard and stands nowhere else.
pub(crate) const DASHBOARD: &str = "canary-6f1e-dashboard";

pub(crate) struct Scene {
    pub(crate) world: World,
}

/// What the source declares.
pub(crate) fn manifest() -> Value {
    json!({
        "apiVersion": "mirage.dev/v1alpha1",
        "kind": "Environment",
        "metadata": {"name": SOURCE},
        "spec": {
            "type": "prod",
            "project": {"name": PROJECT},
            "variables": {"LEVEL": "info", "KEPT": {"preserve": true}},
            "drift": {"ignore": ["services.api.deploy.replicas"]},
            "services": {
                "db": {"engine": "postgres"},
                "api": {
                    "source": {"image": "acme/api:1"},
                    "deploy": {"replicas": 2, "startCommand": "serve --db db.railway.internal", "limits": {"cpu": 2.0, "memory": "1Gi"}},
                    "variables": {
                        "DATABASE_URL": "${{db.DATABASE_URL}}",
                        "LEVEL": "${{shared.LEVEL}}",
                        "TOKEN": {"secretRef": {"name": "keys", "key": "token"}},
                    },
                    "dependsOn": ["db"],
                },
                "web": {
                    "source": {"repo": "acme/shop", "branch": "main", "rootDirectory": "/web"},
                    "build": {"builder": "dockerfile", "dockerfile": "web/Dockerfile", "watchPatterns": ["web/**"]},
                    "variables": {"API_URL": "http://${{api.RAILWAY_PRIVATE_DOMAIN}}:8080", "HOST": "http://api.railway.internal"},
                    "domains": [{"port": 8080}, {"name": "shop.example.com", "port": 8080}],
                    "dependsOn": ["api"],
                },
            },
        },
    })
}

impl Scene {
    /// The source is ready, and has on Railway what only Railway has.
    pub(crate) async fn new(seed: u64) -> Self {
        let options = WorldOptions::lifelike(seed);
        Self::of(World::new(options).await.unwrap()).await
    }

    /// The same on a Railway that answers at once, for tests that come here many times.
    pub(crate) async fn at_once(seed: u64) -> Self {
        let mut options = WorldOptions::lifelike(seed);
        options.railway.timing = Timing {
            creation_throttle: Timing::default().creation_throttle,
            ..Timing::instant()
        };
        Self::of(World::new(options).await.unwrap()).await
    }

    async fn of(mut world: World) -> Self {
        let token = json!({"token": "canary-6f1e-secret"});
        world.secrets("keys", token).await.unwrap();
        world.start();
        world.pass(MINUTE).await;
        world.apply(&manifest()).await.unwrap();
        let mut scene = Self { world };
        scene.rests().await;
        for (service, name) in [
            (None, "KEPT"),
            (None, "BY_HAND"),
            (Some("api"), "STRIPE_KEY"),
        ] {
            scene.edit(DashboardEdit::SetVariable {
                environment: format!("{PROJECT}/{SOURCE}"),
                service: service.map(str::to_owned),
                name: name.to_owned(),
                value: DASHBOARD.to_owned(),
            });
        }
        scene.world.pass(3 * MINUTE).await;
        scene.rests().await;
        scene
    }

    pub(crate) fn edit(&self, edit: DashboardEdit) {
        self.world.simulator.edit(edit).unwrap();
    }

    /// Lets time pass until everything is as declared and came to an end.
    pub(crate) async fn rests(&mut self) {
        let rested = self
            .world
            .pass_until(LONG, async |world| {
                Ok(world.is_running() && invariants::unsettled(world).await?.is_empty())
            })
            .await
            .unwrap();
        let why = invariants::unsettled(&self.world).await.unwrap();
        assert!(rested, "{why:?}");
    }

    /// Lets time pass until there is no such Environment and nothing of it on Railway.
    pub(crate) async fn is_gone(&mut self, project: &str, name: &str) {
        let gone = self
            .world
            .pass_until(LONG, async |world| {
                let there = world.environment(name).await?.is_some();
                let inventory = world.simulator.inventory();
                let environment = inventory.environment(project, name);
                let on_railway = environment.is_some_and(|environment| !environment.deleting);
                Ok(!there && !on_railway && world.is_running())
            })
            .await
            .unwrap();
        let left = self.world.environment(name).await.unwrap();
        assert!(gone, "{name} is still there: {left:#?}");
        assert!(self.world.orphans().await.unwrap().is_empty());
    }

    pub(crate) async fn id(&self, name: &str) -> String {
        self.get(name).await.uid().unwrap()
    }

    pub(crate) async fn get(&self, name: &str) -> Environment {
        self.world.environment(name).await.unwrap().unwrap()
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        self.world.ask(method, path, body).await.unwrap()
    }

    /// Asks for a copy of the source, as a program does.
    pub(crate) async fn asks(&self, what: &str, options: &Value) -> (StatusCode, Value) {
        let id = self.id(SOURCE).await;
        let path = format!("/api/v1/environments/{id}/{what}");
        self.ask(Method::POST, &path, Some(options)).await
    }

    /// A copy of the source that is not refused; the answer.
    pub(crate) async fn clones(&self, options: Value) -> Value {
        let (status, answer) = self.asks("clone", &options).await;
        assert_eq!(status, StatusCode::CREATED, "{answer:#}");
        answer
    }

    pub(crate) async fn preview(&self, options: &Value) -> Copied {
        let (status, answer) = self.asks("clone-preview", options).await;
        assert_eq!(status, StatusCode::OK, "{answer:#}");
        serde_json::from_value(answer).unwrap()
    }

    /// Why a copy is refused: fields and messages, the same from the preview and from the clone itself.
    pub(crate) async fn refusals(&self, options: Value) -> Vec<(String, String)> {
        let before = self.world.environments().await.unwrap().len();
        let previewed: Vec<(String, String)> = self
            .preview(&options)
            .await
            .refusals
            .into_iter()
            .map(|refusal| (refusal.field, refusal.message))
            .collect();
        let (status, answer) = self.asks("clone", &options).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer:#}");
        let causes = answer["details"]["causes"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let told: Vec<(String, String)> = causes
            .iter()
            .map(|cause| (text(&cause["field"]), text(&cause["message"])))
            .collect();
        assert_eq!(told, previewed);
        assert_eq!(self.world.environments().await.unwrap().len(), before);
        told
    }

    /// A copy, ready.
    pub(crate) async fn ready(&mut self, options: Value) -> Environment {
        let name = options["name"].as_str().unwrap().to_owned();
        self.clones(options).await;
        self.rests().await;
        let over = self
            .world
            .pass_until(2 * MINUTE, async |world| {
                let copy = world.environment(&name).await?;
                Ok(copy.is_some_and(|copy| !copy.annotations().contains_key(READY_BY)))
            })
            .await
            .unwrap();
        assert!(over, "an attempt that succeeded is over");
        self.get(&name).await
    }

    /// What there is on Railway, with values.
    pub(crate) fn on_railway(&self, project: &str, name: &str) -> EnvironmentEntry {
        let inventory = self.world.simulator.inventory_with_values();
        let found = inventory.environment(project, name).cloned();
        found.unwrap_or_else(|| panic!("there is no {project}/{name}: {inventory:#?}"))
    }

    pub(crate) fn service(&self, project: &str, name: &str, service: &str) -> InstanceEntry {
        let environment = self.on_railway(project, name);
        let found = environment.service(service).cloned();
        found.unwrap_or_else(|| panic!("there is no {service} in {environment:#?}"))
    }

    /// Seals a variable of the source, as a person does in the dashboard.
    pub(crate) async fn seals(&mut self, service: &str, name: &str) {
        let id = self.service(PROJECT, SOURCE, service).service_id;
        let sealed = json!({"services": {id: {"variables": {name: {"value": "canary-6f1e-sealed", "isSealed": true}}}}});
        self.edit(DashboardEdit::Patch {
            environment: format!("{PROJECT}/{SOURCE}"),
            patch: sealed,
        });
        self.world.pass(3 * MINUTE).await;
        self.rests().await;
    }
}

/// What a spec comes to, without what belongs to one environment only.
pub(crate) fn effective(spec: &EnvironmentSpec) -> Value {
    let mut value = serde_json::to_value(merge::effective(None, spec).unwrap()).unwrap();
    for own in ["name", "project"] {
        value.as_object_mut().unwrap().remove(own);
    }
    value
}

pub(crate) fn change_of(difference: &[Difference], path: &str) -> Option<Change> {
    let found = difference.iter().find(|one| one.path == path);
    found.map(|one| one.change)
}

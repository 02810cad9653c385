//! A shop with a repository, a policy, and people who open pull requests.

use std::{collections::BTreeMap, time::Duration};

use kube::{
    Api, ResourceExt as _,
    api::{ListParams, Patch, PatchParams, PostParams},
};
use mirage_specs::{
    Environment, EnvironmentTemplate, PreviewPolicy, PreviewPolicyStatus,
    preview_policy::{PULL_REQUEST_LABEL, PreviewState, PreviewStatus},
};
use mirage_tests::{
    github::{FakeGitHub, Opening, ROOT, TOKEN},
    world::{World, WorldOptions, clock_of},
};
use serde_json::{Value, json};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
/// Long enough for anything that is to come.
pub(crate) const LONG: Duration = Duration::from_secs(30 * 60);
pub(crate) const REPOSITORY: &str = "acme/shop";
pub(crate) const POLICY: &str = "shop";

pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) github: FakeGitHub,
}

impl Scene {
    /// Everything is there but the policy, and the controllers run.
    pub(crate) async fn new(seed: u64) -> Self {
        let options = WorldOptions::lifelike(seed);
        let github = FakeGitHub::new(clock_of(options.railway.start));
        github.create_repository(REPOSITORY);
        for (login, permission) in [("ann", "write"), ("mallory", "read")] {
            github.permit(REPOSITORY, login, permission);
        }
        let mut world = World::new(WorldOptions {
            github: Some(github.transport()),
            ..options
        })
        .await
        .unwrap();
        world
            .secrets("github", json!({"token": TOKEN}))
            .await
            .unwrap();
        world.start();
        world.pass(MINUTE).await;
        Self { world, github }
    }

    /// The same with a policy that says only what is necessary, and with what is given on top.
    pub(crate) async fn with_policy(seed: u64, more: Value) -> Self {
        let scene = Self::new(seed).await;
        scene
            .apply_template(json!({"web": {"domains": [{}]}}))
            .await;
        scene.apply_policy(more).await;
        scene
    }

    /// The template of every preview, with these services.
    pub(crate) async fn apply_template(&self, services: Value) {
        let template: EnvironmentTemplate = serde_json::from_value(json!({
            "apiVersion": "mirage.dev/v1alpha1", "kind": "EnvironmentTemplate", "metadata": {"name": "preview"},
            "spec": {"base": {"project": {"name": "shop"}, "source": {"repo": REPOSITORY}, "services": services}},
        }))
        .unwrap();
        self.put("preview", &template).await;
    }

    pub(crate) async fn apply_policy(&self, more: Value) {
        let mut spec = json!({
            "repository": REPOSITORY, "apiUrl": ROOT, "githubSecretRef": {"name": "github"},
            "from": {"template": {"name": "preview"}},
        });
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        let policy: PreviewPolicy = serde_json::from_value(json!({
            "apiVersion": "mirage.dev/v1alpha1", "kind": "PreviewPolicy", "metadata": {"name": POLICY}, "spec": spec,
        }))
        .unwrap();
        self.put(POLICY, &policy).await;
    }

    async fn put<K>(&self, name: &str, object: &K)
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + std::fmt::Debug
            + serde::Serialize
            + serde::de::DeserializeOwned,
    {
        let api: Api<K> = self.world.objects();
        let mut params = PatchParams::apply("user");
        params.force = true;
        let mut manifest = serde_json::to_value(object).unwrap();
        manifest.as_object_mut().unwrap().remove("status");
        api.patch(name, &params, &Patch::Apply(&manifest))
            .await
            .unwrap();
    }

    pub(crate) fn policies(&self) -> Api<PreviewPolicy> {
        self.world.objects()
    }

    pub(crate) async fn status(&self) -> PreviewPolicyStatus {
        let policy = self.policies().get_opt(POLICY).await.unwrap();
        policy.and_then(|policy| policy.status).unwrap_or_default()
    }

    pub(crate) async fn condition(&self, kind: &str) -> (String, String, String) {
        let status = self.status().await;
        let found = status
            .conditions
            .into_iter()
            .find(|found| found.type_ == kind);
        found
            .map(|found| (found.status, found.reason, found.message))
            .unwrap_or_default()
    }

    pub(crate) async fn preview(&self, number: u64) -> Option<PreviewStatus> {
        let status = self.status().await;
        status
            .previews
            .into_iter()
            .find(|preview| preview.number == number)
    }

    pub(crate) async fn state(&self, number: u64) -> Option<PreviewState> {
        self.preview(number).await.map(|preview| preview.state)
    }

    /// Environments by pull request.
    pub(crate) async fn environments(&self) -> BTreeMap<u64, Environment> {
        let api: Api<Environment> = self.world.objects();
        let list = api.list(&ListParams::default()).await.unwrap();
        list.items
            .into_iter()
            .filter_map(|environment| {
                let number = environment.labels().get(PULL_REQUEST_LABEL)?.parse().ok()?;
                Some((number, environment))
            })
            .collect()
    }

    /// Lets time pass until a pull request is in a state.
    pub(crate) async fn reaches(&mut self, number: u64, state: PreviewState) {
        let policies = self.policies();
        let reached = self
            .world
            .pass_until(LONG, async |_| {
                let policy = policies.get_opt(POLICY).await?;
                let previews = policy
                    .and_then(|policy| policy.status)
                    .unwrap_or_default()
                    .previews;
                Ok(previews
                    .iter()
                    .any(|found| found.number == number && found.state == state))
            })
            .await
            .unwrap();
        assert!(
            reached,
            "#{number} is not {state}: {:#?}",
            self.status().await
        );
    }

    /// Lets time pass until nothing is remembered of a pull request, and so everything about it is over.
    pub(crate) async fn is_over(&mut self, number: u64) {
        let policies = self.policies();
        let over = self
            .world
            .pass_until(LONG, async |_| {
                let policy = policies.get_opt(POLICY).await?;
                let previews = policy
                    .and_then(|policy| policy.status)
                    .unwrap_or_default()
                    .previews;
                Ok(previews.iter().all(|found| found.number != number))
            })
            .await
            .unwrap();
        assert!(over, "#{number} is not over: {:#?}", self.status().await);
        assert!(!self.environments().await.contains_key(&number));
    }

    /// A pull request, opened and ready.
    pub(crate) async fn ready(&mut self, opening: Opening) -> u64 {
        let number = self.github.open(REPOSITORY, opening);
        self.reaches(number, PreviewState::Ready).await;
        number
    }

    /// What our one comment says.
    pub(crate) fn comment(&self, number: u64) -> String {
        let comments = self.github.own_comments(REPOSITORY, number);
        assert_eq!(comments.len(), 1, "{comments:#?}");
        comments[0].body.clone()
    }

    /// The commit that a pull request's service is to be built from.
    pub(crate) async fn commit(&self, number: u64) -> String {
        let environment = &self.environments().await[&number];
        let services = serde_json::to_value(&environment.spec.services).unwrap();
        services["web"]["source"]["commit"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Names of environments on Railway.
    pub(crate) fn on_railway(&self) -> Vec<String> {
        let inventory = self.world.simulator.inventory();
        inventory
            .projects
            .iter()
            .flat_map(|project| &project.environments)
            .filter(|environment| !environment.deleting && environment.name != "production")
            .map(|environment| environment.name.clone())
            .collect()
    }

    /// Nothing was sent that GitHub would not have taken.
    pub(crate) fn ends_well(&self) {
        assert_eq!(self.github.violations(), Vec::<String>::new());
    }

    pub(crate) async fn make(&self, environment: Value) {
        let environment: Environment = serde_json::from_value(environment).unwrap();
        let api: Api<Environment> = self.world.objects();
        api.create(&PostParams::default(), &environment)
            .await
            .unwrap();
    }
}

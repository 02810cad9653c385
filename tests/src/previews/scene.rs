//! A world with a GitHub, a repository in it, and a policy for its pull requests.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use mirage_reconcilers::Intervals;
use mirage_specs::{EnvironmentTemplate, PreviewPolicy};
use serde_json::{Value, json};

use crate::{
    github::{FakeGitHub, TOKEN},
    world::{World, WorldOptions, clock_of},
};

/// The repository.
pub const SHOP: &str = "acme/shop";
/// The policy.
pub const POLICY: &str = "shop";
/// What GitHub signs with.
const SIGNED_WITH: &str = "webhook-canary-55ef";

/// Mirage, its Railway and its GitHub.
pub struct Scene {
    /// Mirage and Railway.
    pub world: World,
    /// GitHub.
    pub github: FakeGitHub,
}

impl Scene {
    /// Everything is there, and the controllers are not running yet. The policy looks by itself this often.
    ///
    /// # Errors
    /// When the world does not begin, or refuses the policy.
    pub async fn new(seed: u64, interval: &str) -> anyhow::Result<Self> {
        let mut options = WorldOptions::lifelike(seed);
        options.intervals = Intervals {
            // A week at the usual pace is a million looks at what rests.
            idle: Duration::from_secs(1_800),
            resync: Duration::from_secs(3_600),
            ..Intervals::default()
        };
        let clock = clock_of(options.railway.start);
        let github = FakeGitHub::new(clock);
        github.create_repository(SHOP);
        github.permit(SHOP, "ann", "admin");
        github.sign_webhooks(SIGNED_WITH);
        options.github = Some(github.transport());
        let world = World::new(options).await?;
        let secret = json!({"token": TOKEN, "webhook": SIGNED_WITH});
        world.secrets("github", secret).await?;
        let scene = Self { world, github };
        scene.apply::<EnvironmentTemplate>(&template()).await?;
        scene.apply::<PreviewPolicy>(&policy(interval)).await?;
        Ok(scene)
    }

    async fn apply<K>(&self, manifest: &Value) -> anyhow::Result<()>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + std::fmt::Debug
            + serde::de::DeserializeOwned,
    {
        let name = manifest["metadata"]["name"].as_str().unwrap_or_default();
        let params = PatchParams::apply("user").force();
        let objects = self.world.objects::<K>();
        objects
            .patch(name, &params, &Patch::Apply(manifest))
            .await?;
        Ok(())
    }

    /// Carries all webhooks at once, as they came.
    pub async fn deliver(&self) {
        for delivery in self.github.take_deliveries() {
            self.world.knock(delivery.request("/webhooks/github")).await;
        }
    }
}

fn template() -> Value {
    json!({
        "apiVersion": "mirage.dev/v1alpha1",
        "kind": "EnvironmentTemplate",
        "metadata": {"name": "shop-preview"},
        "spec": {"base": {
            "type": "ephemeral",
            "project": {"name": "shop"},
            "source": {"repo": SHOP},
            "services": {"web": {"domains": [{}]}},
        }},
    })
}

fn policy(interval: &str) -> Value {
    json!({
        "apiVersion": "mirage.dev/v1alpha1",
        "kind": "PreviewPolicy",
        "metadata": {"name": POLICY},
        "spec": {
            "repository": SHOP,
            "githubSecretRef": {"name": "github"},
            "webhookSecretRef": {"name": "github", "key": "webhook"},
            "from": {"template": {"name": "shop-preview"}},
            "baseBranches": ["main"],
            "interval": interval,
        },
    })
}

//! One life of the controllers, from start to kill.

use std::sync::Arc;

use mirage_api::Api;
use mirage_github::{Connections, transport::Transport as GitHubTransport};
use mirage_railway::{
    client::{Clock, Token},
    secret::{FingerprintKey, SecretValue},
};
use mirage_railway_simulator::{ACCOUNT_TOKEN, Simulator};
use mirage_reconcilers::{
    Catalog, Controllers, Copier, Intervals, Metrics, Options, Planner,
    git_sync::fetch::Repositories,
};
use mirage_vault::Vault;
use prometheus_client::registry::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    NAMESPACE, door::Door, github_wire::GitHubWire, power::Power, uses::AuditLog, wire::Wire,
};

/// Running controllers, and the only ways by which they touch the world.
pub(super) struct Life {
    pub(super) power: Arc<Power>,
    pub(super) planner: Arc<Planner>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) copier: Arc<Copier>,
    controllers: JoinHandle<()>,
}

impl Life {
    #[expect(clippy::too_many_arguments, reason = "each is a part of the world")]
    pub(super) fn begin(
        api: &Api,
        simulator: &Simulator,
        github: &Arc<dyn GitHubTransport>,
        clock: Clock,
        seed: u64,
        intervals: Intervals,
        repositories: Arc<dyn Repositories>,
        vault: Arc<dyn Vault>,
    ) -> Self {
        let power = Arc::new(Power::on());
        let door = Door::new(
            api.trusted_router("system:mirage-controllers"),
            Arc::clone(&power),
        );
        let controllers = Controllers::new(Options {
            client: kube::Client::new(door, NAMESPACE),
            transport: Arc::new(Wire::new(simulator.clone(), Arc::clone(&power))),
            endpoint: Url::parse("http://railway.invalid/graphql/v2").expect("it is a URL"),
            default_token: Some(Token::Account(SecretValue::new(ACCOUNT_TOKEN))),
            github: Arc::new(Connections::new(
                Arc::new(GitHubWire::new(Arc::clone(github), Arc::clone(&power))),
                Arc::clone(&clock),
            )),
            public_url: None,
            clock,
            fingerprint_key: FingerprintKey::new([7; 32]),
            seed: Some(seed),
            instance: "world".to_owned(),
            metrics: Metrics::new(&mut Registry::default()),
            intervals,
            repositories,
            vault,
            uses: Arc::new(AuditLog(api.clone())),
        });
        let planner = controllers.planner();
        let catalog = controllers.catalog();
        let copier = controllers.copier();
        let controllers = tokio::spawn(controllers.run(CancellationToken::new()));
        Self {
            power,
            planner,
            catalog,
            copier,
            controllers,
        }
    }

    /// Kills them: nothing of theirs runs, and nothing that they remember is left.
    pub(super) async fn end(self) {
        self.power.off();
        self.controllers.abort();
        // Cancelled is how it ends; a panic inside was told by the runtime already.
        let _ = self.controllers.await;
    }
}

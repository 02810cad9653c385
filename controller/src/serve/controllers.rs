//! The controllers, as clients of the API in this very process.

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::SignedDuration;
use mirage_api::{Api, Clock};
use mirage_github::{Connections, GitHub};
use mirage_reconcilers::{
    Catalog, Controllers, Finder, Intervals, Options, Planner, environment::patience::Patience,
    git_sync::fetch::Git,
};
use mirage_vault::HttpVault;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::serve::{
    copier::Copier, default_account, fingerprint, github_metrics::GitHubMetrics, metrics::Metrics,
    railway::Railway, railway_metrics::RailwayMetrics, secret_uses::AuditLog,
};

/// The name under which they write, in audit records. What begins with `system:` is part of the server.
const USERNAME: &str = "system:mirage-controllers";

/// What was fetched for GitSyncs, below the data folder. It may be deleted at any time.
const GIT_CACHE: &str = "git-cache";

/// Why they did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControllersError {
    /// There is no key for fingerprints.
    #[error("variables cannot be compared without a key")]
    Key(#[from] fingerprint::KeyError),
    /// The process's token could not be made an account.
    #[error("the RailwayAccount \"default\" could not be made")]
    Account(#[source] kube::Error),
}

/// What time it is, and how fast Railway is.
pub(super) struct Tempo {
    pub(super) clock: Clock,
    /// How much faster than life it is.
    pub(super) speed: f64,
    /// How much faster than life the clock runs.
    pub(super) clock_speed: f64,
}

/// What they work with.
pub(super) struct Setting {
    pub(super) api: Api,
    pub(super) railway: Arc<Railway>,
    pub(super) github: Arc<Connections>,
    /// The root of GitHub's API, for whatever does not say its own.
    pub(super) github_api: Url,
    /// Where people reach this server.
    pub(super) public_url: Option<Url>,
    /// The data folder.
    pub(super) folder: PathBuf,
    pub(super) tempo: Tempo,
    pub(super) metrics: Metrics,
}

/// The controllers at work, and what else their credentials serve for.
pub(super) struct Started {
    /// Ends when they have ended.
    pub(super) running: JoinHandle<()>,
    pub(super) planner: Arc<Planner>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) finder: Arc<Finder>,
}

/// Starts them. They end when told to, or never.
pub(super) async fn start(
    setting: &Setting,
    stopping: &CancellationToken,
) -> Result<Started, ControllersError> {
    let Setting {
        api,
        railway,
        github,
        github_api,
        public_url,
        folder,
        tempo,
        metrics,
    } = setting;
    let client = kube::Client::new(api.trusted_router(USERNAME), "default");
    if let Some(token) = &railway.token {
        default_account::ensure(client.clone(), token)
            .await
            .map_err(ControllersError::Account)?;
    }
    let controllers = Controllers::new(Options {
        client,
        transport: Arc::clone(&railway.transport),
        endpoint: railway.endpoint.clone(),
        default_token: railway.token.clone(),
        github: Arc::clone(github) as Arc<dyn GitHub>,
        public_url: public_url.clone(),
        clock: Arc::clone(&tempo.clock),
        fingerprint_key: fingerprint::key(api, folder).await?,
        seed: None,
        instance: instance(),
        metrics: mirage_reconcilers::Metrics::new(&mut metrics.registry()),
        intervals: hastened(Intervals::default(), tempo.speed, tempo.clock_speed),
        repositories: Arc::new(Git::new(folder.join(GIT_CACHE))),
        vault: Arc::new(HttpVault::new()),
        uses: Arc::new(AuditLog {
            api: api.clone(),
            username: USERNAME,
        }),
    });
    metrics
        .registry()
        .register_collector(Box::new(RailwayMetrics(controllers.accounts())));
    metrics
        .registry()
        .register_collector(Box::new(GitHubMetrics(Arc::clone(github))));
    api.copies_with(Arc::new(Copier(controllers.copier())));
    Ok(Started {
        planner: controllers.planner(),
        catalog: controllers.catalog(),
        finder: controllers.finder(github_api.clone()),
        running: tokio::spawn(controllers.run(stopping.clone())),
    })
}

/// Who of several processes this is, in leases and events.
fn instance() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "localhost".to_owned());
    format!("{host}-{}", std::process::id())
}

/// A simulated Railway that runs faster is looked at more often, in real time. Not below a tenth of a second: then the
/// looking itself would be what the machine does. Patience is measured on the clock, and a clock as fast as Railway has
/// shortened it already.
fn hastened(intervals: Intervals, speed: f64, clock_speed: f64) -> Intervals {
    let shorter = |time: Duration| {
        time.div_f64(speed.max(1.0))
            .max(Duration::from_millis(100).min(time))
    };
    let patience = intervals.patience;
    let sooner = |time: SignedDuration| {
        let seconds = time.as_secs_f64() * (clock_speed / speed).min(1.0);
        SignedDuration::try_from_secs_f64(seconds).unwrap_or(time)
    };
    Intervals {
        active: shorter(intervals.active),
        idle: shorter(intervals.idle),
        grace: shorter(intervals.grace),
        soon: shorter(intervals.soon),
        resync: shorter(intervals.resync),
        patience: Patience {
            lost_answer: sooner(patience.lost_answer),
            change: sooner(patience.change),
            teardown: sooner(patience.teardown),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_faster_railway_is_looked_at_more_often_within_reason() {
        let life = Intervals::default();
        assert_eq!(hastened(life, 1.0, 1.0).idle, life.idle);
        assert_eq!(hastened(life, 20.0, 1.0).idle, life.idle / 20);
        assert_eq!(hastened(life, 1e9, 1.0).active, Duration::from_millis(100));
        assert_eq!(hastened(life, 0.5, 1.0).active, life.active);
        assert_eq!(
            hastened(life, 60.0, 1.0).patience.lost_answer,
            life.patience.lost_answer / 60
        );
        assert_eq!(hastened(life, 60.0, 60.0).patience, life.patience);
    }
}

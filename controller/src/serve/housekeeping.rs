//! What must be done now and then while the server runs.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use mirage_api::{Api, tls::Tls};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How often old events and changes are let go.
const FORGETTING: Duration = Duration::from_secs(60);

/// How far a watch may fall behind before it has to list anew: at 20 writes a second, which is a lot for one process,
/// 20 × 60 × 10 are ten minutes of them. Kubernetes keeps five.
const KEPT_CHANGES: u64 = 12_000;

/// Certificates are looked at this often; they are renewed weeks before they end.
const CERTIFICATES: Duration = Duration::from_secs(24 * 3600);

/// Starts both chores.
pub(super) fn start(tasks: &TaskTracker, stopping: &CancellationToken, api: Api, tls: Arc<Tls>) {
    tasks.spawn(stopping.clone().run_until_cancelled_owned(forget_old(api)));
    tasks.spawn(
        stopping
            .clone()
            .run_until_cancelled_owned(renew_certificates(tls)),
    );
}

/// Old events and the change log would otherwise grow for ever.
async fn forget_old(api: Api) {
    let mut ticks = interval(FORGETTING);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = api.sweep(KEPT_CHANGES).await {
            tracing::warn!(%error, "old events and changes could not be forgotten; trying again in a minute");
        }
    }
}

async fn renew_certificates(tls: Arc<Tls>) {
    let mut ticks = interval(CERTIFICATES);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        match tls.refresh(Timestamp::now()) {
            Ok(true) => tracing::info!("the certificate for HTTPS was renewed"),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "the certificate for HTTPS could not be renewed; the old one serves on");
            }
        }
    }
}

//! What must be done now and then while the server runs.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use jiff::Timestamp;
use mirage_api::{Api, store::Store, tls::Tls};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const MINUTE: Duration = Duration::from_secs(60);

/// How many minutes of changes a watch may fall behind before it has to list anew; Kubernetes keeps five.
const KEPT_MINUTES: usize = 10;

/// Certificates are looked at this often; they are renewed weeks before they end.
const CERTIFICATES: Duration = Duration::from_secs(24 * 3600);

/// Starts both chores.
pub(super) fn start(
    tasks: &TaskTracker,
    stopping: &CancellationToken,
    api: Api,
    store: &dyn Store,
    tls: Arc<Tls>,
) {
    tasks.spawn(
        stopping
            .clone()
            .run_until_cancelled_owned(forget_old(api, store.revision())),
    );
    tasks.spawn(
        stopping
            .clone()
            .run_until_cancelled_owned(renew_certificates(tls)),
    );
}

/// Lets old events go, and the change log reach back so far and no further: both would grow for ever.
async fn forget_old(api: Api, newest: watch::Receiver<u64>) {
    let mut minutes: VecDeque<u64> = VecDeque::with_capacity(KEPT_MINUTES + 1);
    let mut ticks = interval(MINUTE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        minutes.push_back(*newest.borrow());
        let keep_from = if minutes.len() > KEPT_MINUTES {
            minutes.pop_front()
        } else {
            None
        };
        if let Err(error) = api.sweep(keep_from).await {
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

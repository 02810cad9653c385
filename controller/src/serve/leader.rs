//! Of all servers on a database, the one whose controllers act.
//!
//! ```text
//! SQLite ───────────────────────────────────────► acts until it stops
//! PostgreSQL ─► the seat is free ───────────────► acts ─► another has the seat ─► stops, with an error
//!           └─► taken ─► stands by ─► it is free ──┘
//! ```
//! Who stands by answers the API like any other server. A supervisor that starts the replaced one again makes it the next
//! to stand by.

use std::{future, sync::atomic::AtomicI64};

use mirage_api::store::postgres::{Address, Seat};
use mirage_reconcilers::{Catalog, Finder, Planner};
use prometheus_client::metrics::gauge::Gauge;
use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::serve::{
    ServeError, StorageError,
    controllers::{self, ControllersError, Setting},
    late::Late,
};

/// Whose controllers act on Railway.
#[derive(Debug)]
pub(super) enum Turn {
    /// Nobody else can reach the database.
    Alone,
    /// Ours, as long as this is.
    Seated(Box<Seat>),
    /// Another server's, so far.
    StandingBy(Address),
    /// Others', if anybody's.
    Never,
}

/// What the API asks of the controllers once they act here.
pub(super) struct Answers {
    pub(super) planner: Late<Planner>,
    pub(super) catalog: Late<Catalog>,
    pub(super) finder: Late<Finder>,
}

impl Answers {
    /// None yet, or never.
    pub(super) fn of(turn: &Turn) -> Self {
        let absence = match turn {
            Turn::StandingBy(_) => {
                "another server's controllers act and this one stands by (ask that one)"
            }
            Turn::Alone | Turn::Seated(_) | Turn::Never => {
                "this server runs without controllers (--no-controllers)"
            }
        };
        Self {
            planner: Late::new(absence),
            catalog: Late::new(absence),
            finder: Late::new(absence),
        }
    }
}

/// A server that acts, or waits to.
pub(super) struct Leader {
    pub(super) setting: Setting,
    pub(super) answers: Answers,
    pub(super) stopping: CancellationToken,
    /// What is waited for at the end.
    pub(super) tasks: TaskTracker,
}

/// Ends when told to stop, and makes the server stop when it ends with an error.
pub(super) type Leading = JoinHandle<Result<(), ServeError>>;

impl Leader {
    /// Acts at once where it is our turn; else when it comes.
    ///
    /// # Errors
    /// The controllers could not be started. Later on this is what [`Leading`] ends with.
    pub(super) async fn begin(self, turn: Turn) -> Result<Leading, ControllersError> {
        let acting = Gauge::<i64, AtomicI64>::default();
        self.setting.metrics.registry().register(
            "mirage_controllers_acting",
            "Whether this server's controllers act (1), or stand by or are left out (0)",
            acting.clone(),
        );
        let seat = match turn {
            Turn::Alone => None,
            Turn::Seated(seat) => Some(*seat),
            Turn::StandingBy(address) => return Ok(tokio::spawn(self.stand_by(address, acting))),
            Turn::Never => return Ok(tokio::spawn(future::ready(Ok(())))),
        };
        let act = self.act(seat, &acting).await?;
        Ok(tokio::spawn(act))
    }

    async fn stand_by(self, address: Address, acting: Gauge) -> Result<(), ServeError> {
        tracing::info!("another server's controllers act; this one stands by");
        let stopping = self.stopping.clone();
        let Some(seat) = stopping.run_until_cancelled(Seat::wait(&address)).await else {
            return Ok(());
        };
        let begun = async {
            let seat = seat.map_err(StorageError::Postgres)?;
            tracing::info!("the server whose controllers acted is gone; this one's take over");
            Ok(self.act(Some(seat), &acting).await?)
        };
        match begun.await {
            Ok(act) => act.await,
            Err(error) => {
                stopping.cancel();
                Err(error)
            }
        }
    }

    async fn act(
        self,
        seat: Option<Seat>,
        acting: &Gauge,
    ) -> Result<impl Future<Output = Result<(), ServeError>> + use<>, ControllersError> {
        let Self {
            setting,
            answers,
            stopping,
            tasks,
        } = self;
        let started = controllers::start(&setting, &stopping).await?;
        answers.planner.now_is(started.planner);
        answers.catalog.now_is(started.catalog);
        answers.finder.now_is(started.finder);
        acting.set(1);
        let mut running = started.running;
        let is_replaced = async move {
            match seat {
                Some(seat) => seat.lost().await,
                None => future::pending().await,
            }
        };
        let collecting = async move {
            setting.api.collect_garbage().await;
            future::pending::<()>().await;
        };
        Ok(async move {
            // Told to stop, the seat is held until the controllers have ended.
            tokio::select! {
                _ = &mut running => return Ok(()),
                () = is_replaced => {}
                // Owned objects go with their owners, and that is for one server as well.
                () = collecting => {}
            }
            stopping.cancel();
            tasks.spawn(running);
            Err(StorageError::SeatLost.into())
        })
    }
}

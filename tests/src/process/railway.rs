//! The test's own Railway on a socket.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use mirage_railway_simulator::{ACCOUNT_TOKEN, Options, Quirk, Quirks, Simulator, Timing};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// How much faster than life Railway and Mirage's clock run.
pub const SPEED: f64 = 100.0;

/// How Mirage may write to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WritePath {
    /// Change sets are offered.
    ChangeSet,
    /// They are not.
    Patch,
}

/// A simulator that is served. It ends with this value.
pub struct Railway {
    /// The world, for faults, edits and the inventory.
    pub simulator: Simulator,
    origin: Timestamp,
    address: SocketAddr,
    served: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Railway {
    /// A Railway without delays, throttles or limits, served.
    ///
    /// # Errors
    /// No socket.
    pub async fn start(path: WritePath) -> Result<Self> {
        let mut quirks = Quirks::default();
        if path == WritePath::Patch {
            quirks = quirks.with(Quirk::ChangeSetsUnavailable);
        }
        let origin = Timestamp::now();
        let simulator = Simulator::new(Options {
            speed: SPEED,
            timing: Timing::instant(),
            quirks,
            rate_limits: false,
            start: origin,
            ..Options::default()
        })?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut railway = Self {
            simulator,
            origin,
            address,
            served: None,
        };
        railway.serve(listener);
        Ok(railway)
    }

    fn serve(&mut self, listener: TcpListener) {
        let stop = CancellationToken::new();
        let served = self
            .simulator
            .clone()
            .serve(listener, stop.clone().cancelled_owned());
        self.served = Some((
            stop,
            tokio::spawn(async move {
                // It ends when told to; a socket that broke shows in the test that needs it.
                let _ = served.await;
            }),
        ));
    }

    /// Nobody answers at its address any more.
    pub async fn goes_down(&mut self) {
        if let Some((stop, task)) = self.served.take() {
            stop.cancel();
            let _ = task.await;
        }
    }

    /// It answers again, at the same address.
    ///
    /// # Errors
    /// Somebody took the port.
    pub async fn comes_back(&mut self) -> Result<()> {
        let listener = TcpListener::bind(self.address)
            .await
            .context("the port is taken")?;
        self.serve(listener);
        Ok(())
    }

    /// What `mirage serve` is told to find it and to keep its time.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            (
                "MIRAGE_RAILWAY_URL",
                format!("http://{}/graphql/v2", self.address),
            ),
            ("MIRAGE_PACE", format!("{SPEED}@{}", self.origin)),
            ("RAILWAY_API_TOKEN", ACCOUNT_TOKEN.to_owned()),
        ]
    }
}

impl Drop for Railway {
    fn drop(&mut self) {
        if let Some((stop, _)) = &self.served {
            stop.cancel();
        }
    }
}

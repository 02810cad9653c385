//! Which Railway: the real one with a token from the environment, or one of our own in this process.

use std::{env, io, sync::Arc, time::Instant};

use jiff::Timestamp;
use mirage_railway::{
    client::Token,
    secret::SecretValue,
    transport::{HttpTransport, RAILWAY_ENDPOINT, Transport, TransportError},
};
use mirage_railway_simulator::{Options as SimulatorOptions, Simulator};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use crate::serve::{Simulation, banner::Against, data_dir::DataDir, sockets::Bound};

/// Account and workspace tokens (source: Railway docs, "Using the CLI": the same variables).
pub(crate) const API_TOKEN: &str = "RAILWAY_API_TOKEN";
/// Project tokens.
pub(crate) const PROJECT_TOKEN: &str = "RAILWAY_TOKEN";

const STATE_FILE: &str = "railway-simulator.json";

/// Why there is no way to Railway.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RailwayError {
    /// The HTTP client.
    #[error("no HTTP client for Railway")]
    Transport(#[from] TransportError),
    /// The simulator did not start.
    #[error(
        "the simulated Railway did not start; `rm {STATE_FILE}` in the data folder makes a new one"
    )]
    Simulator(#[source] mirage_railway_simulator::Error),
    /// Not a URL.
    #[error("{url} is not Railway's address")]
    Address {
        /// What was tried.
        url: String,
        /// What is wrong with it.
        #[source]
        source: url::ParseError,
    },
    /// The system.
    #[error("the simulated Railway cannot be served")]
    System(#[from] io::Error),
}

/// A way to a Railway, and the credential of the process.
pub(super) struct Railway {
    pub(super) endpoint: Url,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) token: Option<Token>,
    pub(super) against: Against,
    /// Where the simulator answers, if it is one.
    pub(super) simulated_at: Option<String>,
}

impl Railway {
    /// Starts the simulator if one is wanted, else looks for a token.
    pub(super) fn prepare(
        simulation: Option<Simulation>,
        url: Option<&Url>,
        socket: Option<Bound>,
        folder: &DataDir,
        tasks: &TaskTracker,
        stopping: &CancellationToken,
    ) -> Result<Self, RailwayError> {
        let transport: Arc<dyn Transport> = Arc::new(HttpTransport::new()?);
        if let (Some(simulation), Some(socket)) = (simulation, socket) {
            let address = simulate(simulation, &socket, folder)?;
            let (simulator, endpoint) = address;
            let until = stopping.clone().cancelled_owned();
            tasks.spawn(async move {
                if let Err(error) = simulator.serve(socket.listener, until).await {
                    tracing::error!(%error, "the simulated Railway stopped");
                }
            });
            return Ok(Self {
                token: Some(Token::Account(SecretValue::new(
                    mirage_railway_simulator::ACCOUNT_TOKEN,
                ))),
                against: Against::Simulation {
                    speed: simulation.speed.to_string(),
                },
                simulated_at: Some(endpoint.to_string()),
                endpoint,
                transport,
            });
        }
        let endpoint = match url {
            Some(url) => url.clone(),
            None => parse(RAILWAY_ENDPOINT)?,
        };
        let (token, against) = from_environment();
        Ok(Self {
            endpoint,
            transport,
            token,
            against,
            simulated_at: None,
        })
    }
}

fn simulate(
    simulation: Simulation,
    socket: &Bound,
    folder: &DataDir,
) -> Result<(Simulator, Url), RailwayError> {
    let started = Instant::now();
    let simulator = Simulator::new(SimulatorOptions {
        // What it makes up differs from folder to folder, and goes on with the state file.
        seed: rand::random(),
        speed: simulation.speed,
        state_file: Some(folder.join(STATE_FILE)),
        start: Timestamp::now(),
        ..SimulatorOptions::default()
    })
    .map_err(RailwayError::Simulator)?;
    tracing::debug!(
        took_ms = started.elapsed().as_millis(),
        "the simulated Railway is up"
    );
    Ok((simulator, parse(&(socket.url("http") + "/graphql/v2"))?))
}

/// The token of the process. An account's goes first: it can do all that a project's can.
pub(crate) fn from_environment() -> (Option<Token>, Against) {
    let read = |name| env::var(name).ok().filter(|value| !value.trim().is_empty());
    if let Some(token) = read(API_TOKEN) {
        let token = Token::Account(SecretValue::new(token.trim()));
        return (
            Some(token),
            Against::Railway {
                variable: API_TOKEN,
            },
        );
    }
    if let Some(token) = read(PROJECT_TOKEN) {
        let token = Token::Project(SecretValue::new(token.trim()));
        return (
            Some(token),
            Against::Railway {
                variable: PROJECT_TOKEN,
            },
        );
    }
    (None, Against::Nothing)
}

fn parse(url: &str) -> Result<Url, RailwayError> {
    Url::parse(url).map_err(|source| RailwayError::Address {
        url: url.to_owned(),
        source,
    })
}

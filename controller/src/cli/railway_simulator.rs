//! `mirage railway-simulator`

use clap::Args;
use mirage_railway_simulator::cli::{self, SimulatorArgs};

use crate::{cli::failure::Failure, exit::Exit, shutdown};

/// Run a simulated Railway alone: same GraphQL schema and behaviour, faults on demand
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage railway-simulator                                   at http://127.0.0.1:7272/graphql/v2
  mirage railway-simulator --quirks                          how it may misbehave like the real one
  MIRAGE_RAILWAY_URL=http://127.0.0.1:7272/graphql/v2 RAILWAY_API_TOKEN=simulated-account-token mirage serve")]
pub(crate) struct RailwaySimulator {
    #[command(flatten)]
    simulator: SimulatorArgs,
}

impl RailwaySimulator {
    pub(crate) async fn run(self) -> Result<Exit, Failure> {
        let stopping = shutdown::on_signal()?;
        cli::run(self.simulator, stopping.cancelled_owned())
            .await
            .map_err(Failure::Simulator)?;
        Ok(Exit::Success)
    }
}

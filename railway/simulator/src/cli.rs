//! `mirage railway-simulator`.

use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::net::TcpListener;

use crate::limits::Plan;
use crate::options::Options;
use crate::quirk::{Quirks, quirks};
use crate::simulator::{Error, Simulator};
use crate::timing::Timing;

/// Flags of the command.
#[derive(Debug, Clone, clap::Args)]
pub struct SimulatorArgs {
    /// Where to listen
    #[arg(
        long,
        default_value = "127.0.0.1:7272",
        env = "MIRAGE_SIMULATOR_LISTEN"
    )]
    pub listen: SocketAddr,
    /// Ids, durations and chances follow from it
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Virtual seconds per second
    #[arg(long, default_value_t = 1.0)]
    pub speed: f64,
    /// No latency, no lag, no creation throttle
    #[arg(long)]
    pub instant: bool,
    /// Free, hobby or pro: sets the request budget
    #[arg(long, default_value_t = Plan::Pro)]
    pub plan: Plan,
    /// Answer requests over the budget
    #[arg(long)]
    pub no_rate_limits: bool,
    /// Keep the world in this file
    #[arg(long, env = "MIRAGE_SIMULATOR_STATE")]
    pub state_file: Option<PathBuf>,
    /// Switch a peculiarity: NAME, NAME=on or NAME=off (may be repeated)
    #[arg(long = "quirk", value_name = "NAME[=off]")]
    pub quirk: Vec<String>,
    /// List the peculiarities and their sources, and stop
    #[arg(long)]
    pub quirks: bool,
}

impl SimulatorArgs {
    /// The options that these flags mean.
    ///
    /// # Errors
    /// A quirk is unknown.
    pub fn options(&self) -> Result<Options, Error> {
        let mut chosen = Quirks::default();
        for setting in &self.quirk {
            chosen
                .switch(setting)
                .map_err(|error| Error::Setting(error.to_string()))?;
        }
        Ok(Options {
            seed: self.seed,
            speed: self.speed,
            timing: if self.instant {
                Timing::instant()
            } else {
                Timing::default()
            },
            quirks: chosen,
            plan: self.plan,
            rate_limits: !self.no_rate_limits,
            state_file: self.state_file.clone(),
            start: jiff::Timestamp::now(),
            ..Options::default()
        })
    }
}

/// The table of `--quirks`.
#[must_use]
pub fn quirk_table() -> String {
    let mut table = String::new();
    for quirk in quirks() {
        let state = if quirk.on_by_default { "on " } else { "off" };
        table.push_str(&format!(
            "{state}  {:<42} {} [{}]\n",
            quirk.name, quirk.description, quirk.source
        ));
    }
    table
}

/// Runs the simulator until `shutdown`.
///
/// # Errors
/// The flags make no sense, the state cannot be loaded, or the address is taken.
pub async fn run(
    args: SimulatorArgs,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    if args.quirks {
        return std::io::stdout()
            .write_all(quirk_table().as_bytes())
            .map_err(Error::Serve);
    }
    let address = args.listen;
    let simulator = Simulator::new(args.options()?)?;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| Error::Listen { address, source })?;
    let bound = listener.local_addr().unwrap_or(address);
    tracing::info!(%bound, "the simulated Railway listens on http://{bound}/graphql/v2");
    simulator
        .serve(listener, shutdown)
        .await
        .map_err(Error::Serve)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        simulator: SimulatorArgs,
    }

    fn options(flags: &[&str]) -> Result<Options, Error> {
        let flags = ["simulator"].iter().chain(flags);
        Command::try_parse_from(flags).unwrap().simulator.options()
    }

    #[test]
    fn flags_become_options() {
        let chosen = options(&[
            "--speed",
            "20",
            "--plan",
            "hobby",
            "--instant",
            "--quirk",
            "tcp-proxies-null",
            "--quirk",
            "name-reserved-after-delete=off",
        ])
        .unwrap();
        assert_eq!(chosen.speed, 20.0);
        assert_eq!(chosen.plan, Plan::Hobby);
        assert_eq!(chosen.timing, Timing::instant());
        assert!(chosen.quirks.has(crate::Quirk::TcpProxiesNull));
        assert!(!chosen.quirks.has(crate::Quirk::NameReservedAfterDelete));
    }

    #[test]
    fn an_unknown_quirk_is_an_error_that_says_where_to_look() {
        let error = options(&["--quirk", "levitation"]).unwrap_err();
        assert!(error.to_string().contains("--quirks"), "{error}");
    }
}

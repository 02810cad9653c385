//! `mirage serve`

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf};

use clap::Args;
use mirage_api::audit::Network;
use url::Url;

use crate::{
    cli::{connection::DATA_DIR, failure::Failure},
    exit::Exit,
    serve::{self, Certificate, Database, Options, Pace, Simulation},
    telemetry::LogFormat,
};

/// Run the server: API, store and controllers in one process
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage serve --simulate-railway                  no account needed: a Railway of your own on this machine
  RAILWAY_API_TOKEN=… mirage serve                 with your account's or workspace's token
  RAILWAY_TOKEN=… mirage serve                     with a project token
  mirage serve --listen 127.0.0.1:0 --listen-tls 127.0.0.1:0   any free ports; see addresses.json
  mirage serve --database postgres://mirage@db/mirage   on several machines: one acts, the others stand by

The data folder holds everything: the database, keys, the CA, the administrator's token and a ready kubeconfig.
Stop it with Ctrl-C or SIGTERM; it goes on where it was when it starts again.")]
pub(crate) struct Serve {
    /// Where plain HTTP listens; loopback only, unless --insecure-listen
    #[arg(
        long,
        env = "MIRAGE_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:7171"
    )]
    listen: SocketAddr,
    /// Where HTTPS listens; kubectl sends its token only there
    #[arg(
        long,
        env = "MIRAGE_LISTEN_TLS",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:7443"
    )]
    listen_tls: SocketAddr,
    /// Let plain HTTP listen beyond this machine, behind something that speaks TLS
    #[arg(long, env = "MIRAGE_INSECURE_LISTEN")]
    insecure_listen: bool,
    /// Folder for everything that must be remembered
    #[arg(long, env = "MIRAGE_DATA_DIR", value_name = "DIR", default_value = DATA_DIR)]
    data_dir: PathBuf,
    /// Where objects are stored: sqlite:PATH, or postgres://USER@HOST/DATABASE for more than one server [default:
    /// mirage.db in the data folder]
    #[arg(
        long,
        env = "MIRAGE_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    database: Option<Database>,
    /// Certificate chain (PEM) for HTTPS instead of one from Mirage's own CA
    #[arg(
        long,
        env = "MIRAGE_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,
    /// Private key (PEM) of --tls-cert
    #[arg(
        long,
        env = "MIRAGE_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,
    /// One more name or address by which clients reach HTTPS, for the certificate; repeatable
    #[arg(
        long,
        env = "MIRAGE_TLS_NAME",
        value_name = "NAME",
        value_delimiter = ','
    )]
    tls_name: Vec<String>,
    /// Address or range (10.0.0.0/8) of a proxy that is believed about where requests come from (X-Forwarded-For), for
    /// the audit log; repeatable
    #[arg(
        long,
        env = "MIRAGE_TRUSTED_PROXY",
        value_name = "ADDRESS",
        value_delimiter = ','
    )]
    trusted_proxy: Vec<Network>,
    /// Railway's API, if not Railway's own
    #[arg(
        long,
        env = "MIRAGE_RAILWAY_URL",
        value_name = "URL",
        conflicts_with = "simulate_railway"
    )]
    railway_url: Option<Url>,
    /// Run a simulated Railway in this process and use it
    #[arg(long, env = "MIRAGE_SIMULATE_RAILWAY")]
    simulate_railway: bool,
    /// How much faster than life the simulated Railway runs
    #[arg(long, env = "MIRAGE_SIMULATION_SPEED", value_name = "FACTOR", default_value = "1", requires = "simulate_railway", value_parser = speed)]
    simulation_speed: f64,
    /// Run Mirage's clock faster than life, as FACTOR@DATE with the date at which both agree: for tests against a
    /// simulator of the same speed
    #[arg(long, env = "MIRAGE_PACE", value_name = "PACE", hide = true)]
    pace: Option<Pace>,
    /// Serve the API only and reconcile nothing
    #[arg(long, env = "MIRAGE_NO_CONTROLLERS")]
    no_controllers: bool,
    /// Requests that one user may have under way at once, watches aside; more are answered 429 with Retry-After, and
    /// clients repeat them. 0 for any number
    #[arg(
        long,
        env = "MIRAGE_MAX_REQUESTS_IN_FLIGHT",
        value_name = "NUMBER",
        default_value = "400"
    )]
    max_requests_in_flight: usize,
    /// Where people reach this server, for the links in comments on pull requests
    #[arg(long, env = "MIRAGE_PUBLIC_URL", value_name = "URL")]
    public_url: Option<Url>,
    /// Root of GitHub's API, in which the dashboard looks for a repository's services; of an Enterprise server
    /// https://HOST/api/v3. A PreviewPolicy says its own in spec.apiUrl
    #[arg(long, env = "MIRAGE_GITHUB_API", value_name = "URL", default_value = mirage_github::GITHUB_API)]
    github_api: Url,
    /// How log lines look; MIRAGE_LOG filters them
    #[arg(
        long,
        env = "MIRAGE_LOG_FORMAT",
        value_name = "FORMAT",
        default_value_t
    )]
    pub(super) log_format: LogFormat,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if factor.is_finite() && factor > 0.0 => Ok(factor),
        _ => Err("write a number above 0, for example 20".to_owned()),
    }
}

impl Serve {
    pub(crate) async fn run(self) -> Result<Exit, Failure> {
        let certificate = match (self.tls_cert, self.tls_key) {
            (Some(chain), Some(key)) => Certificate::Given { chain, key },
            _ => Certificate::Own {
                names: self.tls_name,
            },
        };
        serve::run(Options {
            listen: self.listen,
            listen_tls: self.listen_tls,
            insecure_listen: self.insecure_listen,
            data_dir: self.data_dir,
            database: self.database,
            certificate,
            trusted_proxies: self.trusted_proxy,
            railway_url: self.railway_url,
            simulation: self.simulate_railway.then_some(Simulation {
                speed: self.simulation_speed,
            }),
            controllers: !self.no_controllers,
            pace: self.pace,
            public_url: self.public_url,
            github_api: self.github_api,
            max_requests_in_flight: NonZeroUsize::new(self.max_requests_in_flight),
            greet: self.log_format == LogFormat::Human,
        })
        .await?;
        Ok(Exit::Success)
    }
}

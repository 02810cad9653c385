//! The server process: where everything meets.
//!
//! ```text
//! data_dir ─► sockets ─► railway (or simulator) ─► storage ─► access ─► API ─► leader ─► addresses, banner
//!                                                                                   │
//!                                   SIGINT, SIGTERM: the same in reverse, within 10 s
//! ```
//! The controllers talk to the API through a client like anybody else's, only that it needs no socket.

mod access;
mod addresses;
mod banner;
mod catalog;
mod controllers;
mod copier;
mod data_dir;
mod database;
mod default_account;
mod finder;
mod fingerprint;
mod github_metrics;
mod housekeeping;
mod late;
mod leader;
mod metrics;
pub(crate) mod pace;
mod planner;
mod railway;
mod railway_metrics;
mod secret_uses;
mod sockets;
mod storage;
mod webhook_metrics;

use std::{
    io::{self, IsTerminal as _, Write as _},
    net::SocketAddr,
    num::NonZeroUsize,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use mirage_api::{
    Api, ApiOptions, Ids,
    audit::Network,
    tls::{Exposure, serve_plain, serve_tls},
};
use mirage_github::{Connections, transport::HttpTransport};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

pub(crate) use crate::serve::{
    access::Certificate,
    database::Database,
    pace::Pace,
    railway::from_environment as railway_token,
    storage::{Hold, StorageError, find_keys, usual_file},
};
use crate::{
    serve::{
        access::{Access, AccessError},
        addresses::Addresses,
        banner::SignIn,
        controllers::ControllersError,
        data_dir::{DataDir, DataDirError},
        leader::{Answers, Leader, Turn},
        metrics::Metrics,
        railway::{Railway, RailwayError},
        sockets::{SocketError, Sockets, Wanted},
        webhook_metrics::WebhookMetrics,
    },
    shutdown,
};

/// How long stopping may take in all; what does not end by then is cut off.
const GRACE: Duration = Duration::from_secs(9);

/// What the server is to be.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) listen_tls: SocketAddr,
    pub(crate) insecure_listen: bool,
    pub(crate) data_dir: PathBuf,
    pub(crate) database: Option<Database>,
    pub(crate) certificate: Certificate,
    /// Who is believed about where requests come from.
    pub(crate) trusted_proxies: Vec<Network>,
    pub(crate) railway_url: Option<Url>,
    pub(crate) simulation: Option<Simulation>,
    pub(crate) controllers: bool,
    /// A faster clock, for tests against a simulated Railway as fast.
    pub(crate) pace: Option<Pace>,
    /// Where people reach this server, for links that Mirage writes elsewhere.
    pub(crate) public_url: Option<Url>,
    /// The root of GitHub's API, for whatever does not say its own.
    pub(crate) github_api: Url,
    /// Requests that one user may have under way at once; none for any number.
    pub(crate) max_requests_in_flight: Option<NonZeroUsize>,
    /// Whether stderr is read by people, who want to know where everything is.
    pub(crate) greet: bool,
}

/// A simulated Railway.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Simulation {
    /// How much faster than life.
    pub(crate) speed: f64,
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// The data folder.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// A socket.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// GitHub's client.
    #[error("no HTTP client for GitHub")]
    GitHub(#[source] mirage_github::transport::TransportError),
    /// Railway's client or the simulator.
    #[error(transparent)]
    Railway(#[from] RailwayError),
    /// The database or its keys.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Certificates, tokens, kubeconfig.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// What every API server has from the start could not be written.
    #[error("the API could not be prepared")]
    Api(#[source] mirage_api::error::Status),
    /// The controllers.
    #[error(transparent)]
    Controllers(#[from] ControllersError),
    /// The operating system.
    #[error("the server could not be started")]
    System(#[from] io::Error),
}

impl ServeError {
    /// What the person can do about it.
    pub(crate) fn next_step(&self) -> Option<&'static str> {
        Some(match self {
            Self::DataDir(DataDirError::InUse { .. }) => {
                "stop the other one, or give this one its own folder with --data-dir"
            }
            Self::DataDir(DataDirError::Unusable { .. }) => {
                "choose another folder with --data-dir, or see to its rights"
            }
            Self::Socket(SocketError::Bind { .. }) => {
                "choose another address with the flag named above; port 0 takes any free one"
            }
            Self::Socket(SocketError::Exposed { .. }) => {
                "let other machines in with --listen-tls, or say --insecure-listen if something in front speaks TLS"
            }
            Self::Storage(error) => return error.next_step(),
            _ => return None,
        })
    }
}

/// Serves until told to stop.
pub(crate) async fn run(options: Options) -> Result<(), ServeError> {
    let stopping = shutdown::on_signal()?;
    let folder = DataDir::open(&options.data_dir)?;
    addresses::forget_old(&folder)?;
    let sockets = Sockets::bind(Wanted {
        plain: options.listen,
        insecure: options.insecure_listen,
        tls: options.listen_tls,
        simulator: options.simulation.is_some(),
    })
    .await?;
    let now = Timestamp::now();

    // Background work ends after the servers do, so that a request under way still finds it.
    let background = CancellationToken::new();
    let tasks = TaskTracker::new();
    let railway = Arc::new(Railway::prepare(
        options.simulation,
        options.railway_url.as_ref(),
        sockets.simulator,
        &folder,
        &tasks,
        &background,
    )?);
    let storage = storage::open(options.database.as_ref(), &folder, options.controllers).await?;
    let store = Arc::clone(&storage.store);
    let https = sockets.tls.url("https");
    let access = Access::prepare(
        &options.certificate,
        &*store,
        storage.other_admins,
        &folder,
        &https,
        now,
    )
    .await?;

    let clock = Pace::clock(options.pace);
    let answers = Answers::of(&storage.turn);
    let mut api = Api::new(ApiOptions {
        store: Arc::clone(&store),
        authenticator: access.authenticator(Arc::clone(&store), Arc::clone(&clock)),
        clock: Arc::clone(&clock),
        ids: Ids::random(),
        planner: Some(Arc::new(answers.planner.clone())),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
    .with_catalog(Arc::new(answers.catalog.clone()))
    .with_finder(Arc::new(answers.finder.clone()))
    .with_trusted_proxies(options.trusted_proxies)
    .with_dashboard(mirage_dashboard::FILES)
    .with_key_rotation(Arc::clone(&storage.keys));
    if let Some(limit) = options.max_requests_in_flight {
        api = api.with_max_in_flight(limit);
    }
    api.bootstrap().await.map_err(ServeError::Api)?;

    let transport = HttpTransport::new().map_err(ServeError::GitHub)?;
    let github = Arc::new(Connections::new(Arc::new(transport), Arc::clone(&clock)));
    let metrics = Metrics::new();
    metrics
        .registry()
        .register_collector(Box::new(WebhookMetrics(api.clone())));
    // Owned objects go with their owners even where nothing is reconciled. Of several servers on one database the one
    // whose controllers act does it.
    let is_shared = matches!(options.database, Some(Database::Postgres(_)));
    if matches!(storage.turn, Turn::Never) && !is_shared {
        let api = api.clone();
        tasks.spawn(
            background
                .clone()
                .run_until_cancelled_owned(async move { api.collect_garbage().await }),
        );
    }
    let leader = Leader {
        setting: controllers::Setting {
            api: api.clone(),
            railway: Arc::clone(&railway),
            github,
            github_api: options.github_api,
            public_url: options.public_url,
            folder: folder.path().to_owned(),
            tempo: controllers::Tempo {
                clock: Arc::clone(&clock),
                speed: options
                    .pace
                    .map(Pace::factor)
                    .or(options.simulation.map(|simulation| simulation.speed))
                    .unwrap_or(1.0),
                clock_speed: options.pace.map_or(1.0, Pace::factor),
            },
            metrics: metrics.clone(),
        },
        answers,
        stopping: stopping.clone(),
        tasks: tasks.clone(),
    };
    let stands_by = matches!(storage.turn, Turn::StandingBy(_));
    let leading = leader.begin(storage.turn).await?;

    let addresses = Addresses {
        http: sockets.plain.url("http"),
        metrics: sockets.plain.url("http") + metrics::PATH,
        https,
        railway: railway.simulated_at.clone(),
        kubeconfig: access.kubeconfig.clone(),
        pid: std::process::id(),
    };
    let plain = tokio::spawn(serve_plain(
        sockets.plain.listener,
        api.router().merge(metrics.router()),
        if options.insecure_listen {
            Exposure::Insecure
        } else {
            Exposure::Loopback
        },
        stopping.clone().cancelled_owned(),
    ));
    let tls = tokio::spawn(serve_tls(
        sockets.tls.listener,
        Arc::clone(&access.tls.config),
        api.router(),
        stopping.clone().cancelled_owned(),
    ));
    housekeeping::start(&tasks, &background, api.clone(), Arc::clone(&access.tls));

    let published = addresses.publish(&folder)?;
    if options.greet {
        let sign_in = if io::stderr().is_terminal() {
            SignIn::Link
        } else {
            SignIn::File
        };
        let banner = banner::banner(
            &addresses,
            &railway.against,
            folder.path(),
            sign_in,
            stands_by,
        );
        // Nobody reads it when stderr is gone, and the server serves all the same.
        let _ = io::stderr().write_all(banner.as_bytes());
    }
    tracing::info!(
        http = addresses.http,
        https = addresses.https,
        "Mirage is up"
    );

    stopping.cancelled().await;
    drop(published);
    let mut outcome = Ok(());
    let ended = async {
        outcome = leading.await.unwrap_or(Ok(()));
        let _ = plain.await;
        let _ = tls.await;
        if let Err(error) = api.flush_audit().await {
            tracing::error!(%error, "refusals of the last minute may be missing from the audit log");
        }
        background.cancel();
        tasks.close();
        tasks.wait().await;
    };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        tracing::warn!(
            "something did not stop in time and is cut off; the next start goes on from there"
        );
    }
    tracing::info!("Mirage has stopped");
    outcome
}

//! The command line: one file per verb, and what several verbs share.
//!
//! ```text
//! argument ─► target (which objects) ─┐
//! -f       ─► manifests (documents)  ─┼─► connection ─► verb ─► output / table / progress
//! flags, MIRAGE_*, kubeconfig ────────┘
//! ```
//! A verb writes its result to stdout and what went wrong to stderr, each failure with the next step.

mod apply;
mod approve;
mod audit;
mod clone;
mod completions;
mod confirm;
mod connection;
mod crds;
mod db;
mod delete;
mod describe;
mod destroy;
mod effective;
mod env;
mod export;
mod extend;
mod failure;
mod get;
mod import;
mod kind;
mod lineage;
mod manifests;
mod moment;
mod once;
mod output;
mod ownership;
mod patching;
mod plan;
mod product;
mod progress;
mod promote;
mod railway;
mod railway_simulator;
mod redeploy;
mod reference;
mod restart;
mod resume;
mod retry;
mod schema;
mod secrets;
mod serve;
mod suspend;
mod sync;
mod table;
mod target;
mod token;
mod validate;
mod version;
mod wait;
mod watching;
mod webhook;

use std::{io, process::ExitCode};

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::{
    cli::failure::Failure,
    exit::Exit,
    telemetry::{LogFormat, Settings},
};

/// Declarative environments on Railway: write YAML, get running services, and keep them as written.
#[derive(Debug, Parser)]
#[command(
    name = "mirage",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "\
Try it without a Railway account:
  mirage serve --simulate-railway          a Railway of your own, on this machine
  mirage apply -f specs/examples/monorepo.yaml --wait
  mirage get

Every flag has an environment variable (MIRAGE_LISTEN for --listen). kubectl works too:
  export KUBECONFIG=.mirage/kubeconfig && kubectl get environments

Exit codes: 0 done, 1 failed, 2 `plan` found changes, 3 a wait ended without what it waited for."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(Box<serve::Serve>),
    Validate(validate::Validate),
    Plan(plan::Plan),
    Apply(apply::Apply),
    Get(get::Get),
    Describe(describe::Describe),
    Effective(effective::Effective),
    Wait(wait::Wait),
    Approve(approve::Approve),
    Audit(audit::Audit),
    Clone(Box<clone::Clone>),
    Lineage(lineage::Lineage),
    Retry(retry::Retry),
    Redeploy(redeploy::Redeploy),
    Restart(restart::Restart),
    Promote(promote::Promote),
    Suspend(suspend::Suspend),
    Resume(resume::Resume),
    Extend(extend::Extend),
    Destroy(destroy::Destroy),
    Sync(sync::Sync),
    Import(Box<import::Import>),
    Export(export::Export),
    Delete(delete::Delete),
    Env(env::Env),
    Token(Box<token::Token>),
    Webhook(webhook::Webhook),
    Db(db::Db),
    Crds(crds::Crds),
    Schema(schema::Schema),
    Secrets(secrets::Secrets),
    Railway(railway::Railway),
    RailwaySimulator(Box<railway_simulator::RailwaySimulator>),
    Completions(completions::Completions),
    Version(version::Version),
    Reference(reference::Reference),
}

/// Reads the arguments. Help, `--version` and mistakes are printed here and end with a code.
pub(crate) fn parse() -> Result<Command, ExitCode> {
    Cli::try_parse().map(|cli| cli.command).map_err(|error| {
        // What cannot be printed cannot be reported either.
        let _ = error.print();
        if error.use_stderr() {
            // Not clap's own 2: that is what `plan` answers when there are changes.
            Exit::Failure.into()
        } else {
            Exit::Success.into()
        }
    })
}

impl Command {
    /// Servers log what they do; other commands only what goes wrong.
    pub(crate) fn telemetry(&self) -> Settings {
        match self {
            Self::Serve(serve) => Settings {
                format: serve.log_format,
                default_filter: "info,sqlx=warn,kube=warn,kube_client=warn,kube_runtime=warn,mirage_railway_simulator::query=warn",
                export: true,
            },
            Self::RailwaySimulator(_) => Settings {
                format: LogFormat::Human,
                default_filter: "info",
                export: false,
            },
            _ => Settings {
                format: LogFormat::Human,
                default_filter: "warn,kube=error,kube_client=off,kube_runtime=error",
                export: false,
            },
        }
    }
}

/// Runs a command to its end.
pub(crate) async fn run(command: Command) -> ExitCode {
    let out = &mut io::stdout();
    let ended = match command {
        Command::Serve(verb) => verb.run().await,
        Command::Validate(verb) => verb.run(out),
        Command::Approve(verb) => verb.run(out).await,
        Command::Audit(verb) => verb.run(out).await,
        Command::Clone(verb) => verb.run(out).await,
        Command::Lineage(verb) => verb.run(out).await,
        Command::Retry(verb) => verb.run(out).await,
        Command::Redeploy(verb) => verb.run(out).await,
        Command::Restart(verb) => verb.run(out).await,
        Command::Promote(verb) => verb.run(out).await,
        Command::Suspend(verb) => verb.run(out).await,
        Command::Resume(verb) => verb.run(out).await,
        Command::Extend(verb) => verb.run(out).await,
        Command::Destroy(verb) => verb.run(out).await,
        Command::Sync(verb) => verb.run(out).await,
        Command::Import(verb) => verb.run(out).await,
        Command::Export(verb) => verb.run(out).await,
        Command::Db(verb) => verb.run(out).await,
        Command::Crds(verb) => verb.run(out),
        Command::Schema(verb) => verb.run(out),
        Command::Secrets(verb) => verb.run(out).await,
        Command::Railway(verb) => verb.run(out).await,
        Command::RailwaySimulator(verb) => verb.run().await,
        Command::Reference(verb) => verb.run(out),
        Command::Apply(verb) => verb.run(out).await,
        Command::Get(verb) => verb.run(out).await,
        Command::Describe(verb) => verb.run(out).await,
        Command::Effective(verb) => verb.run(out).await,
        Command::Delete(verb) => verb.run(out).await,
        Command::Env(verb) => verb.run(out).await,
        Command::Token(verb) => verb.run(out).await,
        Command::Webhook(verb) => verb.run(out).await,
        Command::Wait(verb) => verb.run(out).await,
        Command::Plan(verb) => verb.run(out).await,
        Command::Completions(verb) => verb.run(out),
        Command::Version(verb) => verb.run(out),
    };
    match ended {
        Ok(exit) => exit.into(),
        // Whoever reads `mirage get | head -1` closed the pipe on purpose.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Exit::Success.into()
        }
        Err(failure) => {
            eprint!("{}", failure.report());
            Exit::Failure.into()
        }
    }
}

/// The whole command tree, for completions and for the reference page.
pub(crate) fn tree() -> clap::Command {
    Cli::command()
}

//! `mirage`: the server, and the command line for people who talk to one.

mod cli;
mod exit;
mod serve;
mod shutdown;
mod telemetry;

use std::process::ExitCode;

use anyhow::Context as _;

/// Requests are trees of small pieces, made and dropped by the hundred: with the system's allocator that took a third of
/// a write's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match start() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            exit::Exit::Failure.into()
        }
    }
}

fn start() -> anyhow::Result<ExitCode> {
    // One TLS backend for everything in the process; whoever builds a client later finds it installed.
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("another TLS backend was installed before ring"))?;
    let command = match cli::parse() {
        Ok(command) => command,
        Err(code) => return Ok(code),
    };
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(async {
            let telemetry = telemetry::start(&command.telemetry())?;
            let code = cli::run(command).await;
            telemetry.stop().await;
            Ok(code)
        })
}

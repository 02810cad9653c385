//! `mirage railway doctor`

use std::{io::Write, sync::Arc};

use clap::Args;
use jiff::Timestamp;
use mirage_railway::{
    client::{Client, ClientOptions},
    doctor::{Verdict, doctor},
    transport::{HttpTransport, RAILWAY_ENDPOINT},
};
use url::Url;

use crate::{
    cli::{
        failure::Failure,
        output::{self, Document},
    },
    exit::Exit,
    serve::railway_token,
};

/// Check token, rights, limits, and that Railway's schema still accepts what Mirage sends
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  RAILWAY_API_TOKEN=… mirage railway doctor
  mirage railway doctor --railway-url http://127.0.0.1:7272/graphql/v2

It only reads, in a handful of requests. Ends with 1 when a check failed.")]
pub(crate) struct Doctor {
    /// Railway's API, if not Railway's own
    #[arg(long, env = "MIRAGE_RAILWAY_URL", value_name = "URL", default_value = RAILWAY_ENDPOINT)]
    railway_url: Url,
    /// For programs
    #[arg(short, long, env = "MIRAGE_OUTPUT", value_name = "FORMAT")]
    output: Option<Document>,
}

impl Doctor {
    pub(super) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let (Some(token), _) = railway_token() else {
            return Err(Failure::NoRailwayToken);
        };
        let client = Client::new(ClientOptions {
            transport: Arc::new(HttpTransport::new().map_err(Failure::Transport)?),
            endpoint: self.railway_url,
            token,
            plan: None,
            seed: 0,
            clock: Arc::new(Timestamp::now),
        });
        let report = doctor(&client).await;
        match self.output {
            Some(format) => output::document(out, format, &report)?,
            None => write!(out, "{report}")?,
        }
        Ok(if report.verdict() == Verdict::Fail {
            Exit::Failure
        } else {
            Exit::Success
        })
    }
}

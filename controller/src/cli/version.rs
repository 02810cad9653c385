//! `mirage version`

use std::io::Write;

use clap::Args;
use serde_json::json;

use crate::{
    cli::{
        failure::Failure,
        output::{self, Document},
    },
    exit::Exit,
};

/// Print the version
#[derive(Debug, Args)]
pub(crate) struct Version {
    /// For programs
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Document>,
}

impl Version {
    pub(crate) fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let version = env!("CARGO_PKG_VERSION");
        match self.output {
            None => writeln!(out, "mirage {version}")?,
            Some(format) => output::document(
                out,
                format,
                &json!({
                    "version": version,
                    "apiVersion": "mirage.dev/v1alpha1",
                    "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
                }),
            )?,
        }
        Ok(Exit::Success)
    }
}

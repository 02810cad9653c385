//! `mirage wait`

use std::{io::Write, path::PathBuf};

use clap::Args;
use mirage_specs::duration::Span;

use crate::{
    cli::{
        connection::ConnectionArgs,
        failure::Failure,
        manifests, target,
        watching::{self, Awaited, Goal},
    },
    exit::Exit,
};

/// Wait until objects are in a state
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage wait shop                                   until it is ready
  mirage wait shop --for=deleted --timeout=5m
  mirage wait -f shop.yaml --for=condition=Synced
  mirage wait shop --for=condition=Drifted=False

Ends with 0 when the state is reached, and with 3 when it is not within --timeout.")]
pub(crate) struct Wait {
    /// NAME of an environment, KIND NAME…, or KIND/NAME
    #[arg(value_name = "TARGET", conflicts_with = "file")]
    targets: Vec<String>,
    /// The objects that a file or folder declares; - is stdin
    #[arg(short, long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// ready, deleted, condition=TYPE or condition=TYPE=STATUS
    #[arg(
        long = "for",
        env = "MIRAGE_FOR",
        value_name = "STATE",
        default_value = "ready"
    )]
    goal: Goal,
    /// How long to wait
    #[arg(
        long,
        env = "MIRAGE_TIMEOUT",
        value_name = "TIME",
        default_value = "15m"
    )]
    timeout: Span,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Wait {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let manifests = manifests::manifests(&self.file)?;
        let targets = target::parse(&self.targets)?;
        let connection = self.connection.open().await?;
        let mut awaited = Vec::new();
        for manifest in manifests {
            let written = manifest.object.metadata.namespace.as_deref();
            awaited.push(Awaited {
                kind: manifest.kind,
                namespace: connection.namespace_of(&manifest.file, written)?,
                name: manifest.name,
                generation: None,
            });
        }
        for target in targets {
            awaited.push(Awaited {
                kind: target.kind,
                namespace: connection.namespace.clone(),
                name: target.name.ok_or_else(|| {
                    Failure::Usage(format!("which of the {}? Name them", target.kind.plural))
                })?,
                generation: None,
            });
        }
        if awaited.is_empty() {
            return Err(Failure::NothingGiven { verb: "wait for" });
        }
        watching::watch(
            &connection,
            awaited,
            &self.goal,
            self.timeout.duration(),
            out,
        )
        .await
    }
}

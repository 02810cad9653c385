//! `mirage delete`

use std::{io::Write, path::PathBuf};

use clap::Args;
use kube::api::DeleteParams;
use mirage_specs::duration::Span;

use crate::{
    cli::{
        connection::ConnectionArgs,
        failure::Failure,
        kind::Kind,
        manifests, target,
        watching::{self, Awaited, Goal},
    },
    exit::Exit,
};

/// Delete objects, and with an environment what it has on Railway
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage delete shop --wait          until everything is gone on Railway too
  mirage delete -f shop.yaml
  mirage delete template/dev

An environment with `deletion: retain` leaves Railway as it is. Projects are never deleted.
What cannot be removed in time is kept as a receipt: `mirage get orphans`.")]
pub(crate) struct Delete {
    /// NAME of an environment, KIND NAME…, or KIND/NAME
    #[arg(value_name = "TARGET", conflicts_with = "file")]
    targets: Vec<String>,
    /// The objects that a file or folder declares; - is stdin
    #[arg(short, long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// Wait until they are gone
    #[arg(long, env = "MIRAGE_WAIT")]
    wait: bool,
    /// How long --wait waits
    #[arg(
        long,
        env = "MIRAGE_TIMEOUT",
        value_name = "TIME",
        default_value = "15m"
    )]
    timeout: Span,
    /// Objects that are not there are no failure
    #[arg(long)]
    ignore_not_found: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Delete {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let mut doomed: Vec<(&'static Kind, String, Option<String>, PathBuf)> = Vec::new();
        for manifest in manifests::manifests(&self.file)? {
            doomed.push((
                manifest.kind,
                manifest.name,
                manifest.object.metadata.namespace,
                manifest.file,
            ));
        }
        // What was applied last may need what was applied first, so it goes first.
        doomed.reverse();
        for target in target::parse(&self.targets)? {
            let name = target.name.ok_or_else(|| {
                Failure::Usage(format!(
                    "`mirage delete {}` would delete all of them: name those to delete",
                    target.kind.plural
                ))
            })?;
            doomed.push((target.kind, name, None, PathBuf::new()));
        }
        if doomed.is_empty() {
            return Err(Failure::NothingGiven { verb: "delete" });
        }
        let connection = self.connection.open().await?;
        let mut awaited = Vec::new();
        for (kind, name, written, file) in doomed {
            let namespace = connection.namespace_of(&file, written.as_deref())?;
            let api = connection.api(kind, &namespace);
            match api
                .delete(&name, &DeleteParams::background())
                .await
                .map_err(|error| connection.failed(error))
            {
                Ok(either) => {
                    let said = if either.is_left() {
                        "is being deleted"
                    } else {
                        "deleted"
                    };
                    writeln!(out, "{} {said}", kind.name_of(&name))?;
                    awaited.push(Awaited {
                        kind,
                        namespace,
                        name,
                        generation: None,
                    });
                }
                Err(failure) if failure.is_not_found() && self.ignore_not_found => {}
                Err(failure) => return Err(failure),
            }
        }
        if !self.wait || awaited.is_empty() {
            return Ok(Exit::Success);
        }
        watching::watch(
            &connection,
            awaited,
            &Goal::Deleted,
            self.timeout.duration(),
            out,
        )
        .await
    }
}

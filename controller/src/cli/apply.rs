//! `mirage apply`

use std::{io::Write, path::PathBuf, time::Duration};

use clap::Args;
use kube::api::{DynamicObject, Patch, PatchParams, ValidationDirective};
use mirage_specs::duration::Span;

use crate::{
    cli::{
        connection::{Connection, ConnectionArgs},
        failure::Failure,
        kind::ENVIRONMENT,
        manifests::{self, Manifest},
        output::{self, Document, Format},
        watching::{self, Awaited, Goal},
    },
    exit::Exit,
};

/// The name under which fields set by this command are owned.
pub(crate) const FIELD_MANAGER: &str = "mirage";

/// Make objects as a file declares them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage apply -f shop.yaml
  mirage apply -f specs/examples/monorepo.yaml --wait    watch every service until it is ready
  mirage apply -f environments/                          all manifests of a folder
  cat shop.yaml | mirage apply -f -

A field that a file no longer declares is given up, as with `kubectl apply --server-side`.
--wait ends with 0 when everything is ready, and with 3 when it failed or took longer than --timeout.")]
pub(crate) struct Apply {
    /// A file or folder with manifests; - is stdin
    #[arg(short, long, value_name = "FILE", required = true)]
    file: Vec<PathBuf>,
    /// Wait until the applied environments are ready, showing each service on the way
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
    /// Let the server check and admit it, and change nothing
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,
    /// Take over fields that another manager owns
    #[arg(long)]
    force_conflicts: bool,
    /// Show the objects as the server has them now, instead of a line each
    #[arg(
        short,
        long,
        env = "MIRAGE_OUTPUT",
        value_name = "FORMAT",
        conflicts_with = "wait"
    )]
    output: Option<Format>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Apply {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let manifests = manifests::manifests(&self.file)?;
        let connection = self.connection.open().await?;
        let mut applied = Vec::new();
        let mut awaited = Vec::new();
        let mut failed = 0;
        for manifest in &manifests {
            match self.one(&connection, manifest).await {
                Ok((object, said)) => {
                    self.say(out, manifest, said)?;
                    if manifest.kind == &ENVIRONMENT {
                        awaited.push(Awaited::of(manifest.kind, &object, &connection.namespace));
                    }
                    applied.push(object);
                }
                // One bad manifest does not keep the others back; the server that is gone does.
                Err(failure @ Failure::Refused { .. }) if manifests.len() > 1 => {
                    failed += 1;
                    eprint!("{}: {}", manifest.file.display(), failure.report());
                }
                Err(failure) => return Err(failure),
            }
        }
        match self.output {
            Some(Format::Json) => {
                output::objects(out, Document::Json, &applied, applied.len() == 1)?
            }
            Some(Format::Yaml) => {
                output::objects(out, Document::Yaml, &applied, applied.len() == 1)?
            }
            _ => {}
        }
        if failed > 0 {
            return Err(Failure::Some {
                failed,
                all: manifests.len(),
            });
        }
        if !self.wait || awaited.is_empty() {
            return Ok(Exit::Success);
        }
        let timeout: Duration = self.timeout.duration();
        watching::watch(&connection, awaited, &Goal::Ready, timeout, out).await
    }

    async fn one(
        &self,
        connection: &Connection,
        manifest: &Manifest,
    ) -> Result<(DynamicObject, &'static str), Failure> {
        let written = manifest.object.metadata.namespace.as_deref();
        let namespace = connection.namespace_of(&manifest.file, written)?;
        let api = connection.api(manifest.kind, &namespace);
        let failed = |error| connection.failed(error);
        let before = api.get_opt(&manifest.name).await.map_err(failed)?;
        let params = PatchParams {
            dry_run: self.dry_run,
            force: self.force_conflicts,
            field_manager: Some(FIELD_MANAGER.to_owned()),
            field_validation: Some(ValidationDirective::Strict),
        };
        let mut object = manifest.object.clone();
        if manifest.kind.namespaced {
            object.metadata.namespace = Some(namespace);
        }
        let after = api
            .patch(&manifest.name, &params, &Patch::Apply(&object))
            .await
            .map_err(failed)?;
        let said = match before {
            None => "created",
            Some(before) if before.metadata.resource_version == after.metadata.resource_version => {
                "unchanged"
            }
            Some(_) => "configured",
        };
        Ok((after, said))
    }

    fn say(&self, out: &mut dyn Write, manifest: &Manifest, said: &str) -> Result<(), Failure> {
        match self.output {
            None | Some(Format::Wide) => {
                let dry = if self.dry_run { " (dry run)" } else { "" };
                let name = manifest.kind.name_of(&manifest.name);
                writeln!(out, "{name} {said}{dry}")?;
            }
            Some(Format::Name) => output::name(out, manifest.kind, &manifest.name)?,
            Some(Format::Json | Format::Yaml) => {}
        }
        Ok(())
    }
}

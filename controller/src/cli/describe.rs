//! `mirage describe`

mod environment;
mod events;
pub(super) mod since;

use std::{io::Write, path::PathBuf};

use clap::Args;
use jiff::Timestamp;
use kube::api::DynamicObject;

use crate::{
    cli::{
        connection::ConnectionArgs,
        failure::Failure,
        kind::{ENVIRONMENT, Kind},
        manifests,
        output::{self, Document},
        target,
    },
    exit::Exit,
};

/// Tell the story of an object: conditions, services, plan, drift, ledger, events
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage describe shop
  mirage describe -f shop.yaml
  mirage describe account default")]
pub(crate) struct Describe {
    /// NAME of an environment, KIND, KIND NAME…, or KIND/NAME
    #[arg(value_name = "TARGET", conflicts_with = "file")]
    targets: Vec<String>,
    /// The objects that a file or folder declares; - is stdin
    #[arg(short, long, value_name = "FILE")]
    file: Vec<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Describe {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let manifests = manifests::manifests(&self.file)?;
        let targets = target::parse(&self.targets)?;
        if manifests.is_empty() && targets.is_empty() {
            return Err(Failure::NothingGiven { verb: "describe" });
        }
        let connection = self.connection.open().await?;
        let failed = |error| connection.failed(error);
        let mut found: Vec<(&'static Kind, DynamicObject)> = Vec::new();
        for manifest in manifests {
            let written = manifest.object.metadata.namespace.as_deref();
            let namespace = connection.namespace_of(&manifest.file, written)?;
            let api = connection.api(manifest.kind, &namespace);
            found.push((
                manifest.kind,
                api.get(&manifest.name).await.map_err(failed)?,
            ));
        }
        for target in targets {
            let api = connection.api(target.kind, &connection.namespace);
            match target.name {
                Some(name) => found.push((target.kind, api.get(&name).await.map_err(failed)?)),
                None => {
                    let all = api.list(&Default::default()).await.map_err(failed)?;
                    found.extend(all.items.into_iter().map(|object| (target.kind, object)));
                }
            }
        }
        let now = Timestamp::now();
        for (position, (kind, object)) in found.iter().enumerate() {
            if position > 0 {
                writeln!(out, "\n")?;
            }
            if *kind == &ENVIRONMENT {
                environment::write(out, object, now)?;
            } else {
                output::objects(out, Document::Yaml, std::slice::from_ref(object), true)?;
            }
            let events = events::of(&connection, object).await?;
            events::write(out, &events, now)?;
        }
        Ok(Exit::Success)
    }
}

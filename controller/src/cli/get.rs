//! `mirage get`

use std::{io::Write, path::PathBuf};

use clap::Args;
use kube::{Api, api::ListParams};

use crate::{
    cli::{
        connection::{Connection, ConnectionArgs},
        failure::Failure,
        kind::ENVIRONMENT,
        manifests,
        output::{self, Document, Format},
        table::{self, Table},
        target::{self, Target},
    },
    exit::Exit,
};

/// Show objects
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage get                       all environments of the namespace
  mirage get shop -o yaml          one environment, whole
  mirage get -A -o wide            everywhere, with more columns
  mirage get secrets
  mirage get template/dev -o json
  mirage get -f shop.yaml          what the server has of what the file declares")]
pub(crate) struct Get {
    /// NAME of an environment, KIND, KIND NAME…, or KIND/NAME; all environments when absent
    #[arg(value_name = "TARGET", conflicts_with = "file")]
    targets: Vec<String>,
    /// The objects that a file or folder declares; - is stdin
    #[arg(short, long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// How to show them [default: a table]
    #[arg(short, long, env = "MIRAGE_OUTPUT", value_name = "FORMAT")]
    output: Option<Format>,
    /// In all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    all_namespaces: bool,
    /// Only objects with these labels, for example team=web,tier!=test
    #[arg(short = 'l', long, value_name = "LABELS")]
    selector: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// One object by name, or a list.
struct Asked {
    target: Target,
    namespace: String,
}

impl Get {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.connection.open().await?;
        let asked = self.asked(&connection)?;
        match self.output {
            None => self.table(&connection, &asked, false, out).await,
            Some(Format::Wide) => self.table(&connection, &asked, true, out).await,
            Some(Format::Json) => self.whole(&connection, &asked, Document::Json, out).await,
            Some(Format::Yaml) => self.whole(&connection, &asked, Document::Yaml, out).await,
            Some(Format::Name) => self.names(&connection, &asked, out).await,
        }?;
        Ok(Exit::Success)
    }

    fn asked(&self, connection: &Connection) -> Result<Vec<Asked>, Failure> {
        if !self.file.is_empty() {
            return manifests::manifests(&self.file)?
                .into_iter()
                .map(|manifest| {
                    let written = manifest.object.metadata.namespace.as_deref();
                    Ok(Asked {
                        namespace: connection.namespace_of(&manifest.file, written)?,
                        target: Target {
                            kind: manifest.kind,
                            name: Some(manifest.name),
                        },
                    })
                })
                .collect();
        }
        let mut targets = target::parse(&self.targets)?;
        if targets.is_empty() {
            targets.push(Target {
                kind: &ENVIRONMENT,
                name: None,
            });
        }
        if self.all_namespaces && targets.iter().any(|target| target.name.is_some()) {
            return Err(Failure::Usage(
                "a name is unique only within a namespace: leave out --all-namespaces".to_owned(),
            ));
        }
        Ok(targets
            .into_iter()
            .map(|target| Asked {
                target,
                namespace: connection.namespace.clone(),
            })
            .collect())
    }

    fn api(&self, connection: &Connection, asked: &Asked) -> Api<kube::api::DynamicObject> {
        if self.all_namespaces {
            Api::all_with(connection.client.clone(), &asked.target.kind.resource())
        } else {
            connection.api(asked.target.kind, &asked.namespace)
        }
    }

    fn list_params(&self) -> ListParams {
        match &self.selector {
            Some(selector) => ListParams::default().labels(selector),
            None => ListParams::default(),
        }
    }

    async fn table(
        &self,
        connection: &Connection,
        asked: &[Asked],
        wide: bool,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        // One table a kind, in the order in which the kinds were first asked for.
        let mut tables: Vec<(&'static str, Table)> = Vec::new();
        for one in asked {
            let mut url = self.api(connection, one).resource_url().to_owned();
            if let Some(name) = &one.target.name {
                url = format!("{url}/{name}");
            } else if let Some(selector) = &self.selector {
                let query: String =
                    url::form_urlencoded::byte_serialize(selector.as_bytes()).collect();
                url = format!("{url}?labelSelector={query}");
            }
            let fetched = table::fetch(&connection.client, &url)
                .await
                .map_err(|error| connection.failed(error))?;
            match tables
                .iter_mut()
                .find(|(kind, _)| *kind == one.target.kind.kind)
            {
                Some((_, table)) => table.append(fetched),
                None => tables.push((one.target.kind.kind, fetched)),
            }
        }
        if tables.iter().all(|(_, table)| table.rows.is_empty()) {
            let place = if self.all_namespaces {
                "in any namespace".to_owned()
            } else {
                format!("in namespace {}", connection.namespace)
            };
            let kind = asked
                .first()
                .map_or(ENVIRONMENT.plural, |one| one.target.kind.plural);
            eprintln!("No {kind} {place}.");
            return Ok(());
        }
        for (position, (_, table)) in tables.iter().enumerate() {
            if position > 0 {
                writeln!(out)?;
            }
            table.write(out, wide, self.all_namespaces)?;
        }
        Ok(())
    }

    async fn whole(
        &self,
        connection: &Connection,
        asked: &[Asked],
        format: Document,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        let asked_for_one = matches!(asked, [one] if one.target.name.is_some());
        let found: Vec<_> = self
            .found(connection, asked)
            .await?
            .into_iter()
            .map(|(_, object)| object)
            .collect();
        output::objects(out, format, &found, asked_for_one)
    }

    async fn names(
        &self,
        connection: &Connection,
        asked: &[Asked],
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        for (kind, object) in self.found(connection, asked).await? {
            output::name(
                out,
                kind,
                object.metadata.name.as_deref().unwrap_or_default(),
            )?;
        }
        Ok(())
    }

    async fn found(
        &self,
        connection: &Connection,
        asked: &[Asked],
    ) -> Result<Vec<(&'static crate::cli::kind::Kind, kube::api::DynamicObject)>, Failure> {
        let mut found = Vec::new();
        for one in asked {
            let api = self.api(connection, one);
            let objects = match &one.target.name {
                Some(name) => api.get(name).await.map(|object| vec![object]),
                None => api.list(&self.list_params()).await.map(|list| {
                    // Items of a list carry no kind of their own.
                    let types = Some(kube::core::TypeMeta {
                        api_version: one.target.kind.api_version(),
                        kind: one.target.kind.kind.to_owned(),
                    });
                    let mut items = list.items;
                    for item in &mut items {
                        item.types.clone_from(&types);
                    }
                    items
                }),
            }
            .map_err(|error| connection.failed(error))?;
            found.extend(objects.into_iter().map(|object| (one.target.kind, object)));
        }
        Ok(found)
    }
}

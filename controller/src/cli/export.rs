//! `mirage export`

use std::io::Write;

use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde_json::json;

use crate::{
    cli::{connection::ConnectionArgs, failure::Failure, product},
    exit::Exit,
};

/// Write an environment as a manifest, a template, a Compose file or Railway's own file
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage export shop > shop.yaml                            apply it again, here or elsewhere
  mirage export shop --format compose > docker-compose.yml
  mirage export shop --format railway.ts > .railway/railway.ts
  mirage export shop --save-as-template shop                print a template made from it
  mirage export shop --save-as-template shop --apply        and keep it on the server

Secrets stay references. What a format cannot say stands in comments at its top.")]
pub(crate) struct Export {
    /// NAME of an environment
    name: String,
    /// What is written
    #[arg(
        long,
        value_enum,
        default_value = "spec",
        conflicts_with = "save_as_template"
    )]
    format: Format,
    /// Make a template of this name from it
    #[arg(long, value_name = "TEMPLATE")]
    save_as_template: Option<String>,
    /// With --save-as-template: store it instead of printing it
    #[arg(long, requires = "save_as_template")]
    apply: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The Environment as its owner would write it
    Spec,
    /// An EnvironmentTemplate of the same name
    Template,
    /// A Compose file
    Compose,
    /// Railway's own infrastructure as code
    #[value(name = "railway.ts")]
    RailwayTs,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Spec => "spec",
            Self::Template => "template",
            Self::Compose => "compose",
            Self::RailwayTs => "railway.ts",
        }
    }
}

/// The server's answer to a template that was stored.
#[derive(Debug, Deserialize)]
struct Saved {
    #[serde(default)]
    remarks: Vec<String>,
}

impl Export {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.connection.open().await?;
        let environment = [
            "environments",
            connection.namespace.as_str(),
            self.name.as_str(),
        ];
        if let Some(template) = self.save_as_template.as_ref().filter(|_| self.apply) {
            let path = product::path(&[&environment[..], &["save-as-template"]].concat());
            let saved: Saved =
                product::post(&connection, &path, &json!({"name": template})).await?;
            writeln!(out, "template/{template} created")?;
            for remark in saved.remarks {
                writeln!(out, "  {remark}")?;
            }
            return Ok(Exit::Success);
        }
        let format = match self.save_as_template {
            Some(_) => Format::Template,
            None => self.format,
        };
        let query = product::query(&[
            ("format", Some(format.name())),
            ("name", self.save_as_template.as_deref()),
        ]);
        let path = product::path(&[&environment[..], &["export"]].concat()) + &query;
        let text = product::text(&connection, &path).await?;
        out.write_all(text.as_bytes())?;
        Ok(Exit::Success)
    }
}

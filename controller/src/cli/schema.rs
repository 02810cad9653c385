//! `mirage schema`

use std::io::Write;

use clap::Args;

use crate::{
    cli::{
        failure::Failure,
        kind::{KINDS, Kind},
        output::{self, Document},
    },
    exit::Exit,
};

/// Print the JSON Schema of a kind, so that editors complete and check YAML
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage schema > .mirage-schema.json         every kind of Mirage's in one schema
  mirage schema environment

In VS Code (settings.json):
  \"yaml.schemas\": { \".mirage-schema.json\": \"environments/*.yaml\" }
or as the first line of a file:
  # yaml-language-server: $schema=.mirage-schema.json")]
pub(crate) struct Schema {
    /// environment, template, account or orphan; all of them in one when absent
    kind: Option<String>,
}

impl Schema {
    pub(crate) fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let schema = match &self.kind {
            None => mirage_specs::schema::any_manifest(),
            Some(word) => Kind::called(word)
                .and_then(|kind| mirage_specs::schema::json_schema(kind.kind))
                .ok_or_else(|| {
                    let known: Vec<&str> = KINDS
                        .iter()
                        .filter(|kind| kind.group == "mirage.dev")
                        .map(|kind| kind.singular)
                        .collect();
                    Failure::Usage(format!(
                        "there is no schema of {word:?}; there are those of {}",
                        known.join(", ")
                    ))
                })?,
        };
        output::document(out, Document::Json, &schema)?;
        Ok(Exit::Success)
    }
}

//! `mirage db check`

use std::io::{self, Write};

use clap::Args;
use mirage_api::store::maintenance::{self, Report, Severity};
use serde_json::json;

use super::Which;
use crate::{
    cli::{
        failure::Failure,
        output::{self, Document},
    },
    exit::Exit,
};

/// Look a database over; servers may use it meanwhile
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage db check                                    the data folder's database
  mirage db check --database sqlite:backup.db        a backup
  mirage db check -o json | jq '.findings[]'

Looked at: the file's pages and indexes, the schema, the counter of versions, every object, the change log, that each
object is as its last change left it, and that every sealed value opens with the master key.
Exit code 1 when something is wrong. Nothing is changed.")]
pub(super) struct Check {
    #[command(flatten)]
    which: Which,
    /// For programs
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Document>,
}

impl Check {
    pub(super) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let database = self.which.database();
        let sealer = self.which.sealer()?;
        let report = maintenance::check(&database, sealer.as_ref()).await?;
        match self.output {
            Some(format) => {
                let mut value = serde_json::to_value(&report).map_err(Failure::Answer)?;
                value["database"] = json!(database.to_string());
                value["sound"] = json!(report.is_sound());
                output::document(out, format, &value)?;
            }
            None => print(out, &database.to_string(), &report)?,
        }
        Ok(if report.is_sound() {
            Exit::Success
        } else {
            Exit::Failure
        })
    }
}

fn print(out: &mut dyn Write, database: &str, report: &Report) -> io::Result<()> {
    writeln!(out, "database  {database}")?;
    writeln!(out, "schema    {}", report.schema)?;
    writeln!(
        out,
        "version   {}, changes kept above {}",
        report.revision, report.floor
    )?;
    writeln!(
        out,
        "content   {} objects, {} changes, {} sealed values opened",
        report.objects, report.changes, report.opened
    )?;
    for finding in &report.findings {
        let severity = match finding.severity {
            Severity::Note => "note ",
            Severity::Error => "ERROR",
        };
        writeln!(
            out,
            "{severity}     {}: {} ({})",
            finding.subject, finding.message, finding.fault
        )?;
    }
    if report.untold > 0 {
        writeln!(out, "ERROR     and {} more", report.untold)?;
    }
    writeln!(
        out,
        "{}",
        if report.is_sound() {
            "sound"
        } else {
            "NOT sound: restore a backup with `mirage db restore`, or keep a copy and ask for help"
        }
    )
}

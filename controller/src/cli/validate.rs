//! `mirage validate`

use std::{io::Write, path::PathBuf};

use clap::Args;
use mirage_specs::manifest;
use serde_json::{Value, json};

use crate::{
    cli::{
        failure::Failure,
        manifests,
        output::{self, Document},
    },
    exit::Exit,
};

/// Check manifests without a server, every fault with its line and column
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage validate -f shop.yaml
  mirage validate -f environments/ -f templates/
  git show HEAD:shop.yaml | mirage validate -f -

The checks are the server's own. Each fault is a line FILE:LINE:COLUMN: FIELD: MESSAGE, as editors and CI
understand it. Ends with 0 when there is none.")]
pub(crate) struct Validate {
    /// A file or folder with manifests; - is stdin
    #[arg(short, long, value_name = "FILE", required = true)]
    file: Vec<PathBuf>,
    /// For programs
    #[arg(short, long, env = "MIRAGE_OUTPUT", value_name = "FORMAT")]
    output: Option<Document>,
}

impl Validate {
    pub(crate) fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let texts = manifests::texts(&self.file)?;
        let mut faults: Vec<Value> = Vec::new();
        for text in &texts {
            let file = text.file.display();
            for located in manifest::check(&text.text) {
                let fault = &located.fault;
                if self.output.is_none() {
                    let field = if fault.path.is_empty() {
                        String::new()
                    } else {
                        format!("{}: ", fault.path)
                    };
                    writeln!(
                        out,
                        "{file}:{}:{}: {field}{}",
                        located.line, located.column, fault.message
                    )?;
                }
                faults.push(json!({
                    "file": text.file,
                    "line": located.line,
                    "column": located.column,
                    "field": fault.path,
                    "reason": fault.reason.to_string(),
                    "message": fault.message,
                }));
            }
        }
        let exit = if faults.is_empty() {
            Exit::Success
        } else {
            Exit::Failure
        };
        if let Some(format) = self.output {
            output::document(out, format, &faults)?;
            return Ok(exit);
        }
        let files = count(texts.len(), "file");
        match faults.len() {
            0 => writeln!(out, "{files} checked, no faults")?,
            number => eprintln!("{} in {files}", count(number, "fault")),
        }
        Ok(exit)
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

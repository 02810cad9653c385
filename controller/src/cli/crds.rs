//! `mirage crds`

use std::io::{self, Write};

use clap::Args;

use crate::{
    cli::{
        failure::Failure,
        output::{self, Document},
    },
    exit::Exit,
};

/// Print Mirage's kinds as CustomResourceDefinitions, for a Kubernetes cluster
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage crds | kubectl apply --server-side -f -
  mirage crds -o json")]
pub(crate) struct Crds {
    /// As what to print them
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml")]
    output: Document,
}

impl Crds {
    pub(crate) fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let crds = mirage_specs::schema::crds();
        match self.output {
            Document::Json => output::document(
                out,
                Document::Json,
                &serde_json::json!({"apiVersion": "v1", "kind": "List", "items": crds}),
            )?,
            Document::Yaml => {
                for crd in crds {
                    let text = serde_yaml::to_string(&crd).map_err(io::Error::other)?;
                    write!(out, "---\n{text}")?;
                }
            }
        }
        Ok(Exit::Success)
    }
}

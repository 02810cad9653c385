//! `mirage effective`

mod render;
mod select;

use std::{io::Write, path::PathBuf};

use clap::Args;
use mirage_specs::merge::{Origin, Overridden};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    cli::{
        connection::{Connection, ConnectionArgs},
        failure::Failure,
        kind::ENVIRONMENT,
        manifests,
        output::{self, Document},
    },
    exit::Exit,
};

/// Show what an environment comes to with its template, and where each value is from
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage effective shop                                     everything, with the layer that set it
  mirage effective shop --service web --field variables     just that
  mirage effective -f shop.yaml                             before applying a file
  mirage effective shop -o yaml                             for programs; `spec` in it is the whole spec

A value out of a Secret is never shown: the reference is, with a keyed fingerprint that changes when the value does.")]
pub(crate) struct Effective {
    /// NAME of an environment
    #[arg(value_name = "NAME", required_unless_present = "file")]
    name: Option<String>,
    /// A file with one environment, applied or not; - is stdin
    #[arg(short, long, value_name = "FILE", conflicts_with = "name")]
    file: Option<PathBuf>,
    /// Only this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Only this field and what is below it, for example variables or deploy.replicas
    #[arg(long, value_name = "PATH")]
    field: Option<String>,
    /// For programs
    #[arg(short, long, env = "MIRAGE_OUTPUT", value_name = "FORMAT")]
    output: Option<Document>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// The server's answer. What is only passed on stays as it came.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    environment: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    template: Option<Template>,
    fields: Vec<Field>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Template {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generation: Option<i64>,
    #[serde(default)]
    parameters: Map<String, Value>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Field {
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    origin: Origin,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    overridden: Vec<Overridden>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
}

impl Effective {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.connection.open().await?;
        let mut answer = self.ask(&connection).await?;
        select::select(&mut answer, self.service.as_deref(), self.field.as_deref())?;
        match self.output {
            Some(format) => output::document(out, format, &answer)?,
            None => render::write(out, &answer)?,
        }
        Ok(Exit::Success)
    }

    async fn ask(&self, connection: &Connection) -> Result<Answer, Failure> {
        let (namespace, name, written) = match (&self.file, &self.name) {
            (Some(file), _) => {
                let all = manifests::manifests(std::slice::from_ref(file))?;
                let of_kind = all.into_iter().filter(|one| one.kind == &ENVIRONMENT);
                let mut environments: Vec<_> = of_kind.collect();
                let (Some(one), true) = (environments.pop(), environments.is_empty()) else {
                    return Err(Failure::Usage(format!(
                        "{} must hold exactly one Environment",
                        file.display()
                    )));
                };
                let written = one.object.metadata.namespace.as_deref();
                let namespace = connection.namespace_of(&one.file, written)?;
                let body = serde_json::to_vec(&one.object).map_err(Failure::Answer)?;
                (namespace, one.name, Some(body))
            }
            (None, Some(name)) => (connection.namespace.clone(), name.clone(), None),
            (None, None) => return Err(Failure::NothingGiven { verb: "show" }),
        };
        let path = format!("/api/v1/environments/{namespace}/{name}/effective");
        let request = match written {
            Some(body) => http::Request::post(path)
                .header(http::header::CONTENT_TYPE, "application/json")
                .body(body),
            None => http::Request::get(path).body(Vec::new()),
        };
        let request = request.map_err(|error| connection.failed(kube::Error::HttpError(error)))?;
        connection
            .client
            .request(request)
            .await
            .map_err(|error| connection.failed(error))
    }
}

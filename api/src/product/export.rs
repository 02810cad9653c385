//! `GET /api/v1/environments/{namespace}/{name}/export?format=` and `POST …/save-as-template`.

use std::sync::Arc;

use axum::response::{IntoResponse as _, Response};
use http::header;
use mirage_specs::convert::template::Template;
use mirage_specs::convert::{Unreadable, compose, railway_ts, spec, template};
use mirage_specs::{Environment, EnvironmentSpec, merge};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::creation;
use super::railway::respond;
use super::stored::{self, ENVIRONMENTS, TEMPLATES};
use crate::audit::Origin;
use crate::auth::Identity;
use crate::error::{Reason, Status};
use crate::kubernetes::body::Body;
use crate::kubernetes::request::Query;
use crate::server::Server;

/// Who owns the fields of a template that is made here.
const MANAGER: &str = "mirage-export";

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString)]
#[strum(serialize_all = "lowercase")]
enum Format {
    /// The Environment as its owner would write it.
    Spec,
    /// An EnvironmentTemplate.
    Template,
    /// A Compose file.
    Compose,
    /// Railway's own file.
    #[strum(serialize = "railway.ts")]
    RailwayTs,
}

/// An Environment as a template.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SaveAsTemplate {
    /// Name of the template.
    pub(crate) name: String,
}

/// The template that was made.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SavedTemplate {
    /// The EnvironmentTemplate as it is stored.
    pub(crate) template: Value,
    /// What of the Environment will not be in those that are made from it.
    pub(crate) remarks: Vec<String>,
}

/// Writes the Environment in another format.
pub(crate) async fn export(
    server: &Server,
    identity: &Identity,
    place: [&str; 2],
    query: &Query,
) -> Result<Response, Status> {
    let asked = query.get("format").unwrap_or("spec");
    let format: Format = asked.parse().map_err(|_| {
        Status::bad_request(format!(
            "format: {asked:?} is none of spec, template, compose and railway.ts"
        ))
    })?;
    let object = readable(server, identity, place).await?;
    let [namespace, name] = place;
    let (media_type, text) = match format {
        Format::Spec => ("application/yaml", yaml(&spec::exported(&object))?),
        Format::Template => {
            let name = query.get("name").unwrap_or(name);
            let made = template::template(&object, name).map_err(unwritten)?;
            ("application/yaml", told(&made) + &yaml(&made.manifest)?)
        }
        Format::Compose => {
            let spec = effective(server, identity, namespace, object).await?;
            let written = compose::write(name, &spec).map_err(Status::internal)?;
            ("application/yaml", written.text)
        }
        Format::RailwayTs => {
            let spec = effective(server, identity, namespace, object).await?;
            let written = railway_ts::write(name, &spec).map_err(Status::internal)?;
            ("text/plain; charset=utf-8", written.text)
        }
    };
    Ok(([(header::CONTENT_TYPE, media_type)], text).into_response())
}

/// Stores a template that is made from the Environment.
pub(crate) async fn save_as_template(
    server: &Arc<Server>,
    identity: &Identity,
    origin: &Arc<Origin>,
    place: [&str; 2],
    body: &Body,
) -> Result<Response, Status> {
    let wanted: SaveAsTemplate = serde_json::from_value(body.object()?.value)
        .map_err(|error| Status::bad_request(format!("name the template: {error}")))?;
    let object = readable(server, identity, place).await?;
    let made = template::template(&object, &wanted.name).map_err(unwritten)?;
    let [namespace, _] = place;
    let template = creation::created(
        server,
        identity,
        origin,
        MANAGER,
        TEMPLATES,
        namespace,
        made.manifest,
    )
    .await?;
    respond(&SavedTemplate {
        template,
        remarks: made.remarks.iter().map(ToString::to_string).collect(),
    })
}

/// The Environment, for a caller who may read it.
async fn readable(
    server: &Server,
    identity: &Identity,
    [namespace, name]: [&str; 2],
) -> Result<Value, Status> {
    let kind = stored::kind(server, ENVIRONMENTS)?;
    let found = stored::readable(server, identity, kind, namespace, name).await?;
    Ok(found.object.into_value())
}

/// The spec with its template's layers below it and its databases written out.
async fn effective(
    server: &Server,
    identity: &Identity,
    namespace: &str,
    object: Value,
) -> Result<EnvironmentSpec, Status> {
    let environment: Environment = serde_json::from_value(object).map_err(Status::internal)?;
    let template = match &environment.spec.template_ref {
        None => None,
        Some(reference) => stored::template(server, identity, namespace, &reference.name).await?,
    };
    let template = template.map(|(_, spec)| spec);
    merge::effective(template.as_ref(), &environment.spec)
        .map_err(|error| Status::new(Reason::Invalid, error.to_string()))
}

fn told(made: &Template) -> String {
    let lines = made.remarks.iter().map(|remark| format!("# {remark}\n"));
    lines.collect()
}

fn yaml(value: &Value) -> Result<String, Status> {
    serde_yaml::to_string(value).map_err(Status::internal)
}

fn unwritten(error: Unreadable) -> Status {
    Status::new(Reason::Invalid, error.to_string())
}

//! `GET /api/v1/environments/{namespace}/{name}/export?format=` and `POST …/save-as-template`.

use std::sync::Arc;

use axum::response::{IntoResponse as _, Response};
use http::header;
use mirage_specs::convert::template::Template;
use mirage_specs::convert::{Unreadable, compose, railway_ts, spec, template};
use mirage_specs::{Environment, EnvironmentSpec, EnvironmentTemplateSpec, merge, templates};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::creation;
use super::kept::{ENVIRONMENTS, GROUP, VERSION, stored};
use super::railway::respond;
use crate::access::Attributes;
use crate::audit::Origin;
use crate::auth::Identity;
use crate::error::{Reason, Status};
use crate::kubernetes::access;
use crate::kubernetes::body::Body;
use crate::kubernetes::request::Query;
use crate::server::Server;
use crate::store::Key;

/// Templates.
const TEMPLATES: &str = "environmenttemplates";

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
            let spec = effective(server, namespace, object).await?;
            let written = compose::write(name, &spec).map_err(Status::internal)?;
            ("application/yaml", written.text)
        }
        Format::RailwayTs => {
            let spec = effective(server, namespace, object).await?;
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
    let asked = Attributes {
        verb: "get",
        group: GROUP,
        resource: ENVIRONMENTS,
        namespace,
        name,
        ..Attributes::default()
    };
    access::check(server, identity, &asked).await?;
    let kind = server
        .registry
        .find(GROUP, VERSION, ENVIRONMENTS)
        .ok_or_else(Status::unknown_path)?;
    let found = stored(server, namespace, name).await?;
    found.ok_or_else(|| Status::not_found(kind, name))
}

/// The spec with its template's layers below it and its databases written out.
async fn effective(
    server: &Server,
    namespace: &str,
    object: Value,
) -> Result<EnvironmentSpec, Status> {
    let environment: Environment = serde_json::from_value(object).map_err(Status::internal)?;
    let template = match &environment.spec.template_ref {
        None => None,
        Some(reference) => template_named(server, namespace, &reference.name).await?,
    };
    merge::effective(template.as_ref(), &environment.spec)
        .map_err(|error| Status::new(Reason::Invalid, error.to_string()))
}

async fn template_named(
    server: &Server,
    namespace: &str,
    name: &str,
) -> Result<Option<EnvironmentTemplateSpec>, Status> {
    let kind = server
        .registry
        .find(GROUP, VERSION, TEMPLATES)
        .ok_or_else(Status::unknown_path)?;
    let live = server
        .store
        .get(&Key::new(kind.resource(), namespace, name))
        .await
        .map_err(|error| Status::from_store(kind, name, error))?;
    match live {
        Some(live) => {
            let spec = live.object.into_value()["spec"].take();
            serde_json::from_value(spec)
                .map(Some)
                .map_err(Status::internal)
        }
        None => Ok(templates::shipped(name).map(|shipped| shipped.spec.clone())),
    }
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

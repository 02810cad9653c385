//! `POST /api/v1/templates/{namespace}/{name}/plan`: what a template would change about the environments that follow it.

use axum::response::Response;
use futures::{StreamExt as _, stream};
use http::StatusCode;
use mirage_specs::{
    Environment, EnvironmentTemplate, EnvironmentTemplateSpec, EnvironmentType, merge,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::stored::{self, ENVIRONMENTS, TEMPLATES};
use super::written;
use crate::auth::Identity;
use crate::error::Status;
use crate::kubernetes::access;
use crate::kubernetes::body::Body;
use crate::kubernetes::negotiate::Accept;
use crate::plan::{PlanError, PlannedChange};
use crate::server::Server;

/// Environments that are planned at the same time: each reads Railway, whose requests are few.
const AT_ONCE: usize = 4;

/// The answer: the environments in the order in which the change would reach them.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TemplatePlan {
    template: String,
    namespace: String,
    /// Environments of a wave that are changed at the same time.
    parallel: usize,
    environments: Vec<Entry>,
}

/// One environment.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    environment: String,
    namespace: String,
    environment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    railway_environment_id: Option<String>,
    #[serde(rename = "type")]
    environment_type: EnvironmentType,
    /// When its turn is, counted from 1.
    wave: usize,
    changes: bool,
    /// Absent when there is none; `error` says why.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Plans every environment of the template as if it were as written in the body, or, without a body, as it is stored.
pub(crate) async fn plan(
    server: &Server,
    identity: &Identity,
    namespace: &str,
    name: &str,
    body: &Body,
) -> Result<Response, Status> {
    let planner = written::planner(server)?;
    let kind = stored::kind(server, TEMPLATES)?;
    let template = if body.is_empty() {
        let asked = stored::asked("get", kind, namespace, name);
        access::check(server, identity, &asked).await?;
        let found = stored::template(server, identity, namespace, name).await?;
        found.ok_or_else(|| Status::not_found(kind, name))?.1
    } else {
        let place = (namespace, Some(name));
        spec_of(
            written::read(server, identity, kind, place, body)
                .await?
                .object,
        )?
    };
    let environments = stored::kind(server, ENVIRONMENTS)?;
    access::check(
        server,
        identity,
        &stored::asked("list", environments, namespace, ""),
    )
    .await?;
    let all = stored::all(server, environments, Some(namespace)).await?;
    let mut followers = Vec::new();
    for stored in all {
        let object = stored.object.into_value();
        // A template is small beside its environments, and most of them follow another.
        if object["spec"]["templateRef"]["name"] == name {
            let environment: Environment =
                serde_json::from_value(object.clone()).map_err(Status::internal)?;
            if environment.metadata.deletion_timestamp.is_none() {
                followers.push((environment, object));
            }
        }
    }
    let rollout = template.rollout.clone().unwrap_or_default();
    let entries = stream::iter(followers).map(|(environment, object)| {
        let template = &template;
        let environment_type = merge::type_of(Some(template), &environment.spec);
        let wave = rollout.wave(environment_type) + 1;
        async move {
            let planned = planner.plan_under(object, template.clone()).await;
            entry(&environment, namespace, (environment_type, wave), planned)
        }
    });
    let mut environments: Vec<Entry> = entries.buffered(AT_ONCE).collect().await;
    environments.sort_by(|a, b| (a.wave, &a.environment).cmp(&(b.wave, &b.environment)));
    let answer = TemplatePlan {
        template: name.to_owned(),
        namespace: namespace.to_owned(),
        parallel: rollout.parallel(),
        environments,
    };
    Ok(Accept::JSON.respond(StatusCode::OK, &json!(answer)))
}

fn spec_of(object: Value) -> Result<EnvironmentTemplateSpec, Status> {
    let template: EnvironmentTemplate = serde_json::from_value(object).map_err(Status::internal)?;
    Ok(template.spec)
}

fn entry(
    environment: &Environment,
    namespace: &str,
    (environment_type, wave): (EnvironmentType, usize),
    planned: Result<PlannedChange, PlanError>,
) -> Entry {
    let railway = environment
        .status
        .as_ref()
        .and_then(|status| status.railway.as_ref());
    let empty = Entry {
        environment: environment.metadata.name.clone().unwrap_or_default(),
        namespace: namespace.to_owned(),
        environment_id: environment.metadata.uid.clone(),
        railway_environment_id: railway.and_then(|railway| railway.environment_id.clone()),
        environment_type,
        wave,
        changes: false,
        plan: None,
        lines: Vec::new(),
        error: None,
    };
    match planned {
        Ok(planned) => Entry {
            changes: planned.changes,
            plan: Some(planned.plan),
            lines: planned.lines,
            ..empty
        },
        Err(error) => Entry {
            error: Some(error.to_string()),
            ..empty
        },
    }
}

//! `GET /api/v1/environments/{namespace}/{name}/effective`: what an environment comes to, and where each value is from.
//!
//! A value out of a Secret never is in the answer: the reference stands there, with the keyed fingerprint by which two values
//! can be told apart.

use std::collections::BTreeMap;

use axum::response::Response;
use http::StatusCode;
use mirage_specs::Environment;
use mirage_specs::merge::{self, Explained, MergeError, Origin, Overridden, Traced};
use mirage_specs::{template::EnvironmentTemplateSpec, variable::ValueRef};
use schemars::JsonSchema;
use serde::{Deserialize as _, Serialize};
use serde_json::{Value, json};

use super::stored::{self, ENVIRONMENTS, GROUP};
use super::written;
use crate::auth::Identity;
use crate::error::{Reason, Status};
use crate::kinds::causes;
use crate::kubernetes::body::Body;
use crate::kubernetes::negotiate::Accept;
use crate::server::Server;

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EffectiveView {
    environment: String,
    namespace: String,
    /// Mirage's id, `metadata.uid`; absent for one that is not stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    railway_environment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<TemplateView>,
    /// The whole spec that follows.
    spec: Value,
    /// Each of its values with its origin, and what was removed, by path.
    fields: Vec<FieldView>,
}

/// The template whose layers lie below.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TemplateView {
    name: String,
    /// Absent for one that ships with Mirage.
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<i64>,
    /// The parameters in force, defaults included.
    parameters: BTreeMap<String, Value>,
}

/// One value.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FieldView {
    path: String,
    /// Absent where a value was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    origin: Origin,
    /// Parameters of the template in the value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<String>,
    /// What other layers say, nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    overridden: Vec<Overridden>,
    /// Keyed fingerprint of the value that a `secretRef` stands for, when it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
}

/// Answers for the stored environment, or for the one that is written in the body.
pub(crate) async fn effective(
    server: &Server,
    identity: &Identity,
    namespace: &str,
    name: &str,
    body: Option<&Body>,
) -> Result<Response, Status> {
    let kind = stored::kind(server, ENVIRONMENTS)?;
    let object = match body {
        Some(body) => {
            let place = (namespace, Some(name));
            let written = written::read(server, identity, kind, place, body).await?;
            let mut object = written.object;
            if let Some(previous) = written.previous {
                object["status"] = previous["status"].clone();
            }
            object
        }
        None => {
            let found = stored::readable(server, identity, kind, namespace, name).await?;
            found.object.into_value()
        }
    };
    let environment: Environment = serde_json::from_value(object).map_err(Status::internal)?;
    let template = match &environment.spec.template_ref {
        Some(reference) => stored::template(server, identity, namespace, &reference.name).await?,
        None => None,
    };
    let spec = template.as_ref().map(|(_, spec)| spec);
    let explained =
        merge::explain(spec, &environment.spec, name).map_err(|error| refused(&error, name))?;
    let fingerprints = match &server.planner {
        Some(planner) => planner.fingerprints(namespace, &explained.spec).await,
        None => Ok(BTreeMap::new()),
    };
    // Without them the answer says as much, only not which values are alike.
    let fingerprints = fingerprints.unwrap_or_default();
    let view = view(
        namespace,
        name,
        &environment,
        template,
        explained,
        &fingerprints,
    );
    Ok(Accept::JSON.respond(StatusCode::OK, &json!(view)))
}

fn refused(error: &MergeError, name: &str) -> Status {
    let message = match error {
        MergeError::TemplateMissing(template) => format!(
            "there is no EnvironmentTemplate {template:?} in this namespace and none of that name ships with Mirage: \
             apply it, or correct spec.templateRef.name"
        ),
        fitting => fitting.to_string(),
    };
    Status::new(Reason::Invalid, message)
        .about(GROUP, "Environment", name)
        .with_causes(causes(error.faults().to_vec()))
}

fn view(
    namespace: &str,
    name: &str,
    environment: &Environment,
    template: Option<(Option<i64>, EnvironmentTemplateSpec)>,
    explained: Explained,
    fingerprints: &BTreeMap<ValueRef, String>,
) -> EffectiveView {
    let reference = environment.spec.template_ref.as_ref();
    let railway = environment
        .status
        .as_ref()
        .and_then(|status| status.railway.as_ref());
    EffectiveView {
        environment: name.to_owned(),
        namespace: namespace.to_owned(),
        environment_id: environment.metadata.uid.clone(),
        railway_environment_id: railway.and_then(|railway| railway.environment_id.clone()),
        generation: environment.metadata.generation,
        template: reference
            .zip(template)
            .map(|(reference, (generation, _))| TemplateView {
                name: reference.name.clone(),
                generation,
                parameters: explained.parameters,
            }),
        spec: json!(explained.spec),
        fields: explained
            .fields
            .into_iter()
            .map(|field| field_view(field, fingerprints))
            .collect(),
    }
}

fn field_view(field: Traced, fingerprints: &BTreeMap<ValueRef, String>) -> FieldView {
    let secret = field.value.as_ref().and_then(|value| {
        let reference = value.get("secretRef")?;
        ValueRef::deserialize(reference).ok()
    });
    FieldView {
        fingerprint: secret.and_then(|secret| fingerprints.get(&secret).cloned()),
        path: field.path.to_string(),
        value: field.value,
        origin: field.origin,
        parameters: field.parameters,
        overridden: field.overridden,
    }
}

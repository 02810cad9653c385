//! Templates: what environments of a kind have in common.

mod rollout;

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

pub use rollout::{OnFailedWave, TemplateRollout};

/// Layers that environments inherit: `base`, then `types.<type>`, then the environment itself.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "mirage.dev",
    version = "v1alpha1",
    kind = "EnvironmentTemplate",
    plural = "environmenttemplates",
    singular = "environmenttemplate",
    shortname = "envt",
    category = "mirage",
    namespaced,
    derive = "PartialEq",
    printcolumn = r#"{"name":"Description","type":"string","jsonPath":".spec.description"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvironmentTemplateSpec {
    /// What it is for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Parameters an environment may give, used as `${{params.NAME}}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Parameter>,
    /// Paths an environment may override, for example `services.web.deploy.replicas`; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_overrides: Vec<String>,
    /// How a change of this template reaches its environments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<TemplateRollout>,
    /// The layer below all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Layer>,
    /// One layer per environment type (`dev`, `staging`, `prod`, `ephemeral`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<String, Layer>,
}

/// A part of an Environment's `spec`, as written.
///
/// Kept as JSON, because a layer is not yet a spec: `null` in it removes what lies below, and any value may be a
/// parameter (`replicas: ${{params.replicas}}`) that only has its type once it is filled in. `validate::template` walks
/// it against the schema of an Environment all the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Layer(pub serde_json::Map<String, serde_json::Value>);

impl JsonSchema for Layer {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Layer".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Fields of an Environment's spec; any value may be a parameter such as ${{params.replicas}}.",
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": true
        })
    }
}

/// A value that environments give to a template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parameter {
    /// Its type.
    #[serde(rename = "type")]
    pub parameter_type: ParameterType,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Value when an environment gives none; without one it is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any_scalar_schema")]
    pub default: Option<serde_json::Value>,
    /// Smallest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// Largest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
    /// The only values allowed.
    #[serde(default, rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
    /// Regular expression a string must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}

/// Types of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum ParameterType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
}

/// Schema of `templateRef.parameters`: any scalar by name.
pub(crate) fn parameter_values_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "additionalProperties": {"x-kubernetes-preserve-unknown-fields": true}})
}

fn any_scalar_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"x-kubernetes-preserve-unknown-fields": true})
}

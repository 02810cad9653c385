//! Taking over what is on Railway already: what is asked for, what comes of it, and the words on the objects.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::environment::EnvironmentType;

/// Annotation on an Environment: Railway's id of the environment that it is to take over as it is. Heard only while the
/// Environment has made nothing, and only when taking over would change nothing.
pub const IMPORT: &str = "mirage.dev/import";

/// Label on Environments that one request imported: the request's id.
pub const IMPORT_OPERATION: &str = "mirage.dev/import-operation";

/// What is to be imported.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportRequest {
    /// Name of the RailwayAccount that looks and will act; `default` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Namespace of the Environments that are made, where an item names none; `default` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Environments to import.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ImportWish>,
    /// Every environment that Mirage does not manage, besides the items.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// With `all`: only those of this project, by name or Railway's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
}

/// One environment to import.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportWish {
    /// Project, by name or Railway's id.
    pub project: String,
    /// Environment, by name or Railway's id.
    pub environment: String,
    /// Name of the Environment that is made; `<project>-<environment>` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// What it is for; `prod` for an environment called production, otherwise left open.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub environment_type: Option<EnvironmentType>,
    /// Variables whose values are taken into the spec in the clear: `NAME`, or `service.NAME`. Every other plain value
    /// stays on Railway as `preserve: true`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plain: Vec<String>,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "camelCase")]
pub enum ImportState {
    /// It can be imported, and was not asked to be.
    Importable,
    /// It cannot be imported; `problems` say why.
    Refused,
    /// An Environment manages it already.
    Managed,
    /// The Environment was made, and waits for its turn.
    Waiting,
    /// The Environment was made, and does not describe what there is: nothing was touched.
    Differs,
    /// Mirage keeps it from now on.
    Adopted,
}

impl ImportState {
    /// Whether nothing more will happen by itself.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Importable)
    }
}

/// Something in the way of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportProblem {
    /// A word for programs: `AlreadyManaged`, `NameTaken`, `Unreadable`, `Marked`, `Differs`, `InvalidName`, `Invalid`,
    /// `Forbidden`, `NotFound`.
    pub reason: String,
    /// What is in the way and what would do.
    pub message: String,
}

/// What came, or would come, of one import.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportItem {
    /// How far it is.
    pub state: ImportState,
    /// The project's name.
    pub project: String,
    /// The environment's name on Railway.
    pub environment: String,
    /// Railway's id of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub railway_project_id: Option<String>,
    /// Railway's id of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub railway_environment_id: Option<String>,
    /// Mirage's id, once there is an Environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_id: Option<String>,
    /// Namespace of the Environment.
    pub namespace: String,
    /// Name of the Environment.
    pub name: String,
    /// What is in the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<ImportProblem>,
    /// What the spec cannot say, and so leaves as it is on Railway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// What Mirage would have to change to bring Railway to the spec: empty when it describes what there is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plan: Vec<String>,
    /// The Environment that is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Value>,
}

/// An import of any number of environments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportOperation {
    /// By which its progress is asked for; absent when nothing was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How many items there are.
    pub total: usize,
    /// With how many of them nothing more will happen by itself.
    pub done: usize,
    /// Each of them.
    pub items: Vec<ImportItem>,
}

impl ImportOperation {
    /// Counts.
    pub fn of(id: Option<String>, items: Vec<ImportItem>) -> Self {
        Self {
            id,
            total: items.len(),
            done: items.iter().filter(|item| item.state.is_final()).count(),
            items,
        }
    }
}

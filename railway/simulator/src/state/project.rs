//! What exists once per project.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

use super::Id;

/// A project and the order in which its parts were made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Project {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) workspace: Id,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) visible_at: i64,
    pub(crate) deleted_at: Option<i64>,
    pub(crate) scheduled_deletion: Option<i64>,
    pub(crate) base_environment: Option<Id>,
    pub(crate) is_public: bool,
    pub(crate) pr_deploys: bool,
    pub(crate) bot_pr_environments: bool,
    pub(crate) focused_pr_environments: bool,
    pub(crate) environments: Vec<Id>,
    pub(crate) services: Vec<Id>,
    pub(crate) volumes: Vec<Id>,
    pub(crate) buckets: Vec<Id>,
    /// Names of deleted environments, and until when they stay taken.
    pub(crate) reserved_names: BTreeMap<String, i64>,
    pub(crate) activities: Vec<Activity>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Service {
    pub(crate) id: Id,
    pub(crate) project: Id,
    pub(crate) name: String,
    pub(crate) icon: Option<String>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) visible_at: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) id: Id,
    pub(crate) project: Id,
    pub(crate) name: String,
    pub(crate) created: i64,
    pub(crate) visible_at: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bucket {
    pub(crate) id: Id,
    pub(crate) project: Id,
    pub(crate) name: String,
    pub(crate) created: i64,
}

/// A line of the project's feed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Activity {
    pub(crate) id: Id,
    pub(crate) at: i64,
    pub(crate) action: String,
    pub(crate) object: String,
    pub(crate) environment: Option<Id>,
    pub(crate) payload: Value,
}

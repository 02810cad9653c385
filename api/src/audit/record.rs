//! One record, as it is kept and as readers get it.

use std::net::IpAddr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Change;
use crate::store::StoreError;
use crate::store::audit::{AuditEntry, AuditSubject, Recorded};

/// Who did what to which object, from where, and how it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Its place in the log: from 1, without a gap. Given when it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// When the request came; of a record that stands for several, when the last one did.
    pub time: Timestamp,
    /// The `Audit-Id` header of the answer. All that one request wrote has the same.
    pub audit_id: String,
    /// Who.
    pub user: User,
    /// From where.
    pub from: Client,
    /// `create`, `update`, `patch`, `delete`, `deletecollection`; of refusals and of reads of secrets also `get`, `list`,
    /// `watch`. In lower case the HTTP method, where the request was about no object.
    pub verb: String,
    /// Plural and group: `environments.mirage.dev`, `secrets`. Empty when the request was about no object.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// Empty for cluster-scoped kinds.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Empty where no single object was meant.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `status`
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subresource: String,
    /// The path, where the request was about no object.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What happened to the object; absent when nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// The version that the write gave the object, or that its removal had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<String>,
    /// The whole object that was created or deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Value>,
    /// What was changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Whether object or changes were too long to be kept whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
    /// How many requests it stands for: repetitions of one that has a record of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// When the first of several came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_time: Option<Timestamp>,
}

/// Who asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Empty for nobody known.
    pub name: String,
    /// The groups that the user was in then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// By which token they showed who they are: its name, never itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Where a request came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Client {
    /// Absent for the server's own parts, which use no network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The program, as it calls itself: `kubectl/v1.33.1 …`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub agent: String,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The HTTP status.
    pub code: u16,
    /// Of a refusal: Kubernetes' word for why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Of a refusal: what the client was told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// What a write did to its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It was absent before.
    Created,
    /// It was there and is still.
    Updated,
    /// It is gone.
    Deleted,
}

/// What the names of the server's own parts begin with, as in Kubernetes.
const OWN_PARTS: &str = "system:";

impl Record {
    /// Whether it is what the server's own parts do all day: they write status, events and leases, and collide in it.
    pub(super) fn is_routine(&self) -> bool {
        self.is_by_own_part()
            && (self.subresource == "status"
                || is_chatter(&self.resource)
                || matches!(self.outcome.reason.as_str(), "Conflict" | "AlreadyExists"))
    }

    /// Whether the server or a part of it did it, and no person or program from outside.
    pub(super) fn is_by_own_part(&self) -> bool {
        self.user.name.starts_with(OWN_PARTS)
    }

    /// For the store.
    pub(super) fn entry(&self) -> AuditEntry {
        let subject = AuditSubject {
            time: self.time,
            username: &self.user.name,
            verb: &self.verb,
            resource: &self.resource,
            namespace: &self.namespace,
            name: &self.name,
            code: self.outcome.code,
            is_routine: self.is_routine(),
        };
        AuditEntry::new(&subject, self)
    }

    /// From the store.
    pub(crate) fn read(recorded: Recorded) -> Result<Self, StoreError> {
        let mut record: Self =
            serde_json::from_value(recorded.record).map_err(StoreError::unavailable)?;
        record.sequence = Some(recorded.sequence);
        record.resource_version = recorded.revision.map(|revision| revision.to_string());
        Ok(record)
    }
}

/// Kinds whose objects are news themselves: that they were written is kept, and not what they say.
pub(super) fn is_chatter(resource: &str) -> bool {
    matches!(
        resource,
        "events" | "events.events.k8s.io" | "leases.coordination.k8s.io"
    )
}

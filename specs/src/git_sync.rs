//! A folder of a Git repository as the desired state.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{duration::Span, environment::LocalRef, variable::SecretKeyRef};

mod repository;

pub use repository::place;

/// The annotation that asks for a look now; its value is any text that was not there before, such as the time.
pub const SYNC_AT: &str = "mirage.dev/sync-at";

/// A Git repository's folder of specs, kept applied: what is added there appears, what changes there changes, what leaves
/// it goes.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "mirage.dev",
    version = "v1alpha1",
    kind = "GitSync",
    plural = "gitsyncs",
    singular = "gitsync",
    shortname = "gs",
    category = "mirage",
    namespaced,
    derive = "PartialEq",
    status = "GitSyncStatus",
    selectable = ".status.phase",
    printcolumn = r#"{"name":"Repository","type":"string","jsonPath":".spec.url"}"#,
    printcolumn = r#"{"name":"Revision","type":"string","jsonPath":".status.revision"}"#,
    printcolumn = r#"{"name":"Status","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Objects","type":"string","jsonPath":".status.objectsSynced"}"#,
    printcolumn = r#"{"name":"Last Sync","type":"date","jsonPath":".status.lastSync"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"Path","type":"string","jsonPath":".spec.path","priority":1}"#,
    printcolumn = r#"{"name":"Next Sync","type":"string","jsonPath":".status.nextSync","priority":1}"#
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GitSyncSpec {
    /// Address of the repository: `https://…`, `ssh://git@host/…`, `git@host:owner/name.git` or `file:///…`. Passwords and
    /// tokens are refused in it; they go into the Secret of `secretRef`.
    pub url: String,
    /// Branch to follow. Without `branch`, `tag` and `commit` it is the one that the repository's HEAD names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Tag to follow, also when it moves; not together with `branch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Full commit id to stay on; not together with `branch` or `tag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Folder inside the repository, with all folders below it; the whole repository when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How often to look whether there is a new commit; 1m when absent. `mirage sync` does not wait for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// Whether objects that left the folder are deleted; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prune: Option<bool>,
    /// What happens to the objects when this GitSync is deleted; `retain` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<SyncDeletion>,
    /// What happens when an object no longer is as Git says; `revert` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<SyncDrift>,
    /// Whether one faulty file holds everything back; false when absent, and the other files are applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atomic: Option<bool>,
    /// Whether objects that exist already and belong to no GitSync are taken over; false when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<bool>,
    /// Says what would happen and changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// Stops looking and applying, until taken away again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// Secret with what the repository asks for: `token` or `username` and `password` (https), `identity` (an SSH private
    /// key, with `password` when it is encrypted) and `known_hosts` (ssh), `ca.crt` (https with a CA of your own). A
    /// `token` beside an `identity` is for `commitStatus` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalRef>,
    /// The secret with which GitHub signs its webhooks, which only make Mirage look sooner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_secret_ref: Option<SecretKeyRef>,
    /// Whether each commit is told how it went, as a commit status; true when absent. It takes a repository on github.com
    /// (or ghe.com) and a `token` in the Secret of `secretRef` that may write commit statuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_status: Option<bool>,
    /// What this repository may write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Allowed>,
    /// Values for `${NAME}` in the files. Without this nothing is substituted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variables: Option<SyncVariables>,
}

/// What a repository may write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Allowed {
    /// Kinds, for example `Environment`, `Secret` or `Role.rbac.authorization.k8s.io`. When absent: Environment,
    /// EnvironmentTemplate and RailwayAccount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<String>>,
    /// Namespaces; only this GitSync's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<Vec<String>>,
}

/// Values for `${NAME}`. Railway's own `${{…}}` is left as it is, and `$${NAME}` is the text `${NAME}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SyncVariables {
    /// Values by name: text, numbers, true or false. One that stands alone in its place keeps its type.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::template::parameter_values_schema")]
    pub values: BTreeMap<String, serde_json::Value>,
    /// A Secret each key of which is a variable. These can be used in Secrets only: everything else is kept in the clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalRef>,
}

/// What happens to the objects when their GitSync is deleted; `retain` when absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SyncDeletion {
    /// They stay, and belong to nobody.
    #[default]
    Retain,
    /// They are deleted too.
    Prune,
}

/// What happens when an object no longer is as Git says; `revert` when absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SyncDrift {
    /// It is made as Git says again.
    #[default]
    Revert,
    /// Status and events say so, and it stays until its files change.
    Report,
}

/// What is true of a GitSync, as far as Mirage has seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitSyncStatus {
    /// Generation of the spec that the rest of this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// One word for tables: Pending, Synced, Drifted, Failing, DryRun, Suspended, Deleting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// `Ready`, `Fetched`, `Synced`, `Drifted`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// What was fetched, for people: `main@1a2b3c4d5e6f`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The newest commit seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_commit: Option<String>,
    /// The newest commit that was applied whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_commit: Option<String>,
    /// What was last said of a commit on GitHub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_commit: Option<ReportedCommit>,
    /// When the repository last answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_fetch: Option<Timestamp>,
    /// When everything was last applied without a fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sync: Option<Timestamp>,
    /// When the repository is asked next, unless something asks for it earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_sync: Option<Timestamp>,
    /// The value of the annotation `mirage.dev/sync-at` that was last heeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handled_sync_at: Option<String>,
    /// Objects that are as Git says of all that it declares, for example `11/12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects_synced: Option<String>,
    /// What became of each object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<SyncedObject>,
    /// What is wrong with the files; at most the first hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<SyncFault>,
    /// What in the folder was left out, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<IgnoredPath>,
    /// What this GitSync brought, or is about to: the only things that it ever deletes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inventory: Vec<InventoryEntry>,
}

/// An object and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncedObject {
    /// Its kind, with the group where that is not Mirage's or the core one: `Environment`, `Role.rbac.authorization.k8s.io`.
    pub kind: String,
    /// Its namespace; absent for what has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// The file that declares it; absent once none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line on which it begins there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What became of it.
    pub result: SyncResult,
    /// Why, and what would help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What became of an object.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    strum::IntoStaticStr,
)]
pub enum SyncResult {
    /// It is as Git says.
    Synced,
    /// It differs from Git, and stays so: drift that is only reported.
    Drifted,
    /// Somebody else's: another GitSync's, another manager's, or there before and not adopted.
    Conflict,
    /// Its file is faulty, or the limits do not allow it.
    Invalid,
    /// The API server refused it.
    Refused,
    /// The API server could not be asked; it is tried again.
    Unknown,
    /// An earlier object of its name is on its way out; it is tried again.
    Waiting,
    /// It left Git and is on its way out.
    Pruning,
    /// It left Git and stays, as the message says.
    Kept,
    /// A dry run: it would be made.
    WouldCreate,
    /// A dry run: it would be changed.
    WouldUpdate,
    /// A dry run: it would be deleted.
    WouldPrune,
}

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncFault {
    /// The file, from the repository's root.
    pub file: String,
    /// Line, from 1; absent when the fault is the whole file's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column in characters, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// What is wrong and what would do.
    pub message: String,
}

/// What was said of a commit on GitHub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportedCommit {
    /// The commit.
    pub commit: String,
    /// What was said of it.
    pub state: ReportedState,
    /// Why GitHub would not take it; it is not tried again for this commit and state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What is said of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
pub enum ReportedState {
    /// All that it declares is applied.
    Synced,
    /// Not all of it is.
    Failed,
}

/// Something in the folder that is no declaration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IgnoredPath {
    /// Where, from the repository's root.
    pub path: String,
    /// Why it was left out.
    pub reason: String,
}

/// Something that a GitSync brought, or is about to bring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InventoryEntry {
    /// `mirage.dev/v1alpha1`, or `v1`.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace; absent for what has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Keyed fingerprint of what was last applied, to tell a change in Git from drift; absent until it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<String>,
    /// Times it was reverted of late, to notice a fight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverts: Option<Reverts>,
}

/// How often something was put back, and since when that is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reverts {
    /// Times.
    pub count: u32,
    /// The first of them.
    pub since: Timestamp,
}

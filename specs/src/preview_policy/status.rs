//! What Mirage says about a PreviewPolicy, and what it has to remember of each pull request.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is true of a policy, as far as Mirage has seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewPolicyStatus {
    /// Generation of the spec that the rest of this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// One word for tables: Pending, Ready, Progressing, Degraded, Waiting, Failed, Suspended, Deleting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// `Ready`, `Synced`, `Progressing`, `Reported`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The account on GitHub that comments come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Open pull requests that the policy is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<u32>,
    /// Environments that are ready at their pull request's latest commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<u32>,
    /// Pull requests that wait for a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued: Option<u32>,
    /// Environments that did not come up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<u32>,
    /// Every pull request that the policy knows of, by number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["number"]))]
    pub previews: Vec<PreviewStatus>,
}

/// One pull request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewStatus {
    /// Its number.
    pub number: u64,
    /// Where its environment stands.
    pub state: PreviewState,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Name of its Environment, once it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Its latest commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The first public address of its environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its place among those that wait, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u32>,
    /// When its environment will be torn down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether it comes from a fork.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fork: bool,
    /// When it first asked for an environment: the order of the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// When its latest commit was first seen: the lifetime counts from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_at: Option<Timestamp>,
    /// Until when somebody asked to keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_until: Option<Timestamp>,
    /// Why it has no environment although it is open, until a push or somebody brings it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ending>,
    /// When it was seen to be closed or merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// Whether it was merged, once it is closed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub merged: bool,
    /// When somebody last asked to deploy the same commit again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redeploy_at: Option<Timestamp>,
    /// The commit for which somebody asked what differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff_of: Option<String>,
    /// What came of the last command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// The newest comment whose commands were carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<u64>,
    /// GitHub's `updated_at` up to which its comments were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_until: Option<Timestamp>,
    /// Our comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Said>,
    /// Our deployment on GitHub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<DeploymentReport>,
    /// Fingerprint of our commit status, which names the commit too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_status: Option<String>,
}

/// Something said on GitHub.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    /// GitHub's id.
    pub id: u64,
    /// Fingerprint of what it says, so that it is written only when that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// A deployment on GitHub.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentReport {
    /// GitHub's id.
    pub id: u64,
    /// The commit that it is of.
    pub commit: String,
    /// Fingerprint of its last status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// Why an open pull request has no environment any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ending {
    /// What ended it.
    pub cause: EndingCause,
    /// Who asked for it, if somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What ends the environment of an open pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
pub enum EndingCause {
    /// Its time was over.
    Expired,
    /// Somebody said `/mirage destroy`.
    Destroyed,
}

/// A preview in one word.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    strum::EnumIter,
)]
pub enum PreviewState {
    /// Not decided yet.
    #[default]
    Pending,
    /// Open, and not one that the policy is for.
    Ignored,
    /// Waits for a place.
    Queued,
    /// Its environment is made, or moves to a new commit.
    Deploying,
    /// Its environment is ready at its latest commit.
    Ready,
    /// Its environment did not come up.
    Failed,
    /// Another environment has the name.
    Conflict,
    /// The policy does not come to an environment for it.
    Invalid,
    /// Could not be read from GitHub; everything stays as it is.
    Unknown,
    /// Its environment is being torn down.
    TearingDown,
    /// Its time was over.
    Expired,
    /// Torn down because somebody asked.
    Destroyed,
    /// Closed or merged; nothing of it is left.
    Closed,
}

//! Pull requests get environments.

mod status;

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    duration::Span,
    environment::{LocalRef, ProjectRef, TemplateRef},
    variable::{SecretKeyRef, Variable},
};

pub use status::{
    DeploymentReport, Ending, EndingCause, PreviewPolicyStatus, PreviewState, PreviewStatus, Said,
};

/// On an Environment: the name of the PreviewPolicy that brought it.
pub const POLICY_LABEL: &str = "mirage.dev/preview-policy";
/// On an Environment: the number of the pull request that it is for.
pub const PULL_REQUEST_LABEL: &str = "mirage.dev/pull-request";

/// Where GitHub's own API is.
pub const GITHUB_API: &str = "https://api.github.com";
/// Key of a Secret with a token for GitHub.
pub const TOKEN_KEY: &str = "token";
/// Key of a Secret with a GitHub App's id.
pub const APP_ID_KEY: &str = "appId";
/// Key of a Secret with a GitHub App's private key, PEM.
pub const PRIVATE_KEY_KEY: &str = "privateKey";
/// Key of a Secret with the id of a GitHub App's installation; the one on the repository when it is not there.
pub const INSTALLATION_ID_KEY: &str = "installationId";

/// How the environments of a policy are named when it does not say.
pub const DEFAULT_NAME_TEMPLATE: &str = "{{ policy.name }}-pr-{{ pr.number }}";
/// How often the repository is looked at when a policy does not say.
pub const DEFAULT_INTERVAL_SECONDS: u64 = 60;

/// An ephemeral Environment for every open pull request of a repository.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "mirage.dev",
    version = "v1alpha1",
    kind = "PreviewPolicy",
    plural = "previewpolicies",
    singular = "previewpolicy",
    shortname = "pp",
    category = "mirage",
    namespaced,
    derive = "PartialEq",
    status = "PreviewPolicyStatus",
    selectable = ".spec.repository",
    printcolumn = r#"{"name":"Repository","type":"string","jsonPath":".spec.repository"}"#,
    printcolumn = r#"{"name":"Open","type":"integer","jsonPath":".status.open"}"#,
    printcolumn = r#"{"name":"Ready","type":"integer","jsonPath":".status.ready"}"#,
    printcolumn = r#"{"name":"Queued","type":"integer","jsonPath":".status.queued"}"#,
    printcolumn = r#"{"name":"Status","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"Failed","type":"integer","jsonPath":".status.failed","priority":1}"#,
    printcolumn = r#"{"name":"Writes As","type":"string","jsonPath":".status.identity","priority":1}"#,
    printcolumn = r#"{"name":"Message","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].message","priority":1}"#
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreviewPolicySpec {
    /// The repository on GitHub, `owner/name`.
    pub repository: String,
    /// A Secret of this namespace with the key `token`, or with `appId` and `privateKey` (and `installationId`) of a
    /// GitHub App.
    pub github_secret_ref: LocalRef,
    /// Root of the API of an Enterprise server, `https://HOST/api/v3`; GitHub's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_url: Option<String>,
    /// The secret with which GitHub signs its webhooks, which only make Mirage look sooner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_secret_ref: Option<SecretKeyRef>,
    /// How often the repository is looked at; 60s when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// What the environments are made from.
    pub from: PreviewSource,
    /// The Railway project; that of the template or environment when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectRef>,
    /// The credential for Railway; that of the template or environment, else `default`, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_ref: Option<LocalRef>,
    /// Only pull requests into these branches; `*` stands for any characters. All when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub base_branches: Vec<String>,
    /// Only pull requests that carry one of these labels. All when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Only pull requests that one of these opened. All when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
    /// Whether pull requests that a bot opened get one; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bots: Option<bool>,
    /// Whether pull requests from forks get one; false when absent. They never get a value from a Secret or from another
    /// environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forks: Option<bool>,
    /// Whether drafts get one; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drafts: Option<bool>,
    /// Which services an environment gets; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<PreviewPaths>,
    /// How long after the last push an environment is torn down. Never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Span>,
    /// How many environments there may be at once; others wait in the order in which they asked. No limit when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_concurrent: Option<u32>,
    /// Shared variables on top of the template's or environment's. Texts may hold `{{ pr.number }}`, `{{ pr.branch }}`,
    /// `{{ pr.sha }}`, `{{ pr.shortSha }}`, `{{ pr.base }}`, `{{ pr.author }}` and `{{ policy.name }}`; `null` removes one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Option<Variable>>,
    /// Names of the environments; `{{ policy.name }}-pr-{{ pr.number }}` when absent. May hold those two and
    /// `{{ pr.branch }}`, `{{ pr.base }}`, `{{ pr.author }}`. The number is put at the end when it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_template: Option<String>,
    /// Whether comments show the last log lines of a service that failed; true when absent. Values of Secrets in them are
    /// blanked, what a program makes up itself is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<bool>,
    /// Leaves everything as it is: nothing is made, moved, torn down or said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// What the environments are made from: one of the two.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreviewSource {
    /// An EnvironmentTemplate of this namespace, or one that ships with Mirage. Parameters that are texts may hold the same
    /// placeholders as `variables`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateRef>,
    /// An Environment of this namespace, whose shape is copied: its services and variables, without its name, its own
    /// domains, its lifetime and what is on its volumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<LocalRef>,
}

/// Which services an environment gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PreviewPaths {
    /// All of them.
    #[default]
    All,
    /// Those that the pull request touches, by their watch patterns or else their root directory, and what they depend on.
    Focused,
}

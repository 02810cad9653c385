//! Peculiarities of Railway, each by name, each to be switched.
//!
//! Some are well attested and on by default; others are open questions about the live API, off by default, so that a
//! client can be tested against either answer.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::str::FromStr;
use strum::IntoEnumIterator;

/// One peculiarity.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::EnumIter,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Quirk {
    /// The change-set operations are not in the schema.
    ChangeSetsUnavailable,
    /// A patch may invent services and volumes under ids of its own.
    PatchAcceptsUnknownServiceIds,
    /// Committing a patch publishes what was staged as well.
    CommitFlushesStaged,
    /// Deleting what is not there answers "Not Authorized".
    DeleteAnswersNotAuthorized,
    /// `tcpProxies` is null where the list would be empty.
    TcpProxiesNull,
    /// Logs bring one line more than asked for.
    LogsLimitPlusOne,
    /// `serviceInstanceUpdate` without `numReplicas` goes back to one replica.
    ReplicasResetOnInstanceUpdate,
    /// `serviceInstanceUpdate` ignores null and clears on an empty string.
    NullDoesNotClear,
    /// The config etag moves when a deployment starts.
    EtagMovesOnDeploy,
    /// Masked variables have no `value` at all instead of an empty one.
    MaskedValuesAbsent,
    /// A workspace token may not create or delete environments.
    WorkspaceTokenCannotCreateEnvironments,
    /// A project token may not read its project.
    ProjectTokenCannotReadProject,
    /// A deleted environment's name stays taken for a while.
    NameReservedAfterDelete,
    /// `serviceCreate` into an ordinary environment reaches all ordinary environments.
    ServiceCreateEverywhere,
    /// Bucket deletes are accepted and ignored.
    BucketDeleteIgnored,
    /// `projects` without a workspace is empty for an account token.
    ProjectsNeedWorkspace,
    /// A change set that replaces a block drops the keys it does not name.
    BlockReplaceDropsKeys,
    /// `X-RateLimit-Reset` counts milliseconds.
    RatelimitResetMillis,
    /// `X-RateLimit-Reset` is an ISO 8601 date.
    RatelimitResetIso,
}

/// What `--quirks` prints about one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuirkInfo {
    /// The name to switch it by.
    pub name: &'static str,
    /// Whether it is on unless switched off.
    pub on_by_default: bool,
    /// One line on what it does.
    pub description: &'static str,
    /// Who says so.
    pub source: &'static str,
}

impl Quirk {
    /// Its entry in the list.
    #[must_use]
    pub fn info(self) -> QuirkInfo {
        let (on_by_default, description, source) = match self {
            Self::ChangeSetsUnavailable => (
                false,
                "environmentApplyChangeSet and its kin are missing from the schema",
                "older API versions; clients probe for it (client code)",
            ),
            Self::PatchAcceptsUnknownServiceIds => (
                false,
                "a patch entry with isCreated under an unknown UUID creates the service or volume",
                "open question",
            ),
            Self::CommitFlushesStaged => (
                false,
                "environmentPatchCommit also commits what was staged",
                "open question",
            ),
            Self::DeleteAnswersNotAuthorized => (
                true,
                "deleting something that is gone answers Not Authorized instead of not found",
                "third-party reports",
            ),
            Self::TcpProxiesNull => (
                false,
                "tcpProxies answers null although its type forbids it",
                "third-party reports",
            ),
            Self::LogsLimitPlusOne => (
                true,
                "log queries return limit + 1 lines",
                "official CLI compensates for it",
            ),
            Self::ReplicasResetOnInstanceUpdate => (
                true,
                "serviceInstanceUpdate without numReplicas resets it to 1",
                "third-party Terraform provider",
            ),
            Self::NullDoesNotClear => (
                true,
                "serviceInstanceUpdate ignores null; an empty string clears",
                "third-party reports",
            ),
            Self::EtagMovesOnDeploy => (
                false,
                "configEtag moves when a deployment starts",
                "open question",
            ),
            Self::MaskedValuesAbsent => (
                false,
                "config without decryptVariables leaves value out instead of leaving it empty",
                "open question; the official engine reads both as masked",
            ),
            Self::WorkspaceTokenCannotCreateEnvironments => (
                false,
                "environmentCreate and environmentDelete refuse workspace tokens",
                "third-party reports, conflicting",
            ),
            Self::ProjectTokenCannotReadProject => (
                false,
                "project(id) refuses project tokens",
                "third-party reports",
            ),
            Self::NameReservedAfterDelete => (
                true,
                "an environment's name stays taken for a while after it is gone",
                "third-party reports (CLI issue 923)",
            ),
            Self::ServiceCreateEverywhere => (
                true,
                "serviceCreate into a non-fork environment creates an instance in every non-fork environment",
                "schema descriptions",
            ),
            Self::BucketDeleteIgnored => (
                true,
                "a change set's bucket delete is accepted and does nothing",
                "observed by third parties, August 2026",
            ),
            Self::ProjectsNeedWorkspace => (
                true,
                "projects without workspaceId is empty for account tokens",
                "third-party reports",
            ),
            Self::BlockReplaceDropsKeys => (
                false,
                "resource.update replaces the whole block by `after` instead of merging it",
                "open question",
            ),
            Self::RatelimitResetMillis => (
                false,
                "X-RateLimit-Reset is in epoch milliseconds (otherwise seconds)",
                "format undocumented",
            ),
            Self::RatelimitResetIso => (
                false,
                "X-RateLimit-Reset is an ISO 8601 date",
                "format undocumented",
            ),
        };
        QuirkInfo {
            name: self.into(),
            on_by_default,
            description,
            source,
        }
    }
}

/// Every quirk there is.
#[must_use]
pub fn quirks() -> Vec<QuirkInfo> {
    Quirk::iter().map(Quirk::info).collect()
}

/// Which quirks are on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quirks(BTreeSet<Quirk>);

impl Default for Quirks {
    fn default() -> Self {
        Self(Quirk::iter().filter(|q| q.info().on_by_default).collect())
    }
}

impl Quirks {
    /// No peculiarity at all.
    #[must_use]
    pub fn none() -> Self {
        Self(BTreeSet::new())
    }

    /// With this one on.
    #[must_use]
    pub fn with(mut self, quirk: Quirk) -> Self {
        self.0.insert(quirk);
        self
    }

    /// With this one off.
    #[must_use]
    pub fn without(mut self, quirk: Quirk) -> Self {
        self.0.remove(&quirk);
        self
    }

    /// Whether it is on.
    #[must_use]
    pub fn has(&self, quirk: Quirk) -> bool {
        self.0.contains(&quirk)
    }

    /// Switches by `name`, `name=on` or `name=off`, as on the command line.
    ///
    /// # Errors
    /// The setting names no quirk, or neither on nor off.
    pub fn switch(&mut self, setting: &str) -> Result<(), UnknownQuirk> {
        let (name, state) = setting.split_once('=').unwrap_or((setting, "on"));
        let quirk = Quirk::from_str(name).map_err(|_| UnknownQuirk(setting.to_owned()))?;
        match state {
            "on" => self.0.insert(quirk),
            "off" => self.0.remove(&quirk),
            _ => return Err(UnknownQuirk(setting.to_owned())),
        };
        Ok(())
    }
}

/// A setting that switches nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a quirk; --quirks lists them, and each takes =on or =off")]
pub struct UnknownQuirk(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quirk_says_what_it_is_and_who_says_so() {
        for info in quirks() {
            assert!(!info.description.is_empty() && !info.source.is_empty());
        }
    }

    #[test]
    fn quirks_are_switched_by_name() {
        let mut quirks = Quirks::default();
        quirks.switch("change-sets-unavailable").unwrap();
        assert!(quirks.has(Quirk::ChangeSetsUnavailable));
        quirks.switch("change-sets-unavailable=off").unwrap();
        assert!(!quirks.has(Quirk::ChangeSetsUnavailable));
        assert!(quirks.switch("flux-capacitor").is_err());
        assert!(quirks.switch("tcp-proxies-null=maybe").is_err());
    }
}

//! A new master key, and every sealed value brought under it while the server runs.
//!
//! ```text
//!   key file gains version N+1 ─► the check is sealed with it ─► every other sealed text, one after the other ─► N may go
//!                                 (from here on it seals)         (objects and change log, no new revision)
//! ```
//! Only the data keys are wrapped anew: a value keeps its own, so that no value is opened for longer than to see that it
//! opens, and texts that were equal before (an object and its last change) still tell the same.
//!
//! What the check is sealed with is what seals, on every server of the store; all versions at hand open. So each arrow may
//! be the last before a crash: whoever rotates next goes on from there, and makes no further key.
//!
//! # Caveats
//! What was sealed before stays in backups and, until they are overwritten, in free pages of the database. A key that has
//! become known is no longer secret by rotation: the values themselves have to change too.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::sealed_store::{CHECK_SINCE, SEALED, check_key, each_sealed, place};
use super::{KeyError, SealError, SealedStore, version_of};
use crate::store::{Document, Key, ListQuery, Rewrite, Stands, Store, StoreError};

/// Rows that are looked at and rewritten in one go.
const BATCH: usize = 200;

/// Each pass finds what was written beside the one before it. More than a few are needed by nobody.
const PASSES: usize = 16;

/// How long an old key is kept at least: a write that has looked up what seals is done by then, on every server. The
/// store itself gives up on one sooner (20 s).
const RETIRE_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// Which versions of the master key there are, and what needs them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyState {
    /// The version that seals.
    pub in_use: u32,
    /// The versions that this server has.
    pub at_hand: Vec<u32>,
    /// How many sealed values need each version, the change log's included.
    pub values: BTreeMap<u32, u64>,
}

/// How far a rotation is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The version that everything is brought under.
    pub version: u32,
    /// Objects looked at in this pass.
    pub objects_seen: u64,
    /// Objects there are.
    pub objects: u64,
    /// Texts of the change log looked at in this pass.
    pub history_seen: u64,
    /// Objects and texts of the change log that were sealed anew.
    pub resealed: u64,
}

/// What a rotation came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rotated {
    /// The version that seals.
    pub version: u32,
    /// The version that did before.
    pub previous: u32,
    /// Whether the key was made by this rotation, and not before it.
    pub is_new_key: bool,
    /// Objects and texts of the change log that were sealed anew.
    pub resealed: u64,
    /// What could not be opened, and is as it was; at most a few are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

/// Which old versions have gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Retired {
    /// The versions that nothing needs.
    pub versions: Vec<u32>,
    /// Whether they were taken out of the key file; a key from elsewhere only a person can take away.
    pub is_removed: bool,
    /// The version that seals.
    pub in_use: u32,
}

/// Why keys are as they were.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// Another rotation is under way, here or on another server. Nothing is lost by waiting.
    #[error("another rotation is under way; ask again when it is done")]
    Busy,
    /// The keys come from the environment and there is no newer one among them.
    #[error(
        "the master key comes from the environment, which only its owner can change: put `{next}:NEW_KEY` beside the old entry into MIRAGE_MASTER_KEY (openssl rand -hex 32 makes one), start every server with both, and ask again"
    )]
    NoNewKey {
        /// The version to give it.
        next: u32,
    },
    /// An old version is needed still.
    #[error(
        "version {version} of the master key is needed still, by {example}; rotate again first"
    )]
    StillInUse {
        /// The version.
        version: u32,
        /// Something that is sealed with it.
        example: String,
    },
    /// The rotation is too fresh: a write that began before it may not have ended.
    #[error("the new key came into use less than a minute ago; ask again in {} s", wait.as_secs() + 1)]
    TooSoon {
        /// How long to wait.
        wait: SignedDuration,
    },
    /// The key file.
    #[error("the key file cannot be used")]
    Key(#[from] KeyError),
    /// A key that is not at hand, or no randomness.
    #[error("nothing can be sealed anew")]
    Seal(#[from] SealError),
    /// The store did not answer. What was done stays done; asking again goes on from there.
    #[error("the store did not answer")]
    Store(#[from] StoreError),
}

/// Who can give a store's secrets another master key.
#[async_trait]
pub trait KeyRotation: Send + Sync + 'static {
    /// Which keys there are and what needs them. Reads every secret's sealed text.
    async fn state(&self) -> Result<KeyState, RotateError>;

    /// Puts a new key into the key file without using it, so that it can be copied to other servers first. Answers with
    /// its version; one that waits for its use already is not followed by another.
    async fn prepare(&self) -> Result<u32, RotateError>;

    /// Takes the newest key into use and seals everything with it; finishes what an interrupted rotation left instead, if
    /// there is such. Tells of its progress as it goes. It may be dropped at any time.
    async fn rotate(
        &self,
        now: Timestamp,
        told: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Rotated, RotateError>;

    /// Takes the keys away that nothing needs.
    async fn retire(&self, now: Timestamp) -> Result<Retired, RotateError>;
}

/// A stored text with something sealed in it.
struct Row {
    key: Key,
    revision: u64,
    stands: Stands,
    document: Document,
}

impl Row {
    /// For people.
    fn name(&self) -> String {
        match self.stands {
            Stands::Object => self.key.to_string(),
            Stands::Change | Stands::Previous => {
                format!("{} in the change log at {}", self.key, self.revision)
            }
        }
    }

    /// The versions that its sealed texts need, one entry each.
    fn versions(&self) -> Vec<u32> {
        let mut versions = Vec::new();
        // It fails only when the closure does.
        let _ = each_sealed(&self.key, &mut self.document.to_value(), |_, value| {
            versions.extend(value.as_str().and_then(version_of));
            Ok(Value::Null)
        });
        versions
    }
}

/// Goes through everything that is sealed, object by object and then change by change.
struct Walk {
    resource: usize,
    stage: Stage,
}

enum Stage {
    Objects { after: Option<(String, String)> },
    Changes { after: u64 },
}

impl Walk {
    fn new() -> Self {
        Self {
            resource: 0,
            stage: Stage::Objects { after: None },
        }
    }

    /// Some more rows, possibly none yet; `None` at the end.
    async fn next(&mut self, store: &dyn Store) -> Result<Option<Vec<Row>>, StoreError> {
        let Some(resource) = SEALED.get(self.resource) else {
            return Ok(None);
        };
        match &mut self.stage {
            Stage::Objects { after } => {
                let query = ListQuery {
                    resource: (*resource).to_owned(),
                    namespace: None,
                    after: after.take(),
                    limit: Some(BATCH),
                };
                let page = store.list(&query).await?;
                match page.items.last().filter(|_| page.remaining > 0) {
                    Some(last) => {
                        *after = Some((last.key.namespace.clone(), last.key.name.clone()));
                    }
                    None => self.stage = Stage::Changes { after: 0 },
                }
                let rows = page.items.into_iter().map(|stored| Row {
                    key: stored.key,
                    revision: stored.revision,
                    stands: Stands::Object,
                    document: stored.object,
                });
                Ok(Some(rows.collect()))
            }
            Stage::Changes { after } => {
                let changes = match store.changes(resource, None, *after, BATCH).await {
                    Err(StoreError::Compacted { floor }) => {
                        *after = floor;
                        return Ok(Some(Vec::new()));
                    }
                    other => other?.0,
                };
                match changes.last().filter(|_| changes.len() == BATCH) {
                    Some(last) => *after = last.revision,
                    None => {
                        self.resource += 1;
                        self.stage = Stage::Objects { after: None };
                    }
                }
                let mut rows = Vec::with_capacity(2 * changes.len());
                for change in changes {
                    rows.extend(change.previous.map(|document| Row {
                        key: change.key.clone(),
                        revision: change.revision,
                        stands: Stands::Previous,
                        document,
                    }));
                    rows.push(Row {
                        key: change.key,
                        revision: change.revision,
                        stands: Stands::Change,
                        document: change.object,
                    });
                }
                Ok(Some(rows))
            }
        }
    }
}

/// How many things that cannot be opened are named.
const NAMED: usize = 10;

impl<S: Store> SealedStore<S> {
    /// The same text under another key; nothing when it is there already.
    fn resealed(&self, row: &Row, version: u32) -> Result<Option<Document>, SealError> {
        let mut object = row.document.to_value();
        let mut is_changed = false;
        each_sealed(&row.key, &mut object, |field, value| {
            let sealed = value.as_str().ok_or(SealError::NotSealed)?;
            if version_of(sealed) == Some(version) {
                return Ok(value.clone());
            }
            is_changed = true;
            let rewrapped = self
                .sealer
                .rewrap(sealed, version, place(&row.key, field))?;
            Ok(Value::String(rewrapped))
        })?;
        Ok(is_changed.then(|| Document::from(object)))
    }

    /// One time through everything. Answers whether something was found that needed another version.
    async fn pass(
        &self,
        progress: &mut Progress,
        unreadable: &mut Vec<String>,
        told: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<bool, RotateError> {
        (progress.objects_seen, progress.history_seen) = (0, 0);
        unreadable.clear();
        let mut is_found = false;
        let mut walk = Walk::new();
        while let Some(rows) = walk.next(&self.inner).await? {
            let mut rewrites = Vec::new();
            for row in rows {
                match row.stands {
                    Stands::Object => progress.objects_seen += 1,
                    Stands::Change | Stands::Previous => progress.history_seen += 1,
                }
                match self.resealed(&row, progress.version) {
                    Ok(Some(after)) => rewrites.push(Rewrite {
                        key: row.key,
                        revision: row.revision,
                        stands: row.stands,
                        before: row.document,
                        after,
                    }),
                    Ok(None) => {}
                    Err(error @ (SealError::Refused | SealError::NotSealed)) => {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "{} cannot be sealed anew",
                            row.name()
                        );
                        if unreadable.len() < NAMED {
                            unreadable.push(row.name());
                        }
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            if !rewrites.is_empty() {
                is_found = true;
                // What was written meanwhile stays; the next pass sees it.
                progress.resealed += self.inner.rewrite(rewrites).await?;
            }
            told(*progress);
        }
        Ok(is_found)
    }

    /// Something that needs another version than this one.
    async fn straggler(&self, version: u32) -> Result<Option<(u32, String)>, StoreError> {
        let mut walk = Walk::new();
        while let Some(rows) = walk.next(&self.inner).await? {
            for row in rows {
                let other = row.versions().into_iter().find(|other| *other != version);
                if let Some(other) = other {
                    return Ok(Some((other, row.name())));
                }
            }
        }
        Ok(None)
    }

    /// The next version, made in the key file.
    fn new_key(&self) -> Result<u32, RotateError> {
        let next = self.sealer.keys.now().newest() + 1;
        if !self.sealer.keys.source().add(next)? {
            return Err(RotateError::NoNewKey { next });
        }
        self.sealer.keys.reload()?;
        Ok(next)
    }

    /// From here on this version seals.
    async fn take_into_use(&self, version: u32, now: Timestamp) -> Result<(), RotateError> {
        let stored = self
            .inner
            .get(&check_key())
            .await?
            .ok_or(StoreError::NotFound)?;
        let row = Row {
            key: stored.key,
            revision: stored.revision,
            stands: Stands::Object,
            document: stored.object,
        };
        let Some(check) = self.resealed(&row, version)? else {
            return Ok(());
        };
        let mut check = check.into_value();
        check[CHECK_SINCE] = json!(now.to_string());
        let rewrite = Rewrite {
            key: row.key,
            revision: row.revision,
            stands: row.stands,
            before: row.document,
            after: check.into(),
        };
        match self.inner.rewrite(vec![rewrite]).await? {
            0 => Err(RotateError::Busy),
            _ => Ok(()),
        }
    }

    /// Whether somebody else has taken a key of their own by this number into use, so that ours has sealed nothing.
    async fn is_another_key(&self, version: u32) -> Result<bool, StoreError> {
        let Some(stored) = self.inner.get(&check_key()).await? else {
            return Ok(false);
        };
        let in_use = self.version_in_use().await?;
        Ok(in_use == version && matches!(self.open_check(&stored), Err(SealError::Refused)))
    }

    async fn objects(&self) -> Result<u64, StoreError> {
        let mut objects = 0;
        for resource in SEALED {
            let query = ListQuery {
                resource: resource.to_owned(),
                namespace: None,
                after: None,
                limit: Some(1),
            };
            let page = self.inner.list(&query).await?;
            objects += page.items.len() as u64 + page.remaining;
        }
        Ok(objects)
    }
}

#[async_trait]
impl<S: Store> KeyRotation for SealedStore<S> {
    async fn state(&self) -> Result<KeyState, RotateError> {
        let in_use = self.version_in_use().await?;
        let mut values = BTreeMap::new();
        let mut walk = Walk::new();
        while let Some(rows) = walk.next(&self.inner).await? {
            for version in rows.iter().flat_map(Row::versions) {
                *values.entry(version).or_default() += 1;
            }
        }
        let at_hand = self.sealer.keys.reload()?.versions().collect();
        Ok(KeyState {
            in_use,
            at_hand,
            values,
        })
    }

    async fn prepare(&self) -> Result<u32, RotateError> {
        let _alone = self.rotating.try_lock().map_err(|_| RotateError::Busy)?;
        let in_use = self.version_in_use().await?;
        let newest = self.sealer.keys.reload()?.newest();
        if newest > in_use {
            return Ok(newest);
        }
        self.new_key()
    }

    async fn rotate(
        &self,
        now: Timestamp,
        told: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Rotated, RotateError> {
        let _alone = self.rotating.try_lock().map_err(|_| RotateError::Busy)?;
        let previous = self.version_in_use().await?;
        let newest = self.sealer.keys.reload()?.newest();
        let (version, is_new_key) = if newest > previous {
            (newest, false)
        } else if self.straggler(previous).await?.is_some() {
            (previous, false)
        } else {
            (self.new_key()?, true)
        };
        if version != previous
            && let Err(error) = self.take_into_use(version, now).await
        {
            if is_new_key && self.is_another_key(version).await? {
                self.sealer.keys.source().remove(&[version])?;
                self.sealer.keys.reload()?;
            }
            return Err(error);
        }
        tracing::info!(
            version,
            previous,
            "secrets are sealed with another master key"
        );
        let mut progress = Progress {
            version,
            objects: self.objects().await?,
            ..Progress::default()
        };
        let mut unreadable = Vec::new();
        for _ in 0..PASSES {
            if !self.pass(&mut progress, &mut unreadable, told).await? {
                break;
            }
        }
        Ok(Rotated {
            version,
            previous,
            is_new_key,
            resealed: progress.resealed,
            unreadable,
        })
    }

    async fn retire(&self, now: Timestamp) -> Result<Retired, RotateError> {
        let _alone = self.rotating.try_lock().map_err(|_| RotateError::Busy)?;
        let stored = self.inner.get(&check_key()).await?;
        let since =
            stored.and_then(|it| it.object[CHECK_SINCE].as_str()?.parse::<Timestamp>().ok());
        let age = since.map(|since| now.duration_since(since));
        if let Some(age) = age.filter(|age| *age < RETIRE_AFTER) {
            let wait = RETIRE_AFTER - age;
            return Err(RotateError::TooSoon { wait });
        }
        let in_use = self.version_in_use().await?;
        if let Some((version, example)) = self.straggler(in_use).await? {
            return Err(RotateError::StillInUse { version, example });
        }
        let keys = self.sealer.keys.reload()?;
        let versions: Vec<u32> = keys.versions().filter(|it| *it < in_use).collect();
        let is_removed = !versions.is_empty() && self.sealer.keys.source().remove(&versions)?;
        self.sealer.keys.reload()?;
        Ok(Retired {
            versions,
            is_removed,
            in_use,
        })
    }
}

#[cfg(test)]
mod tests;

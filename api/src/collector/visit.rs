//! One object: what it is now, what became of its owners, and what follows from it.

use super::Collector;
use super::decision::{Action, Owner, Subject, collect};
use super::effect::{EffectError, Names};
use crate::kinds::Kind;
use crate::kubernetes::metadata;
use crate::kubernetes::owners::{OwnerReference, Propagation, owners};
use crate::kubernetes::request::Verb;
use crate::store::{Key, StoreError, Stored};

/// Why an object was not dealt with.
#[derive(Debug, thiserror::Error)]
pub(super) enum VisitError {
    /// It was written after the graph was read: look again at once.
    #[error("it has changed meanwhile")]
    Stale,
    /// The store did not answer.
    #[error("the store did not answer")]
    Store(#[from] StoreError),
    /// The API refused.
    #[error("the API refused")]
    Refused(#[source] kube::Error),
}

impl From<EffectError> for VisitError {
    fn from(error: EffectError) -> Self {
        match error {
            EffectError::Raced => Self::Stale,
            EffectError::Refused(error) => Self::Refused(error),
        }
    }
}

impl Collector {
    /// Looks at an object and does what is to be done.
    pub(super) async fn visit(&self, key: &Key) -> Result<(), VisitError> {
        let Some(kind) = self.kinds.get(&key.resource) else {
            return Ok(());
        };
        // What only the server writes it also removes.
        if !kind.verbs.contains(&Verb::Delete) {
            return Ok(());
        }
        let Some(live) = self.server.store.get(key).await? else {
            return Ok(());
        };
        if live.revision > self.through.unwrap_or_default() {
            return Err(VisitError::Stale);
        }
        let references = owners(&live.object);
        let mut found = Vec::new();
        for reference in &references {
            let owner = self.owner(key, reference).await?;
            if owner == Owner::Elsewhere {
                let now = self.server.now();
                self.hands.complain(kind, &live, reference, now).await?;
            }
            found.push((reference.uid.clone(), owner));
        }
        let uid = metadata::text(&live.object, "uid");
        let action = collect(&Subject {
            is_deleting: metadata::is_deleting(&live.object),
            propagation: Propagation::of(&live.object),
            owners: found,
            has_dependents: self.graph.dependents(uid).next().is_some(),
            is_blocked: self.graph.is_blocked(uid),
        });
        self.act(kind, &live, action).await
    }

    /// Asks the store what became of an owner.
    async fn owner(&self, key: &Key, reference: &OwnerReference) -> Result<Owner, StoreError> {
        let mut kinds = self.server.registry.kinds();
        let kind =
            kinds.find(|kind| kind.group == reference.group() && kind.kind == reference.kind);
        let Some(kind) = kind else {
            return Ok(Owner::There);
        };
        if kind.namespaced && key.namespace.is_empty() {
            return Ok(Owner::Elsewhere);
        }
        let namespace = if kind.namespaced { &*key.namespace } else { "" };
        let expected = Key::new(kind.resource(), namespace, &reference.name);
        let live = self.server.store.get(&expected).await?;
        let live = live.filter(|live| metadata::text(&live.object, "uid") == reference.uid);
        Ok(match live {
            Some(live) => {
                let goes = Propagation::of(&live.object);
                if metadata::is_deleting(&live.object) && goes == Propagation::Foreground {
                    Owner::Waiting
                } else {
                    Owner::There
                }
            }
            None => match self.graph.home(&reference.uid) {
                Some(home) if *home != expected => Owner::Elsewhere,
                _ => Owner::Gone,
            },
        })
    }

    async fn act(&self, kind: &Kind, live: &Stored, action: Action) -> Result<(), VisitError> {
        let key = &live.key;
        match action {
            Action::Keep => {}
            Action::Delete(propagation) => {
                self.hands.delete(kind, live, propagation).await?;
                tracing::info!(object = %key, "{key} was deleted: its owners are gone");
            }
            Action::Forget(uids) => self.hands.forget(kind, live, &uids).await?,
            Action::Release(done) => {
                let finalizers: Vec<String> = metadata::finalizers(&live.object)
                    .into_iter()
                    .filter(|name| Some(*name) != done.finalizer())
                    .map(str::to_owned)
                    .collect();
                self.hands
                    .set(kind, live, Names::Finalizers(finalizers))
                    .await?;
            }
            Action::Orphan => {
                let uid = metadata::text(&live.object, "uid").to_owned();
                for dependent in self.graph.dependents(&uid) {
                    if let Some(kind) = self.kinds.get(&dependent.resource)
                        && let Some(dependent) = self.server.store.get(dependent).await?
                    {
                        self.hands
                            .forget(kind, &dependent, std::slice::from_ref(&uid))
                            .await?;
                    }
                }
            }
        }
        Ok(())
    }
}

//! Carrying a plan out, object by object: the only writer of what Git declares. Every step is safe to repeat.

use std::collections::BTreeMap;

use kube::{
    Client,
    api::{DeleteParams, DynamicObject, Patch, PatchParams, Preconditions},
    core::Status,
};
use mirage_specs::git_sync::SyncResult;

use super::{
    contest::{described, is_field_conflict, rivals},
    declare::{Declaration, Declared},
    diff::{Action, Over, Plan},
    key::Key,
    kinds::Kinds,
    observe::{Found, Live, Observed, api},
    order::in_order,
    resolve::Policy,
};

/// Under which name fields are kept. One for all GitSyncs: an object has one of them at a time, and what moves from one to
/// another keeps no fields of the former.
pub const MANAGER: &str = "mirage-gitsync";

/// Something that was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Change {
    /// Made.
    Created,
    /// Made as Git says now.
    Updated,
    /// Made as Git says again.
    Reverted,
    /// Taken over.
    Adopted,
    /// Deleted.
    Pruned,
}

/// What became of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// In a word.
    pub result: SyncResult,
    /// What was changed.
    pub change: Option<Change>,
    /// Why, when it is not as Git says.
    pub message: Option<String>,
}

impl Outcome {
    fn of(result: SyncResult) -> Self {
        Self {
            result,
            change: None,
            message: None,
        }
    }

    fn because(result: SyncResult, why: impl Into<String>) -> Self {
        Self {
            message: Some(why.into()),
            ..Self::of(result)
        }
    }

    fn changed(change: Option<Change>) -> Self {
        Self {
            change,
            ..Self::of(SyncResult::Synced)
        }
    }
}

/// What became of everything.
pub type Outcomes = BTreeMap<Key, Outcome>;

/// Carries a plan out.
pub async fn apply(
    client: &Client,
    kinds: &Kinds,
    declared: &Declared,
    observed: &Observed,
    plan: &Plan,
    policy: &Policy,
) -> Outcomes {
    let mut outcomes = Outcomes::new();
    for key in in_order(plan) {
        let work = Work {
            client,
            kinds,
            key,
            live: match observed.get(key) {
                Some(Live::Present(found)) => Some(found),
                _ => None,
            },
            policy,
        };
        let declaration = declared.objects.get(key);
        let outcome = match (&plan.actions[key], declaration) {
            (Action::Create, Some(declaration)) => {
                work.apply(declaration, Over::Nobody, false).await
            }
            (Action::Apply { over, is_settled }, Some(declaration)) => {
                work.apply(declaration, *over, *is_settled).await
            }
            (Action::Try { is_settled }, Some(declaration)) => {
                work.attempt(declaration, *is_settled).await
            }
            (Action::Hold { result, why }, _) => Outcome::because(*result, why.clone()),
            (Action::Prune, _) => {
                let entry = plan.inventory.get(key);
                let api_version = entry.map_or("", |entry| entry.api_version.as_str());
                work.prune(api_version).await
            }
            (Action::Forget, _) => continue,
            (_, None) => Outcome::because(SyncResult::Unknown, "it is not declared any more"),
        };
        outcomes.insert(key.clone(), outcome);
    }
    outcomes
}

/// Deletes an object as it was seen, and no other: since then somebody may have taken our mark off.
pub(super) fn deletion_of(found: &Found) -> DeleteParams {
    DeleteParams {
        preconditions: Some(Preconditions {
            uid: found.uid.clone(),
            resource_version: found.version.clone(),
        }),
        ..DeleteParams::background()
    }
}

struct Work<'w> {
    client: &'w Client,
    kinds: &'w Kinds,
    key: &'w Key,
    live: Option<&'w Found>,
    policy: &'w Policy,
}

impl Work<'_> {
    async fn apply(&self, declaration: &Declaration, over: Over, is_settled: bool) -> Outcome {
        let first = self.send(declaration, over == Over::Everybody, false).await;
        match first {
            Ok(object) => Outcome::changed(self.change(&object, over, is_settled)),
            Err(kube::Error::Api(status)) if is_field_conflict(&status) => {
                let rivals = rivals(&status);
                if over == Over::Hands && self.are_hands(&rivals) {
                    return match self.send(declaration, true, false).await {
                        Ok(object) => Outcome::changed(self.change(&object, over, is_settled)),
                        Err(error) => self.failed(&error),
                    };
                }
                Outcome::because(SyncResult::Conflict, described(&status, &rivals))
            }
            Err(error) => self.failed(&error),
        }
    }

    /// What applying would do.
    async fn attempt(&self, declaration: &Declaration, is_settled: bool) -> Outcome {
        let object = match self.send(declaration, true, true).await {
            Ok(object) => object,
            Err(error) => return self.failed(&error),
        };
        match self.live {
            None => Outcome::of(SyncResult::WouldCreate),
            Some(live) if live.object == Found::of(&object).object => {
                Outcome::of(SyncResult::Synced)
            }
            Some(_) if is_settled => Outcome::because(
                SyncResult::Drifted,
                "it differs from Git, and nothing in Git changed; it is left so",
            ),
            Some(_) => Outcome::of(SyncResult::WouldUpdate),
        }
    }

    async fn prune(&self, api_version: &str) -> Outcome {
        let (Some(resource), Some(live)) =
            (self.kinds.resource(api_version, &self.key.kind), self.live)
        else {
            return Outcome::because(SyncResult::Unknown, "it could not be looked at");
        };
        let params = deletion_of(live);
        match api(self.client, resource, self.key)
            .delete(&self.key.name, &params)
            .await
        {
            Ok(_) => Outcome {
                result: SyncResult::Pruning,
                change: Some(Change::Pruned),
                message: Some("it left Git".to_owned()),
            },
            Err(kube::Error::Api(status)) if status.code == 404 => {
                Outcome::because(SyncResult::Pruning, "it left Git")
            }
            Err(error) => self.failed(&error),
        }
    }

    async fn send(
        &self,
        declaration: &Declaration,
        force: bool,
        dry_run: bool,
    ) -> Result<DynamicObject, kube::Error> {
        let kinds = self.kinds;
        let Some(resource) = kinds.resource(&declaration.api_version, &self.key.kind) else {
            return Err(kube::Error::Api(
                Status::failure("the API server does not serve its kind", "NotFound")
                    .with_code(404)
                    .boxed(),
            ));
        };
        let mut object = declaration.value.clone();
        self.policy.owner.mark(&mut object);
        let mut params = PatchParams::apply(MANAGER);
        params.force = force;
        params.dry_run = dry_run;
        api(self.client, resource, self.key)
            .patch(&self.key.name, &params, &Patch::Apply(&object))
            .await
    }

    fn change(&self, object: &DynamicObject, over: Over, is_settled: bool) -> Option<Change> {
        let Some(live) = self.live else {
            return Some(Change::Created);
        };
        if live.object == Found::of(object).object {
            return None;
        }
        Some(match over {
            Over::Everybody => Change::Adopted,
            _ if is_settled => Change::Reverted,
            _ => Change::Updated,
        })
    }

    /// Whether nobody among those who differ declares the object as a whole.
    fn are_hands(&self, rivals: &[String]) -> bool {
        let Some(live) = self.live else { return false };
        !rivals.is_empty() && rivals.iter().all(|rival| !live.appliers.contains(rival))
    }

    /// What the API server said. Of a Secret only where, not what: its words may repeat a value.
    fn failed(&self, error: &kube::Error) -> Outcome {
        let kube::Error::Api(status) = error else {
            return Outcome::because(
                SyncResult::Unknown,
                "the API server could not be reached; it is tried again",
            );
        };
        if status.code >= 500 || status.code == 429 || status.code == 409 {
            return Outcome::because(
                SyncResult::Unknown,
                format!(
                    "the API server is busy ({}); it is tried again",
                    status.code
                ),
            );
        }
        let message = if self.key.kind == "Secret" {
            let fields: Vec<&str> = status
                .details
                .iter()
                .flat_map(|details| &details.causes)
                .map(|cause| cause.field.as_str())
                .collect();
            format!(
                "refused ({} {}) {}",
                status.code,
                status.reason,
                fields.join(", ")
            )
        } else {
            status.message.clone()
        };
        Outcome::because(SyncResult::Refused, message.trim_end())
    }
}

//! What is to be done about an object. Pure: the same object and owners give the same answer.

use crate::kubernetes::owners::Propagation;

/// What became of an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// It is there. So is, for all that anybody can say, one of a kind that is not served here.
    There,
    /// It is being deleted in the foreground and waits for its dependents.
    Waiting,
    /// There is no such object, or another one has its name.
    Gone,
    /// It is in another namespace, or in one while the object is in none. Such references count neither way: an object
    /// is not deleted for one, and not kept for one.
    Elsewhere,
}

/// What is known of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Subject {
    /// Whether its own deletion was asked for.
    pub(super) is_deleting: bool,
    /// How it is to go, as its finalizers say.
    pub(super) propagation: Propagation,
    /// The uids of its owners, and what became of them.
    pub(super) owners: Vec<(String, Owner)>,
    /// Whether anything says that it belongs to this object.
    pub(super) has_dependents: bool,
    /// Whether a dependent that blocks its deletion is there.
    pub(super) is_blocked: bool,
}

/// What to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing: it is free, or owned, or waits for others.
    Keep,
    /// Delete it.
    Delete(Propagation),
    /// Take these owners off it; it has others.
    Forget(Vec<String>),
    /// Take it off its dependents.
    Orphan,
    /// Take off the finalizer by which it waits.
    Release(Propagation),
}

/// Decides.
pub(super) fn collect(subject: &Subject) -> Action {
    if subject.is_deleting {
        return match subject.propagation {
            Propagation::Orphan if subject.has_dependents => Action::Orphan,
            Propagation::Foreground if subject.is_blocked => Action::Keep,
            Propagation::Background => Action::Keep,
            done => Action::Release(done),
        };
    }
    let has = |wanted: Owner| subject.owners.iter().any(|(_, owner)| *owner == wanted);
    let is_leaving = |owner: Owner| matches!(owner, Owner::Gone | Owner::Waiting);
    let leaving: Vec<String> = subject
        .owners
        .iter()
        .filter(|(_, owner)| is_leaving(*owner))
        .map(|(uid, _)| uid.clone())
        .collect();
    if leaving.is_empty() {
        Action::Keep
    } else if has(Owner::There) {
        Action::Forget(leaving)
    } else if has(Owner::Waiting) && subject.has_dependents {
        // Its own dependents are to go before the owner as well.
        Action::Delete(Propagation::Foreground)
    } else {
        Action::Delete(subject.propagation)
    }
}

#[cfg(test)]
mod tests;

//! Which object is meant, whatever its version.

use std::fmt;

use mirage_specs::git_sync::InventoryEntry;

/// Group, kind, namespace and name of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Empty for the core group.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// `None` for what has no namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// Mirage's own group, which people need not write out.
pub const OWN_GROUP: &str = "mirage.dev";

impl Key {
    /// Of something in the inventory.
    pub fn of_entry(entry: &InventoryEntry) -> Self {
        Self {
            group: group_of(&entry.api_version).to_owned(),
            kind: entry.kind.clone(),
            namespace: entry.namespace.clone(),
            name: entry.name.clone(),
        }
    }

    /// The kind as people write it: `Environment`, `Secret`, `Role.rbac.authorization.k8s.io`.
    pub fn kind_in_words(&self) -> String {
        in_words(&self.group, &self.kind)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}

/// The group of an `apiVersion`.
pub fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// The version of an `apiVersion`.
pub fn version_of(api_version: &str) -> &str {
    api_version
        .split_once('/')
        .map_or(api_version, |(_, version)| version)
}

/// A kind as people write it.
pub fn in_words(group: &str, kind: &str) -> String {
    if group.is_empty() || group == OWN_GROUP {
        kind.to_owned()
    } else {
        format!("{kind}.{group}")
    }
}

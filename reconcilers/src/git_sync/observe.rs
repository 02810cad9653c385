//! What the API server has of everything that is declared or was brought. Reads only.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, stream};
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject},
};
use serde_json::Value;

use super::{key::Key, kinds::Kinds, mark::Owner};

/// Objects asked for at the same time.
const AT_ONCE: usize = 8;

/// An object as the API server shows it. Absent, unknown and present are three things.
#[derive(Clone, Debug, PartialEq)]
pub enum Live {
    /// The API server says that it is not there.
    Absent,
    /// The API server could not be asked.
    Unknown(String),
    /// It is there.
    Present(Found),
}

/// What matters of an object that is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Its `metadata.uid`.
    pub uid: Option<String>,
    /// Its `metadata.resourceVersion`.
    pub version: Option<String>,
    /// Whose mark it carries.
    pub owner: Option<Owner>,
    /// Whether it is on its way out.
    pub is_leaving: bool,
    /// Who declared fields of it, that is, applied it as a whole.
    pub appliers: BTreeSet<String>,
    /// The whole object, without what every write changes.
    pub object: Value,
}

/// Everything, by key.
pub type Observed = BTreeMap<Key, Live>;

/// Looks at objects, given with their versions.
pub async fn observe(client: &Client, kinds: &Kinds, wanted: Vec<(Key, String)>) -> Observed {
    let looks = wanted.into_iter().map(|(key, api_version)| async move {
        let live = match kinds.resource(&api_version, &key.kind) {
            Some(resource) => look(client, resource, &key).await,
            None => Live::Unknown(format!("the API server has no {api_version} {}", key.kind)),
        };
        (key, live)
    });
    stream::iter(looks)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

async fn look(client: &Client, resource: &ApiResource, key: &Key) -> Live {
    match api(client, resource, key).get_opt(&key.name).await {
        Ok(None) => Live::Absent,
        Ok(Some(object)) => Live::Present(Found::of(&object)),
        Err(error) => Live::Unknown(format!("the API server could not be asked: {error}")),
    }
}

/// The way to an object.
pub fn api(client: &Client, resource: &ApiResource, key: &Key) -> Api<DynamicObject> {
    match &key.namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, resource),
        None => Api::all_with(client.clone(), resource),
    }
}

impl Found {
    /// What matters of an object.
    pub fn of(object: &DynamicObject) -> Self {
        let metadata = &object.metadata;
        Self {
            uid: metadata.uid.clone(),
            version: metadata.resource_version.clone(),
            owner: metadata.labels.as_ref().and_then(Owner::of),
            is_leaving: metadata.deletion_timestamp.is_some(),
            appliers: metadata
                .managed_fields
                .iter()
                .flatten()
                .filter(|entry| entry.operation.as_deref() == Some("Apply"))
                .filter_map(|entry| entry.manager.clone())
                .collect(),
            object: comparable(object),
        }
    }
}

/// An object without what every write changes, and without what only its own controller writes.
fn comparable(object: &DynamicObject) -> Value {
    let mut value = serde_json::to_value(object).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.remove("status");
    }
    if let Some(metadata) = value["metadata"].as_object_mut() {
        for field in [
            "managedFields",
            "resourceVersion",
            "generation",
            "uid",
            "creationTimestamp",
        ] {
            metadata.remove(field);
        }
    }
    value
}

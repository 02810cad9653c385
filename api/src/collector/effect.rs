//! The collector's writes. They go through the API like everyone's, so that permissions, records and finalizers are as for
//! everyone; each is bound to the uid and the version of the object it was decided for.

use jiff::Timestamp;
use kube::api::{
    Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions,
    PropagationPolicy,
};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::kinds::Kind;
use crate::kubernetes::metadata;
use crate::kubernetes::owners::{OwnerReference, Propagation};
use crate::store::Stored;

/// The name under which it writes, in managed fields and in events.
const NAME: &str = "garbage-collector";

/// Why a write was not done.
pub(super) enum EffectError {
    /// The object was written meanwhile.
    Raced,
    /// The API says no.
    Refused(kube::Error),
}

/// A list of names in an object's metadata.
pub(super) enum Names {
    /// `finalizers`
    Finalizers(Vec<String>),
    /// `ownerReferences`
    Owners(Vec<Value>),
}

/// What writes.
pub(super) struct Hands {
    client: kube::Client,
}

impl Hands {
    pub(super) fn new(client: kube::Client) -> Self {
        Self { client }
    }

    fn api(&self, kind: &Kind, namespace: &str) -> Api<DynamicObject> {
        let gvk = GroupVersionKind::gvk(&kind.group, &kind.version, &kind.kind);
        let resource = ApiResource::from_gvk_with_plural(&gvk, &kind.plural);
        if namespace.is_empty() {
            Api::all_with(self.client.clone(), &resource)
        } else {
            Api::namespaced_with(self.client.clone(), namespace, &resource)
        }
    }

    /// Deletes the object.
    pub(super) async fn delete(
        &self,
        kind: &Kind,
        live: &Stored,
        propagation: Propagation,
    ) -> Result<(), EffectError> {
        let policy = match propagation {
            Propagation::Background => PropagationPolicy::Background,
            Propagation::Foreground => PropagationPolicy::Foreground,
            Propagation::Orphan => PropagationPolicy::Orphan,
        };
        let params = DeleteParams {
            propagation_policy: Some(policy),
            preconditions: Some(Preconditions {
                uid: Some(metadata::text(&live.object, "uid").to_owned()),
                resource_version: Some(live.revision.to_string()),
            }),
            ..DeleteParams::default()
        };
        let api = self.api(kind, &live.key.namespace);
        done(api.delete(&live.key.name, &params).await)
    }

    /// Takes the owners with these uids off the object, if they are on it.
    pub(super) async fn forget(
        &self,
        kind: &Kind,
        live: &Stored,
        uids: &[String],
    ) -> Result<(), EffectError> {
        let before = live.object["metadata"]["ownerReferences"].as_array();
        let before = before.map(Vec::as_slice).unwrap_or_default();
        let is_forgotten = |reference: &&Value| uids.iter().any(|uid| reference["uid"] == **uid);
        let kept: Vec<Value> = before
            .iter()
            .filter(|reference| !is_forgotten(reference))
            .cloned()
            .collect();
        if kept.len() == before.len() {
            return Ok(());
        }
        self.set(kind, live, Names::Owners(kept)).await
    }

    /// Replaces a list of the object's metadata.
    pub(super) async fn set(
        &self,
        kind: &Kind,
        live: &Stored,
        names: Names,
    ) -> Result<(), EffectError> {
        let (field, value) = match names {
            Names::Finalizers(names) => ("finalizers", (!names.is_empty()).then(|| json!(names))),
            Names::Owners(references) => (
                "ownerReferences",
                (!references.is_empty()).then(|| json!(references)),
            ),
        };
        let patch = json!({"metadata": {
            "uid": live.object["metadata"]["uid"], "resourceVersion": live.revision.to_string(), field: value,
        }});
        let params = PatchParams {
            field_manager: Some(NAME.to_owned()),
            ..PatchParams::default()
        };
        let api = self.api(kind, &live.key.namespace);
        done(
            api.patch(&live.key.name, &params, &Patch::Merge(patch))
                .await,
        )
    }

    /// Tells whoever looks at the object that this reference leads nowhere. Once an hour: then the event is forgotten.
    pub(super) async fn complain(
        &self,
        kind: &Kind,
        live: &Stored,
        reference: &OwnerReference,
        now: Timestamp,
    ) -> Result<(), EffectError> {
        let uid = metadata::text(&live.object, "uid");
        let digest = Sha256::digest(format!("{uid}/{}", reference.uid));
        // Cut so that the whole fits into the 253 characters of a name.
        let about: String = live.key.name.chars().take(200).collect();
        let name = format!(
            "{}.{}",
            about.trim_end_matches(['.', '-']),
            hex::encode(&digest[..8])
        );
        let namespace = if live.key.namespace.is_empty() {
            "default"
        } else {
            &live.key.namespace
        };
        let message = format!(
            "ownerReference [{} {}, name: {}, uid: {}] does not lead to an object that may own this one: an owner is in \
             the same namespace, or in none",
            reference.api_version, reference.kind, reference.name, reference.uid
        );
        let event: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": namespace},
            "type": "Warning", "reason": "OwnerRefInvalidNamespace", "message": message,
            "involvedObject": {"apiVersion": kind.api_version(), "kind": kind.kind, "namespace": live.key.namespace,
                "name": live.key.name, "uid": uid},
            "reportingComponent": NAME, "source": {"component": NAME},
            "firstTimestamp": format!("{now:.0}"), "lastTimestamp": format!("{now:.0}"), "count": 1,
        }))
        .map_err(|error| EffectError::Refused(kube::Error::SerdeError(error)))?;
        let gvk = GroupVersionKind::gvk("", "v1", "Event");
        let resource = ApiResource::from_gvk_with_plural(&gvk, "events");
        let events: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), namespace, &resource);
        match events.create(&PostParams::default(), &event).await {
            Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => Ok(()),
            // The namespace is going, and with it whoever would read this.
            Err(kube::Error::Api(status)) if status.code == 403 => Ok(()),
            other => done(other),
        }
    }
}

/// An object that is gone needs nothing more.
fn done<T>(answer: Result<T, kube::Error>) -> Result<(), EffectError> {
    match answer {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 409 => Err(EffectError::Raced),
        Err(error) => Err(EffectError::Refused(error)),
    }
}

//! What every request handler shares.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::access::{Policies, RBAC, builtin};
use crate::audit::{Audit, Origin};
use crate::auth::Authenticator;
use crate::catalog::Catalog;
use crate::copy::Copier;
use crate::error::Status;
use crate::feed::Feed;
use crate::finder::Finder;
use crate::ids::Ids;
use crate::kinds::{Kind, Registry};
use crate::plan::Planner;
use crate::store::seal::KeyRotation;
use crate::store::{Effect, Expect, Key, Store, Stored, Write};
use crate::webhooks::Webhooks;

/// Tells the time; simulated worlds bring their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The server's parts.
pub(crate) struct Server {
    pub(crate) policies: Policies,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) audit: Audit,
    pub(crate) feed: Feed,
    pub(crate) authenticator: Arc<dyn Authenticator>,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) planner: Option<Arc<dyn Planner>>,
    pub(crate) catalog: Option<Arc<dyn Catalog>>,
    pub(crate) finder: Option<Arc<dyn Finder>>,
    /// Comes after the API itself.
    pub(crate) copier: OnceLock<Arc<dyn Copier>>,
    pub(crate) version: String,
    pub(crate) registry: Registry,
    pub(crate) webhooks: Webhooks,
    /// Whoever can give the store's secrets another master key.
    pub(crate) keys: OnceLock<Arc<dyn KeyRotation>>,
}

impl Server {
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The time as `metadata` holds it: whole seconds.
    pub(crate) fn now_text(&self) -> String {
        let now = self.now();
        Timestamp::from_second(now.as_second())
            .unwrap_or(now)
            .to_string()
    }

    /// The server itself, for what it writes on nobody's behalf.
    pub(crate) fn own_origin(&self) -> Origin {
        Origin::server(self.ids.request_id().to_string(), self.now())
    }

    /// The namespace object, if there is one.
    pub(crate) async fn namespace(&self, name: &str) -> Result<Option<Stored>, Status> {
        let kind = self.core_kind("namespaces")?;
        self.store
            .get(&Key::new(kind.resource(), "", name))
            .await
            .map_err(|error| Status::from_store(kind, name, error))
    }

    /// A kind of the core group that is always registered.
    pub(crate) fn core_kind(&self, plural: &str) -> Result<&Arc<Kind>, Status> {
        self.registry
            .find("", "v1", plural)
            .ok_or_else(Status::unknown_path)
    }

    /// Puts a built-in role or binding back as it was made, unless somebody said on it that it is to stay as it is.
    pub(crate) async fn ensure_builtin(&self, builtin: builtin::Builtin) -> Result<(), Status> {
        let builtin::Builtin {
            plural,
            name,
            object,
        } = builtin;
        let Some(kind) = self.registry.find(RBAC, "v1", plural) else {
            return Ok(());
        };
        let live = self.store.get(&Key::new(kind.resource(), "", name)).await;
        let live = live.map_err(|error| Status::from_store(kind, name, error))?;
        let is_kept = live.is_some_and(|live| {
            live.object["metadata"]["annotations"][builtin::AUTOUPDATE] == "false"
        });
        if is_kept {
            return Ok(());
        }
        self.ensure(kind, name, object).await
    }

    /// Writes an object unless it is there already.
    pub(crate) async fn ensure(
        &self,
        kind: &Kind,
        name: &str,
        mut object: Value,
    ) -> Result<(), Status> {
        let key = Key::new(kind.resource(), "", name);
        object["apiVersion"] = json!(kind.api_version());
        object["kind"] = json!(kind.kind);
        object["metadata"]["name"] = json!(name);
        let live = self
            .store
            .get(&key)
            .await
            .map_err(|error| Status::from_store(kind, name, error))?;
        let expect = match &live {
            Some(live) => {
                object["metadata"]["uid"] = live.object["metadata"]["uid"].clone();
                object["metadata"]["creationTimestamp"] =
                    live.object["metadata"]["creationTimestamp"].clone();
                Expect::Revision(live.revision)
            }
            None => {
                object["metadata"]["uid"] = json!(self.ids.uid());
                object["metadata"]["creationTimestamp"] = json!(self.now_text());
                Expect::Absent
            }
        };
        if live.is_some_and(|live| live.object == object) {
            return Ok(());
        }
        let write = Write {
            key,
            expect,
            effect: Effect::put(object),
        };
        match self.store.write(write).await {
            // Another replica was quicker, with the same content.
            Ok(_)
            | Err(
                crate::store::StoreError::AlreadyExists | crate::store::StoreError::Conflict { .. },
            ) => Ok(()),
            Err(error) => Err(Status::from_store(kind, name, error)),
        }
    }
}

/// An object as clients see it: with its version, and in this kind's form.
pub(crate) fn presented(kind: &Kind, object: Value, revision: u64) -> Value {
    let mut object = kind.from_stored(object);
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("resourceVersion".into(), json!(revision.to_string()));
    }
    object
}

//! Which Environment keeps which environment on Railway.

use std::collections::BTreeMap;

use mirage_specs::catalog::{Keeper, KeptBy, RailwayEnvironment};
use mirage_specs::import::IMPORT;
use serde_json::Value;

use super::stored::{self, ENVIRONMENTS};
use crate::auth::Identity;
use crate::error::Status;
use crate::kubernetes::access;
use crate::server::Server;

/// Environments by the Railway id of what they keep.
pub(super) struct Keepers {
    by_railway_id: BTreeMap<String, KeptBy>,
    is_visible: BTreeMap<String, bool>,
}

impl Keepers {
    /// As things are, and as far as `identity` may see them.
    pub(super) async fn read(server: &Server, identity: &Identity) -> Result<Self, Status> {
        let kind = stored::kind(server, ENVIRONMENTS)?;
        let all = stored::all(server, kind, None).await?;
        let mut by_railway_id = BTreeMap::new();
        let mut is_visible = BTreeMap::new();
        for item in all {
            let object = item.object.into_value();
            let Some((id, kept_by)) = keeps(&object) else {
                continue;
            };
            if !is_visible.contains_key(&kept_by.namespace) {
                let asked = stored::asked("get", kind, &kept_by.namespace, "");
                let may = access::may(server, identity, &asked).await;
                is_visible.insert(kept_by.namespace.clone(), may);
            }
            by_railway_id.insert(id, kept_by);
        }
        Ok(Self {
            by_railway_id,
            is_visible,
        })
    }

    /// Whether anybody here keeps it.
    pub(super) fn is_kept(&self, railway_id: &str) -> bool {
        self.by_railway_id.contains_key(railway_id)
    }

    /// Who keeps it, for a caller who may know.
    pub(super) fn visible(&self, railway_id: &str) -> Option<&KeptBy> {
        let kept_by = self.by_railway_id.get(railway_id)?;
        let may = self.is_visible.get(&kept_by.namespace).copied();
        may.unwrap_or(false).then_some(kept_by)
    }

    /// Says whose it is.
    pub(super) fn tell(&self, environment: &mut RailwayEnvironment) {
        let id = &environment.railway_environment_id;
        environment.keeper = if self.is_kept(id) {
            Keeper::Managed
        } else {
            Keeper::External
        };
        environment.kept_by = self.visible(id).cloned();
    }
}

/// What an Environment keeps, or is about to take over.
fn keeps(object: &Value) -> Option<(String, KeptBy)> {
    let metadata = &object["metadata"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let id = text(&object["status"]["railway"]["environmentId"])
        .or_else(|| text(&metadata["annotations"][IMPORT]))?;
    let kept_by = KeptBy {
        environment_id: text(&metadata["uid"])?,
        namespace: text(&metadata["namespace"])?,
        name: text(&metadata["name"])?,
    };
    Some((id, kept_by))
}

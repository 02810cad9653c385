//! How the API server serves a kind: under which plural, and with namespaces or without. Reads only.

use std::collections::{BTreeMap, BTreeSet};

use kube::{
    Client, Resource,
    api::ApiResource,
    core::GroupVersionKind,
    discovery::{self, Scope as Served},
};
use mirage_specs::{
    Environment, EnvironmentTemplate, GitSync, Orphan, RailwayAccount, SecretStore,
};

use super::key::{group_of, version_of};

/// Whether objects of a kind live in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// They do.
    Namespaced,
    /// They do not.
    Cluster,
}

/// Kinds by `apiVersion` and kind.
#[derive(Clone, Debug, Default)]
pub struct Kinds(BTreeMap<(String, String), (ApiResource, Scope)>);

impl Kinds {
    /// Those that every Mirage and every Kubernetes has, which nobody needs to be asked about.
    pub fn known() -> Self {
        let mut kinds = Self::default();
        for resource in [
            ApiResource::erase::<Environment>(&()),
            ApiResource::erase::<EnvironmentTemplate>(&()),
            ApiResource::erase::<GitSync>(&()),
            ApiResource::erase::<Orphan>(&()),
            ApiResource::erase::<RailwayAccount>(&()),
            ApiResource::erase::<SecretStore>(&()),
            core::<k8s_openapi::api::core::v1::ConfigMap>(),
            core::<k8s_openapi::api::core::v1::Secret>(),
        ] {
            kinds.insert(resource, Scope::Namespaced);
        }
        kinds.insert(
            core::<k8s_openapi::api::core::v1::Namespace>(),
            Scope::Cluster,
        );
        kinds
    }

    /// Adds what the API server says of the others. A kind that it does not serve stays out.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn learn(
        &mut self,
        client: &Client,
        wanted: BTreeSet<(String, String)>,
    ) -> Result<(), kube::Error> {
        for (api_version, kind) in wanted {
            if self.0.contains_key(&(api_version.clone(), kind.clone())) {
                continue;
            }
            let named =
                GroupVersionKind::gvk(group_of(&api_version), version_of(&api_version), &kind);
            match discovery::pinned_kind(client, &named).await {
                Ok((resource, capabilities)) => {
                    let scope = match capabilities.scope {
                        Served::Namespaced => Scope::Namespaced,
                        Served::Cluster => Scope::Cluster,
                    };
                    self.insert(resource, scope);
                }
                // Neither the group nor the kind is there.
                Err(kube::Error::Discovery(_)) => {}
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether objects of a kind live in a namespace; `None` for a kind that is not served.
    pub fn scope(&self, api_version: &str, kind: &str) -> Option<Scope> {
        self.find(api_version, kind).map(|(_, scope)| *scope)
    }

    /// How a kind is asked for.
    pub fn resource(&self, api_version: &str, kind: &str) -> Option<&ApiResource> {
        self.find(api_version, kind).map(|(resource, _)| resource)
    }

    fn find(&self, api_version: &str, kind: &str) -> Option<&(ApiResource, Scope)> {
        self.0.get(&(api_version.to_owned(), kind.to_owned()))
    }

    fn insert(&mut self, resource: ApiResource, scope: Scope) {
        let key = (resource.api_version.clone(), resource.kind.clone());
        self.0.insert(key, (resource, scope));
    }
}

fn core<K: Resource<DynamicType = ()>>() -> ApiResource {
    ApiResource::erase::<K>(&())
}

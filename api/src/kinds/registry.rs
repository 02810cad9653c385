//! The kinds that are served, found by path.

use std::sync::Arc;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use super::{
    Kind, config_map, custom_resource, definition, environment, event, lease, namespace, role,
    role_binding, secret, token,
};
use crate::error::Fault;

/// The kinds that are served.
#[derive(Debug, Clone)]
pub struct Registry {
    kinds: Vec<Arc<Kind>>,
    definitions: Vec<CustomResourceDefinition>,
}

impl Registry {
    /// Kubernetes' own kinds, as far as clients expect them around ours.
    pub fn builtin() -> Self {
        let kinds = [
            namespace::kind(),
            secret::kind(),
            config_map::kind(),
            event::core_kind(),
            event::kind(),
            lease::kind(),
            definition::kind(),
            role::kind(),
            role_binding::kind(),
            role::cluster_kind(),
            role_binding::cluster_kind(),
            token::kind(),
        ];
        Self {
            kinds: kinds.into_iter().map(Arc::new).collect(),
            definitions: Vec::new(),
        }
    }

    /// Those and Mirage's own.
    pub fn mirage() -> Self {
        environment::add_to(Self::builtin())
    }

    /// Serves the storage version of a custom resource definition as well.
    ///
    /// `validate` sees the whole object after defaulting and names what the schema cannot express.
    #[must_use]
    pub fn with(
        self,
        definition: CustomResourceDefinition,
        validate: fn(&Value) -> Vec<Fault>,
    ) -> Self {
        self.with_adjusted(definition, |kind| kind.validate = validate)
    }

    /// As [`Registry::with`], with a say in all that a definition does not tell.
    #[must_use]
    pub(super) fn with_adjusted(
        mut self,
        definition: CustomResourceDefinition,
        adjust: impl FnOnce(&mut Kind),
    ) -> Self {
        if let Some(mut kind) = custom_resource::kind(&definition) {
            adjust(&mut kind);
            self.kinds.push(Arc::new(kind));
            self.definitions.push(definition);
        }
        self
    }

    /// The kind behind a path.
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Kind>> {
        self.kinds
            .iter()
            .find(|kind| kind.group == group && kind.version == version && kind.plural == plural)
    }

    /// All kinds, in the order in which they are discovered.
    pub fn kinds(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.kinds.iter()
    }

    /// Group and version pairs, each once, in the order in which they are discovered.
    pub fn group_versions(&self) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for kind in &self.kinds {
            let pair = (kind.group.clone(), kind.version.clone());
            if !pairs.contains(&pair) {
                pairs.push(pair);
            }
        }
        pairs
    }

    /// The definitions behind the custom kinds.
    pub fn definitions(&self) -> &[CustomResourceDefinition] {
        &self.definitions
    }
}

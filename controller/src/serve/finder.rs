//! The API asks what a repository holds, the reconcilers look: one trait fitted to the other.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use mirage_api::{CatalogError, Finder, Repository};
use mirage_reconcilers::FindError;
use mirage_specs::found::FoundServices;

/// A finder that comes later: the API is built first, because the controllers are its clients.
#[derive(Clone, Default)]
pub(super) struct Late(Arc<OnceLock<Arc<mirage_reconcilers::Finder>>>);

impl Late {
    /// From now on this one looks.
    pub(super) fn now_is(&self, finder: Arc<mirage_reconcilers::Finder>) {
        // Set once, at start-up; a second one would be a mistake of the caller's without consequence.
        let _ = self.0.set(finder);
    }
}

#[async_trait]
impl Finder for Late {
    async fn services(&self, repository: &Repository) -> Result<FoundServices, CatalogError> {
        let finder = self.0.get().ok_or_else(|| {
            let words = "this server runs without controllers (--no-controllers), and they look into repositories";
            CatalogError::Unavailable(words.to_owned())
        })?;
        let Repository {
            name,
            reference,
            namespace,
            secret,
        } = repository;
        finder
            .services(namespace, secret.as_deref(), name, reference.as_deref())
            .await
            .map_err(|error| match error {
                FindError::NotFound(words) => CatalogError::NotFound(words),
                FindError::Unavailable(words) => CatalogError::Unavailable(words),
            })
    }
}

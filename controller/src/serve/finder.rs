//! The API asks what a repository holds, the reconcilers look: one trait fitted to the other.

use async_trait::async_trait;
use mirage_api::{CatalogError, Finder, Repository};
use mirage_reconcilers::FindError;
use mirage_specs::found::FoundServices;

use super::late::Late;

#[async_trait]
impl Finder for Late<mirage_reconcilers::Finder> {
    async fn services(&self, repository: &Repository) -> Result<FoundServices, CatalogError> {
        let finder = self
            .get("look into repositories")
            .map_err(CatalogError::Unavailable)?;
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

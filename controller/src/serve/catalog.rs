//! The API asks what Railway has, the reconcilers look: one trait fitted to the other.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use mirage_api::{AccountName, Catalog, CatalogError};
use mirage_reconcilers::CatalogError as Unseen;
use mirage_specs::{
    catalog::{RailwayDeployment, RailwayEnvironment, RailwayProject},
    import::{ImportItem, ImportWish},
};

/// A catalog that comes later: the API is built first, because the controllers are its clients.
#[derive(Clone, Default)]
pub(super) struct Late(Arc<OnceLock<Arc<mirage_reconcilers::Catalog>>>);

impl Late {
    /// From now on this one looks.
    pub(super) fn now_is(&self, catalog: Arc<mirage_reconcilers::Catalog>) {
        // Set once, at start-up; a second one would be a mistake of the caller's without consequence.
        let _ = self.0.set(catalog);
    }

    fn get(&self) -> Result<&mirage_reconcilers::Catalog, CatalogError> {
        let words =
            "this server runs without controllers (--no-controllers), and they look at Railway";
        let catalog = self.0.get();
        catalog
            .map(Arc::as_ref)
            .ok_or_else(|| CatalogError::Unavailable(words.to_owned()))
    }
}

#[async_trait]
impl Catalog for Late {
    async fn projects(&self, account: &AccountName) -> Result<Vec<RailwayProject>, CatalogError> {
        let all = self.get()?.projects(&account.namespace, &account.name);
        all.await.map_err(told)
    }

    async fn environments(
        &self,
        account: &AccountName,
        project: &str,
    ) -> Result<Vec<RailwayEnvironment>, CatalogError> {
        self.get()?
            .environments(&account.namespace, &account.name, project)
            .await
            .map_err(told)
    }

    async fn environment(
        &self,
        account: &AccountName,
        project: &str,
        environment: &str,
    ) -> Result<RailwayEnvironment, CatalogError> {
        self.get()?
            .environment(&account.namespace, &account.name, project, environment)
            .await
            .map_err(told)
    }

    async fn deployments(
        &self,
        account: &AccountName,
        place: [&str; 3],
        limit: u32,
    ) -> Result<Vec<RailwayDeployment>, CatalogError> {
        self.get()?
            .deployments(&account.namespace, &account.name, place, limit)
            .await
            .map_err(told)
    }

    async fn survey(
        &self,
        account: &AccountName,
        wishes: Vec<ImportWish>,
    ) -> Result<Vec<ImportItem>, CatalogError> {
        self.get()?
            .survey(&account.namespace, &account.name, wishes)
            .await
            .map_err(told)
    }
}

fn told(error: Unseen) -> CatalogError {
    match error {
        Unseen::NotFound(words) => CatalogError::NotFound(words),
        Unseen::Account(words) | Unseen::Unknown(words) => CatalogError::Unavailable(words),
        error @ Unseen::Railway(_) => CatalogError::Unavailable(error.to_string()),
    }
}

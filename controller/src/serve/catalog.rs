//! The API asks what Railway has, the reconcilers look: one trait fitted to the other.

use async_trait::async_trait;
use mirage_api::{AccountName, Catalog, CatalogError};
use mirage_reconcilers::CatalogError as Unseen;
use mirage_specs::{
    catalog::{RailwayDeployment, RailwayEnvironment, RailwayProject},
    import::{ImportItem, ImportWish},
};

use super::late::Late;

fn seen(
    catalog: &Late<mirage_reconcilers::Catalog>,
) -> Result<&mirage_reconcilers::Catalog, CatalogError> {
    catalog
        .get("look at Railway")
        .map_err(CatalogError::Unavailable)
}

#[async_trait]
impl Catalog for Late<mirage_reconcilers::Catalog> {
    async fn projects(&self, account: &AccountName) -> Result<Vec<RailwayProject>, CatalogError> {
        let all = seen(self)?.projects(&account.namespace, &account.name);
        all.await.map_err(told)
    }

    async fn environments(
        &self,
        account: &AccountName,
        project: &str,
    ) -> Result<Vec<RailwayEnvironment>, CatalogError> {
        seen(self)?
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
        seen(self)?
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
        seen(self)?
            .deployments(&account.namespace, &account.name, place, limit)
            .await
            .map_err(told)
    }

    async fn survey(
        &self,
        account: &AccountName,
        wishes: Vec<ImportWish>,
    ) -> Result<Vec<ImportItem>, CatalogError> {
        seen(self)?
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

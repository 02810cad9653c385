//! What Railway has: the way from the API to whoever can look at it.
//!
//! Looking needs credentials and belongs to the reconcilers. Who may look, and which Environment keeps what, the API knows.

use async_trait::async_trait;
use mirage_specs::catalog::{RailwayDeployment, RailwayEnvironment, RailwayProject};
use mirage_specs::import::{ImportItem, ImportWish};

/// A RailwayAccount as seen from a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountName {
    /// The namespace.
    pub namespace: String,
    /// Its name; `default` is there for every namespace that has no own one.
    pub name: String,
}

/// Why there is nothing to show.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CatalogError {
    /// There is no such thing that the credential can see.
    #[error("{0}")]
    NotFound(String),
    /// The credential, or Railway, does not answer; trying again may help.
    #[error("{0}")]
    Unavailable(String),
}

/// Looks at Railway. Projects, environments and services are named by Railway's id or by name.
#[async_trait]
pub trait Catalog: Send + Sync + 'static {
    /// Every project that the credential sees. Whose the environments are is left out.
    async fn projects(&self, account: &AccountName) -> Result<Vec<RailwayProject>, CatalogError>;

    /// The environments of a project. Whose they are is left out.
    async fn environments(
        &self,
        account: &AccountName,
        project: &str,
    ) -> Result<Vec<RailwayEnvironment>, CatalogError>;

    /// One environment with its services. Whose it is is left out.
    async fn environment(
        &self,
        account: &AccountName,
        project: &str,
        environment: &str,
    ) -> Result<RailwayEnvironment, CatalogError>;

    /// The newest deployments of the service at project, environment, service.
    async fn deployments(
        &self,
        account: &AccountName,
        place: [&str; 3],
        limit: u32,
    ) -> Result<Vec<RailwayDeployment>, CatalogError>;

    /// What would come of importing these. Whether one is managed already, or its name is taken, is left out.
    async fn survey(
        &self,
        account: &AccountName,
        wishes: Vec<ImportWish>,
    ) -> Result<Vec<ImportItem>, CatalogError>;
}

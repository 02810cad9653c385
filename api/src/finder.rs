//! What repositories hold: the way from the API to whoever can look into them.

use async_trait::async_trait;
use mirage_specs::found::FoundServices;

use crate::catalog::CatalogError;

/// A repository, and how it is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// `owner/name`
    pub name: String,
    /// A branch, tag or commit; the default branch when absent.
    pub reference: Option<String>,
    /// The namespace that the secret is in.
    pub namespace: String,
    /// The Secret with a credential for GitHub; without one, what everybody sees.
    pub secret: Option<String>,
}

/// Looks into repositories.
#[async_trait]
pub trait Finder: Send + Sync + 'static {
    /// The services that it holds.
    async fn services(&self, repository: &Repository) -> Result<FoundServices, CatalogError>;
}

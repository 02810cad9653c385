//! What a copy would be: the way from the API to whoever can look into an environment.
//!
//! Half of what a copy is made from stands on Railway and belongs to the reconcilers. The API only declares what it needs
//! of it, for `POST /api/v1/environments/{id}/clone` and its preview.

use async_trait::async_trait;
use mirage_specs::{CopyOptions, copy::Copied};
use serde_json::Value;

/// Why a copy could not be worked out. What merely speaks against one is in [`Copied`].
#[derive(Debug, Clone, thiserror::Error)]
pub enum CopyError {
    /// The source cannot be copied as it is written; the message says what to change.
    #[error("{0}")]
    Invalid(String),
    /// Railway, a secret or a template could not be read; trying again may help.
    #[error("{0}")]
    Unavailable(String),
}

/// Works copies of environments out.
#[async_trait]
pub trait Copier: Send + Sync + 'static {
    /// What a copy of `source`, as it is stored now, would be.
    async fn copy(&self, source: Value, options: &CopyOptions) -> Result<Copied, CopyError>;
}

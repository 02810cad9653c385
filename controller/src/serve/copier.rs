//! The API asks for copies, the controllers work them out: one trait fitted to the other.

use std::sync::Arc;

use async_trait::async_trait;
use mirage_api::CopyError;
use mirage_reconcilers::CopyError as Unread;
use mirage_specs::{CopyOptions, copy::Copied};
use serde_json::Value;

use super::planner::in_full;

/// The controllers', as the API knows it.
pub(super) struct Copier(pub(super) Arc<mirage_reconcilers::Copier>);

#[async_trait]
impl mirage_api::Copier for Copier {
    async fn copy(&self, source: Value, options: &CopyOptions) -> Result<Copied, CopyError> {
        self.0.copy(source, options).await.map_err(|error| {
            let words = in_full(&error);
            match error {
                Unread::NotAnEnvironment(_) | Unread::Inputs(_) | Unread::Resolve(_) => {
                    CopyError::Invalid(words)
                }
                Unread::Account(_) | Unread::Railway(_) => CopyError::Unavailable(words),
            }
        })
    }
}

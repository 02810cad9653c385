//! The API's way to whoever works copies out: those controllers that live.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use mirage_api::CopyError;
use mirage_reconcilers::Copier;
use mirage_specs::{CopyOptions, copy::Copied};
use serde_json::Value;

/// The copier of the life that began last.
#[derive(Default)]
pub(super) struct Copies(Mutex<Option<Arc<Copier>>>);

impl Copies {
    pub(super) fn now_by(&self, copier: Arc<Copier>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(copier);
    }
}

#[async_trait]
impl mirage_api::Copier for Copies {
    async fn copy(&self, source: Value, options: &CopyOptions) -> Result<Copied, CopyError> {
        let copier = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let copier = copier.ok_or_else(|| CopyError::Unavailable("nobody lives yet".to_owned()))?;
        let copied = copier.copy(source, options).await;
        copied.map_err(|error| CopyError::Unavailable(format!("{error:?}")))
    }
}

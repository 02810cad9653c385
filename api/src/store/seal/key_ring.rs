//! The master keys that this process has now. Another server may take a newer one into use, and leave it in the key file.

use std::sync::{Arc, PoisonError, RwLock};

use super::{KeyError, KeySource, MasterKeys, SealError};

/// Keys that can be read again.
#[derive(Debug)]
pub(super) struct KeyRing {
    keys: RwLock<Arc<MasterKeys>>,
    source: KeySource,
}

impl KeyRing {
    pub(super) fn new(keys: MasterKeys, source: KeySource) -> Self {
        Self {
            keys: RwLock::new(Arc::new(keys)),
            source,
        }
    }

    /// Where they come from.
    pub(super) fn source(&self) -> &KeySource {
        &self.source
    }

    /// The keys at hand.
    pub(super) fn now(&self) -> Arc<MasterKeys> {
        // A reader or a replacement that panicked left whole keys behind.
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keys with this version among them, read again if need be.
    pub(super) fn with(&self, version: u32) -> Result<Arc<MasterKeys>, SealError> {
        let keys = self.now();
        if keys.get(version).is_some() {
            return Ok(keys);
        }
        match self.reload() {
            Ok(keys) if keys.get(version).is_some() => Ok(keys),
            Ok(_) => Err(SealError::UnknownKey { version }),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    version,
                    "the master keys could not be read again"
                );
                Err(SealError::UnknownKey { version })
            }
        }
    }

    /// Reads the source again.
    pub(super) fn reload(&self) -> Result<Arc<MasterKeys>, KeyError> {
        let Some(keys) = self.source.read_again()? else {
            return Ok(self.now());
        };
        let keys = Arc::new(keys);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&keys);
        Ok(keys)
    }
}

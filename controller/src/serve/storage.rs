//! The store: a database file, and before it the seal that keeps secrets out of it.

use std::{env, path::PathBuf, sync::Arc};

use mirage_api::store::{
    Store,
    seal::{self, KeyError, MasterKeys, SealedStore, Sealer},
    sqlite::{self, SqliteStore},
};

use crate::serve::{data_dir::DataDir, database::Database};

const FILE: &str = "mirage.db";

/// Holds the master key where a file on the same disk as the database is not apart enough.
const MASTER_KEY: &str = "MIRAGE_MASTER_KEY";

/// Why the store did not open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StorageError {
    /// The database.
    #[error("the database cannot be opened")]
    Database(#[source] sqlite::OpenError),
    /// The master key cannot be had.
    #[error("there is no usable master key for secrets")]
    Key(#[source] KeyError),
    /// The master key is of another database.
    #[error("the database cannot be used with this master key")]
    Seal(#[source] seal::OpenError),
}

impl StorageError {
    pub(super) fn next_step(&self) -> Option<&'static str> {
        match self {
            Self::Database(_) => {
                Some("is the disk full or read-only? --database names another file")
            }
            Self::Key(_) | Self::Seal(_) => Some(
                "restore the key file of the data folder, or set MIRAGE_MASTER_KEY to the key in use before",
            ),
        }
    }
}

/// Opens the store for this process.
pub(super) async fn open(
    database: Option<&Database>,
    folder: &DataDir,
) -> Result<Arc<dyn Store>, StorageError> {
    let path: PathBuf = match database {
        Some(Database::Sqlite(path)) => path.clone(),
        None => folder.join(FILE),
    };
    let given = env::var(MASTER_KEY)
        .ok()
        .filter(|key| !key.trim().is_empty());
    let keys = MasterKeys::load(given.as_deref(), folder.path()).map_err(StorageError::Key)?;
    let store = SqliteStore::open(&path)
        .await
        .map_err(StorageError::Database)?;
    let sealed = SealedStore::open(store, Sealer::new(keys))
        .await
        .map_err(StorageError::Seal)?;
    Ok(Arc::new(sealed))
}

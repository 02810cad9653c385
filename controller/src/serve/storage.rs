//! The store: a database file, and before it the seal that keeps secrets out of it.

use std::{env, fs::File, path::PathBuf, sync::Arc};

use mirage_api::store::{
    Store,
    seal::{self, KeyError, MasterKeys, SealedStore, Sealer},
    sqlite::{self, SqliteStore},
};

use crate::serve::{
    data_dir::{self, DataDir, DataDirError},
    database::Database,
};

const FILE: &str = "mirage.db";

/// Holds the master key where a file on the same disk as the database is not apart enough.
const MASTER_KEY: &str = "MIRAGE_MASTER_KEY";

/// Why the store did not open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StorageError {
    /// Another process writes to it.
    #[error("another Mirage is using the database {}", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file beside the database by which it is locked.
    #[error("the database cannot be locked")]
    Lock(#[from] DataDirError),
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
            Self::InUse { .. } => Some("stop the other one, or name another file with --database"),
            Self::Lock(_) => None,
            Self::Database(_) => {
                Some("is the disk full or read-only? --database names another file")
            }
            Self::Key(_) | Self::Seal(_) => Some(
                "restore the key file of the data folder, or set MIRAGE_MASTER_KEY to the key in use before",
            ),
        }
    }
}

/// The store, and what keeps other processes away from it.
pub(super) struct Storage {
    pub(super) store: Arc<dyn Store>,
    /// The data folder's own database is under the folder's lock; one elsewhere needs its own.
    _lock: Option<File>,
}

/// Opens the store for this process.
pub(super) async fn open(
    database: Option<&Database>,
    folder: &DataDir,
) -> Result<Storage, StorageError> {
    let (path, lock) = match database {
        Some(Database::Sqlite(path)) => {
            let mut beside = path.as_os_str().to_owned();
            beside.push(".lock");
            let lock = data_dir::take(beside.as_ref())?;
            let lock = lock.ok_or_else(|| StorageError::InUse { path: path.clone() })?;
            (path.clone(), Some(lock))
        }
        None => (folder.join(FILE), None),
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
    Ok(Storage {
        store: Arc::new(sealed),
        _lock: lock,
    })
}

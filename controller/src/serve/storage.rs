//! The store: a database, and before it the seal that keeps secrets out of it.

use std::{env, fs::File, path::PathBuf, sync::Arc};

use mirage_api::auth::OtherAdmins;
use mirage_api::store::{
    Store,
    postgres::{self, Address, PostgresStore, Seat},
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
    /// The database that is shared with other servers.
    #[error("the database cannot be opened")]
    Postgres(#[source] postgres::OpenError),
    /// Two would each spend Railway's budget and undo what the other does.
    #[error("another Mirage runs the controllers on the database {0}")]
    SeatTaken(Address),
    /// The same, found out while running.
    #[error("another Mirage has taken over the controllers")]
    SeatLost,
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
            Self::Postgres(error) => Some(postgres_next_step(error)),
            Self::SeatTaken(_) | Self::SeatLost => Some(
                "one server per database runs them: start this one with --no-controllers, or stop the other",
            ),
            Self::Key(_) | Self::Seal(_) => Some(
                "restore the key file of the data folder, or set MIRAGE_MASTER_KEY to the key in use before (by every server on this database)",
            ),
        }
    }
}

fn postgres_next_step(error: &postgres::OpenError) -> &'static str {
    use postgres::OpenError::{Migrate, Refused, Silent, Unfit, Unreachable, Url};
    match error {
        Url(_) => "write --database postgres://USER@HOST:PORT/DATABASE",
        Unreachable { .. } | Silent { .. } => {
            "is PostgreSQL running there, and may this machine connect? try psql with the same URL"
        }
        Refused { .. } => {
            "look at user, password (in the URL or PGPASSWORD) and database name; create it with: createdb --encoding UTF8 NAME"
        }
        Unfit { .. } => "name another database with --database",
        Migrate { .. } => {
            "the user must own the database or may create tables in it; was it last used by a newer Mirage?"
        }
    }
}

/// The store, and what keeps other processes away from it.
pub(super) struct Storage {
    pub(super) store: Arc<dyn Store>,
    /// Where several servers share the database: what lets the controllers of this one act.
    pub(super) seat: Option<Seat>,
    /// Whose administrators the tokens may be that are not this data folder's.
    pub(super) other_admins: OtherAdmins,
    /// The data folder's own database is under the folder's lock; a file elsewhere needs its own.
    _lock: Option<File>,
}

/// Opens the store for this process.
pub(super) async fn open(
    database: Option<&Database>,
    folder: &DataDir,
    has_controllers: bool,
) -> Result<Storage, StorageError> {
    let given = env::var(MASTER_KEY)
        .ok()
        .filter(|key| !key.trim().is_empty());
    let keys = MasterKeys::load(given.as_deref(), folder.path()).map_err(StorageError::Key)?;
    let (path, lock) = match database {
        Some(Database::Postgres(address)) => return shared(address, keys, has_controllers).await,
        Some(Database::Sqlite(path)) => {
            let mut beside = path.as_os_str().to_owned();
            beside.push(".lock");
            let lock = data_dir::take(beside.as_ref())?;
            let lock = lock.ok_or_else(|| StorageError::InUse { path: path.clone() })?;
            (path.clone(), Some(lock))
        }
        None => (folder.join(FILE), None),
    };
    let store = SqliteStore::open(&path)
        .await
        .map_err(StorageError::Database)?;
    Ok(Storage {
        store: sealed(store, keys).await?,
        seat: None,
        other_admins: OtherAdmins::Revoke,
        _lock: lock,
    })
}

async fn shared(
    address: &Address,
    keys: MasterKeys,
    has_controllers: bool,
) -> Result<Storage, StorageError> {
    let store = PostgresStore::open(address)
        .await
        .map_err(StorageError::Postgres)?;
    let seat = if has_controllers {
        let seat = Seat::take(address).await.map_err(StorageError::Postgres)?;
        Some(seat.ok_or_else(|| StorageError::SeatTaken(address.clone()))?)
    } else {
        None
    };
    Ok(Storage {
        store: sealed(store, keys).await?,
        seat,
        other_admins: OtherAdmins::Keep,
        _lock: None,
    })
}

async fn sealed(store: impl Store, keys: MasterKeys) -> Result<Arc<dyn Store>, StorageError> {
    let sealed = SealedStore::open(store, Sealer::new(keys))
        .await
        .map_err(StorageError::Seal)?;
    Ok(Arc::new(sealed))
}

//! The store: a database, and before it the seal that keeps secrets out of it.

use std::{
    env,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use mirage_api::auth::OtherAdmins;
use mirage_api::store::{
    Store,
    postgres::{self, Address, PostgresStore, Seat},
    seal::{self, KeyError, KeyRotation, MasterKeys, SealedStore, Sealer},
    sqlite::{self, SqliteStore},
};

use crate::serve::{
    data_dir::{self, DataDir, DataDirError},
    database::Database,
    leader::Turn,
};

const FILE: &str = "mirage.db";

/// Holds the master key where a file on the same disk as the database is not apart enough.
const MASTER_KEY: &str = "MIRAGE_MASTER_KEY";

/// Going back is for backups: a schema cannot be taken back without losing what only the newer one can hold.
const NEWER: &str =
    "use that Mirage or a newer one, or restore a backup from before it with `mirage db restore`";

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
    /// Two that act would each spend Railway's budget and undo what the other does.
    #[error("another Mirage's controllers have taken over, while the database had lost this one")]
    SeatLost,
    /// The master key cannot be had.
    #[error("there is no usable master key for secrets")]
    Key(#[source] KeyError),
    /// The master key is of another database.
    #[error("the database cannot be used with this master key")]
    Seal(#[source] seal::OpenError),
}

impl StorageError {
    pub(crate) fn next_step(&self) -> Option<&'static str> {
        match self {
            Self::InUse { .. } => Some("stop the other one, or name another file with --database"),
            Self::Lock(DataDirError::InUse { .. }) => {
                Some("stop the other one, or name another folder with --data-dir")
            }
            Self::Lock(_) => None,
            Self::Database(sqlite::OpenError::Newer { .. }) => Some(NEWER),
            Self::Database(_) => {
                Some("is the disk full or read-only? --database names another file")
            }
            Self::Postgres(error) => Some(postgres_next_step(error)),
            Self::SeatLost => Some("start it again: it stands by"),
            Self::Key(_) | Self::Seal(_) => Some(
                "restore the key file of the data folder, or set MIRAGE_MASTER_KEY to the key in use (by every server on this database); if another server rotated the key, take its key file",
            ),
        }
    }
}

fn postgres_next_step(error: &postgres::OpenError) -> &'static str {
    use postgres::OpenError::{Migrate, Newer, Refused, Silent, Unfit, Unreachable, Url};
    match error {
        Url(_) => "write --database postgres://USER@HOST:PORT/DATABASE",
        Unreachable { .. } | Silent { .. } => {
            "is PostgreSQL running there, and may this machine connect? try psql with the same URL"
        }
        Refused { .. } => {
            "look at user, password (in the URL or PGPASSWORD) and database name; create it with: createdb --encoding UTF8 NAME"
        }
        Unfit { .. } => "name another database with --database",
        Newer { .. } => NEWER,
        Migrate { .. } => "the user must own the database or may create tables in it",
    }
}

/// The store, and what keeps other processes away from it.
pub(super) struct Storage {
    pub(super) store: Arc<dyn Store>,
    /// The same, for who changes its master key.
    pub(super) keys: Arc<dyn KeyRotation>,
    /// Whose controllers act on it.
    pub(super) turn: Turn,
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
    let sealer = Sealer::load(given_key().as_deref(), folder.path()).map_err(StorageError::Key)?;
    let (path, lock) = match database {
        Some(Database::Postgres(address)) => return shared(address, sealer, has_controllers).await,
        Some(Database::Sqlite(path)) => (path.clone(), Some(lock_beside(path)?)),
        None => (folder.join(FILE), None),
    };
    let store = SqliteStore::open(&path)
        .await
        .map_err(StorageError::Database)?;
    let (store, keys) = sealed(store, sealer).await?;
    Ok(Storage {
        store,
        keys,
        turn: if has_controllers {
            Turn::Alone
        } else {
            Turn::Never
        },
        other_admins: OtherAdmins::Revoke,
        _lock: lock,
    })
}

fn given_key() -> Option<String> {
    env::var(MASTER_KEY)
        .ok()
        .filter(|key| !key.trim().is_empty())
}

/// The master keys that a server of this data folder would use, if there are any yet.
pub(crate) fn find_keys(data_dir: &Path) -> Result<Option<MasterKeys>, StorageError> {
    MasterKeys::find(given_key().as_deref(), data_dir).map_err(StorageError::Key)
}

/// Where a server of this data folder keeps its objects unless it is told otherwise.
pub(crate) fn usual_file(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE)
}

/// What keeps servers away from a file while it is replaced.
#[derive(Debug)]
pub(crate) enum Hold {
    /// The data folder whose database it is.
    Folder { _folder: DataDir },
    /// The lock beside the file, and that of the data folder if it lies in one.
    File {
        _lock: File,
        _folder: Option<DataDir>,
    },
}

impl Hold {
    /// Keeps servers away from the data folder, which is made if it is missing.
    pub(crate) fn on_folder(data_dir: &Path) -> Result<Self, StorageError> {
        let folder = DataDir::open(data_dir)?;
        Ok(Self::Folder { _folder: folder })
    }

    /// Keeps servers away from a file that lies anywhere.
    pub(crate) fn on_file(path: &Path) -> Result<Self, StorageError> {
        let folder = path
            .parent()
            .filter(|folder| folder.join(data_dir::LOCK_FILE).exists());
        Ok(Self::File {
            _folder: folder.map(DataDir::open).transpose()?,
            _lock: lock_beside(path)?,
        })
    }
}

fn lock_beside(path: &Path) -> Result<File, StorageError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let lock = data_dir::take(beside.as_ref())?;
    lock.ok_or_else(|| StorageError::InUse {
        path: path.to_owned(),
    })
}

async fn shared(
    address: &Address,
    sealer: Sealer,
    has_controllers: bool,
) -> Result<Storage, StorageError> {
    let store = PostgresStore::open(address)
        .await
        .map_err(StorageError::Postgres)?;
    let turn = if has_controllers {
        let seat = Seat::take(address).await.map_err(StorageError::Postgres)?;
        seat.map_or_else(
            || Turn::StandingBy(address.clone()),
            |seat| Turn::Seated(Box::new(seat)),
        )
    } else {
        Turn::Never
    };
    let (store, keys) = sealed(store, sealer).await?;
    Ok(Storage {
        store,
        keys,
        turn,
        other_admins: OtherAdmins::Keep,
        _lock: None,
    })
}

async fn sealed(
    store: impl Store,
    sealer: Sealer,
) -> Result<(Arc<dyn Store>, Arc<dyn KeyRotation>), StorageError> {
    let sealed = SealedStore::open(store, sealer)
        .await
        .map_err(StorageError::Seal)?;
    let sealed = Arc::new(sealed);
    Ok((Arc::clone(&sealed) as Arc<dyn Store>, sealed))
}

//! The first connection: is this a database that will do, and is its schema the newest?

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Row as _};

use super::{ANSWER, Address, CONNECT, read};

pub(in crate::store) static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/postgres");

/// PostgreSQL 12 has everything that is used here; it is the oldest one that this is meant for.
const OLDEST: i32 = 12;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is malformed.
    #[error("the database URL cannot be understood")]
    Url(#[source] sqlx::Error),
    /// Nobody answered: wrong host or port, not started yet, a firewall, or no TLS where it is asked for.
    #[error("cannot reach the database {address}")]
    Unreachable {
        /// Which one.
        address: Address,
        /// What went wrong.
        source: sqlx::Error,
    },
    /// The connection was not made within the time that it may take.
    #[error("the database {address} gave no answer within {} s", CONNECT.as_secs())]
    Silent {
        /// Which one.
        address: Address,
    },
    /// The server is there and does not let us in: name, password, database, or too many connections.
    #[error("the database {address} refuses the connection")]
    Refused {
        /// Which one.
        address: Address,
        /// What the server said.
        source: sqlx::Error,
    },
    /// The server lets us in, but it cannot hold the store.
    #[error("the database {address} cannot be used: {reason}")]
    Unfit {
        /// Which one.
        address: Address,
        /// What is wrong with it.
        reason: String,
    },
    /// A newer Mirage was here; this one does not know what it may change.
    #[error("the database {address} has schema {version}, which a newer Mirage made")]
    Newer {
        /// Which one.
        address: Address,
        /// The schema's version.
        version: i64,
    },
    /// The schema could not be brought up to date: no right to create tables, for instance.
    #[error("cannot bring the database {address} up to date")]
    Migrate {
        /// Which one.
        address: Address,
        /// Which step failed.
        source: MigrateError,
    },
}

/// A connection for the writer, and the newest revision.
pub(super) async fn prepare(
    address: &Address,
    options: &PgConnectOptions,
) -> Result<(PgConnection, u64), OpenError> {
    let mut connection = fit(address, options).await?;
    // Under a lock of the database, so that servers that start together do it one after the other.
    MIGRATIONS.run(&mut connection).await.map_err(|source| {
        let address = address.clone();
        match source {
            MigrateError::VersionMissing(version) => OpenError::Newer { address, version },
            source => OpenError::Migrate { address, source },
        }
    })?;
    let newest = read::newest(&mut connection)
        .await
        .map_err(|source| failed(address, source))?;
    Ok((connection, newest))
}

/// A session for whoever is no server, with the schema left as it is.
pub(in crate::store) async fn session(address: &Address) -> Result<PgConnection, OpenError> {
    fit(address, &address.options()?).await
}

/// A connection to a database that will do.
async fn fit(address: &Address, options: &PgConnectOptions) -> Result<PgConnection, OpenError> {
    let silent = |_| OpenError::Silent {
        address: address.clone(),
    };
    let mut connection = tokio::time::timeout(CONNECT, connect(options))
        .await
        .map_err(silent)?
        .map_err(|source| failed(address, source))?;
    let unfit = tokio::time::timeout(ANSWER, unfit(&mut connection))
        .await
        .map_err(silent)?
        .map_err(|source| failed(address, source))?;
    match unfit {
        Some(reason) => Err(OpenError::Unfit {
            address: address.clone(),
            reason,
        }),
        None => Ok(connection),
    }
}

fn failed(address: &Address, source: sqlx::Error) -> OpenError {
    let address = address.clone();
    match source {
        sqlx::Error::Database(_) => OpenError::Refused { address, source },
        _ => OpenError::Unreachable { address, source },
    }
}

/// A connection on which a commit is durable before it is answered, whatever the database's default is.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let mut connection = options.connect().await?;
    // Stronger settings (a standby that must have it too) are left as they are.
    sqlx::query(
        "select set_config('synchronous_commit', 'on', false)
        where current_setting('synchronous_commit') = 'off'",
    )
    .execute(&mut connection)
    .await?;
    Ok(connection)
}

async fn unfit(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    let row = sqlx::query(
        "select
            current_setting('server_version_num')::integer / 10000,
            current_setting('server_encoding'),
            pg_is_in_recovery()",
    )
    .fetch_one(connection)
    .await?;
    let (version, encoding, is_standby): (i32, String, bool) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(if version < OLDEST {
        Some(format!(
            "it is PostgreSQL {version}, and {OLDEST} is the oldest that will do"
        ))
    } else if encoding != "UTF8" {
        Some(format!("its encoding is {encoding}, and it must be UTF8"))
    } else if is_standby {
        Some("it is a read-only standby; name the primary".to_owned())
    } else {
        None
    })
}

//! Putting a backup into a database: verified before, all in one transaction, verified in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use futures::StreamExt as _;
use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use super::backup::{Backup, Unfinished, copy};
use super::contents::{self, STATE, TableContents};
use super::session::{Named, Session, Table};
use super::{Database, MaintenanceError, STRIDE, migrations, postgres};
use crate::store::column::{column_to_document, column_to_revision, revision_to_column};
use crate::store::postgres::{Address, PostgresStore};
use crate::store::seal::{SealError, Sealer, sealed_values};
use crate::store::sqlite::{self, SqliteStore};

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What was put in.
    pub backup: Backup,
    /// The version at which the database goes on.
    pub revision: u64,
    /// What was there before and is gone: rows of objects.
    pub replaced: u64,
    /// How many sealed values were opened to see that the key fits; `None` when there was no key to try.
    pub opened: Option<u64>,
}

/// Replaces the content of the database by a backup's. The database is made if it is missing and brought up to date if it
/// is old; unless `replaces`, it must be empty. The caller makes sure that no server uses it, if it is a file.
///
/// # Errors
/// See [`MaintenanceError`]; the database is then as it was.
pub async fn restore(
    file: &Path,
    database: &Database,
    sealer: Option<&Sealer>,
    replaces: bool,
) -> Result<Restored, MaintenanceError> {
    let (backup, opened) = verify(file, sealer).await?;
    let upgraded = upgraded(file, backup.schema).await?;
    let from = upgraded.as_ref().map_or(file, |copy| copy.path.as_path());
    let from = Database::Sqlite(from.to_owned());
    // Held until the end: with it no server's controllers begin to act on what is being replaced.
    let alone = match database {
        Database::Postgres(address) => Some(alone(database, address).await?),
        Database::Sqlite(_) => None,
    };
    bring_up_to_date(database).await?;
    let (revision, replaced) = replace(&from, database, backup.revision, replaces).await?;
    drop(alone);
    Ok(Restored {
        backup,
        revision,
        replaced,
        opened,
    })
}

/// A copy of an old backup with the newest schema; the file itself stays as it is.
async fn upgraded(file: &Path, schema: i64) -> Result<Option<Unfinished>, MaintenanceError> {
    if schema == migrations::newest(&sqlite::MIGRATIONS) {
        return Ok(None);
    }
    let copy = Unfinished::beside(file, "restoring")?;
    fs::copy(file, &copy.path).map_err(|source| MaintenanceError::File {
        path: copy.path.clone(),
        source,
    })?;
    bring_up_to_date(&Database::Sqlite(copy.path.clone())).await?;
    Ok(Some(copy))
}

/// A session that has the seat of the controllers, with no server connected.
async fn alone(database: &Database, address: &Address) -> Result<PgConnection, MaintenanceError> {
    let mut session = postgres::connect(address).await?;
    let servers = postgres::servers(&mut session)
        .await
        .map_err(database.statement())?;
    let has_seat = postgres::take_seat(&mut session)
        .await
        .map_err(database.statement())?;
    if servers > 0 || !has_seat {
        return Err(MaintenanceError::InUse {
            database: database.to_string(),
            sessions: servers.max(1),
        });
    }
    Ok(session)
}

/// Whether the file is a backup, whole, unaltered, and one whose secrets this key opens.
async fn verify(
    file: &Path,
    sealer: Option<&Sealer>,
) -> Result<(Backup, Option<u64>), MaintenanceError> {
    let from = Database::Sqlite(file.to_owned());
    let damaged = |reason: String| MaintenanceError::Damaged {
        path: file.to_owned(),
        reason,
    };
    let mut session = from.connect().await?;
    let damages = session.damages().await;
    match damages.map(|found| found.into_iter().next()) {
        Ok(None) => {}
        Ok(Some(reason)) => return Err(damaged(reason)),
        Err(error) => return Err(damaged(error.to_string())),
    }
    let backup = signature(&mut session)
        .await
        .ok_or_else(|| MaintenanceError::NotABackup {
            path: file.to_owned(),
        })?;
    migrations::version(&from, &mut session).await?;
    let tables = session.tables().await.map_err(from.statement())?;
    let found = contents::read(&mut session, &tables)
        .await
        .map_err(from.statement())?;
    if let Some(table) = contents::difference(&backup.tables, &found) {
        return Err(damaged(format!(
            "table {table} is not what it was when the backup was made"
        )));
    }
    let opened = match sealer {
        Some(sealer) => Some(open_all(&from, &mut session, &tables, sealer).await?),
        None => None,
    };
    session.close().await.map_err(from.statement())?;
    Ok((backup, opened))
}

async fn signature(session: &mut Session) -> Option<Backup> {
    let Session::Sqlite(connection) = session else {
        return None;
    };
    let row = sqlx::query("select made_at, source, schema, revision, tables from backup")
        .fetch_one(connection)
        .await
        .ok()?;
    let made_at: String = row.try_get("made_at").ok()?;
    let tables: String = row.try_get("tables").ok()?;
    let tables: BTreeMap<String, TableContents> = serde_json::from_str(&tables).ok()?;
    Some(Backup {
        made_at: made_at.parse::<Timestamp>().ok()?,
        source: row.try_get("source").ok()?,
        schema: row.try_get("schema").ok()?,
        revision: column_to_revision(row.try_get("revision").ok()?).ok()?,
        tables,
    })
}

/// Opens every sealed value, and says how many there are.
async fn open_all(
    database: &Database,
    session: &mut Session,
    tables: &[Table],
    sealer: &Sealer,
) -> Result<u64, MaintenanceError> {
    let objects = tables.iter().find(|table| table.name == "objects");
    let objects = objects.ok_or_else(|| MaintenanceError::Foreign {
        database: database.to_string(),
    })?;
    let mut rows = session.rows(objects, None);
    let mut opened = 0;
    while let Some(row) = rows.next().await {
        let row = Named(objects, row.map_err(database.statement())?);
        let key = row.key();
        let document = column_to_document(row.text("object").unwrap_or_default())
            .map_err(database.statement())?;
        for (field, outcome) in sealed_values(sealer, &key, document.into_value()) {
            match outcome {
                Ok(()) => opened += 1,
                // Not sealed by any key: nothing that another key would mend.
                Err(SealError::NotSealed) => {}
                Err(source) => {
                    return Err(MaintenanceError::WrongKey {
                        first: format!("{key}, {field}"),
                        source,
                    });
                }
            }
        }
    }
    Ok(opened)
}

/// Makes it if it is missing, and gives it the newest schema, as a server does when it starts.
async fn bring_up_to_date(database: &Database) -> Result<(), MaintenanceError> {
    match database {
        Database::Sqlite(path) => {
            let store = SqliteStore::open(path).await;
            store.map_err(MaintenanceError::Sqlite)?.close().await;
        }
        Database::Postgres(address) => {
            let store = PostgresStore::open(address).await;
            store.map_err(MaintenanceError::Postgres)?.close().await;
        }
    }
    Ok(())
}

async fn replace(
    from: &Database,
    database: &Database,
    backed_up: u64,
    replaces: bool,
) -> Result<(u64, u64), MaintenanceError> {
    let (asking, writing) = (from.statement(), database.statement());
    let mut source = from.connect().await?;
    let mut target = database.connect().await?;
    source.begin_reading().await.map_err(&asking)?;
    let tables = source.tables().await.map_err(&asking)?;
    let own = target.tables().await.map_err(&writing)?;
    target.begin_writing(&own).await.map_err(&writing)?;
    let objects = target.count("objects").await.map_err(&writing)?;
    if objects > 0 && !replaces {
        return Err(MaintenanceError::NotEmpty {
            database: database.to_string(),
            objects,
        });
    }
    let before = target.state().await.map_err(&writing)?;
    let before =
        column_to_revision(before.map_or(0, |(revision, _)| revision)).map_err(&writing)?;
    let revision = next(before.max(backed_up)).ok_or_else(|| MaintenanceError::OutOfVersions {
        database: database.to_string(),
    })?;
    let copied = copy((from, &mut source, &tables), (database, &mut target, &own)).await?;
    let column = revision_to_column(revision);
    let state = format!("insert into {STATE} (id, revision, floor) values (1, {column}, {column})");
    target.run(state).await.map_err(&writing)?;
    let written = contents::read(&mut target, &own).await.map_err(&writing)?;
    if let Some(table) = contents::difference(&copied, &written) {
        return Err(MaintenanceError::Differs {
            database: database.to_string(),
            table,
        });
    }
    target.commit().await.map_err(&writing)?;
    target.close().await.map_err(&writing)?;
    source.close().await.map_err(&asking)?;
    Ok((revision, objects))
}

/// Where a database goes on of which this is the newest known version.
fn next(newest: u64) -> Option<u64> {
    newest
        .checked_add(STRIDE)
        .filter(|next| i64::try_from(*next).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_go_on_far_above_and_never_beyond_what_a_column_holds() {
        assert_eq!(next(7), Some(1_000_000_000_007));
        assert_eq!(next(u64::MAX), None);
        assert_eq!(next(i64::MAX.unsigned_abs() - 1), None);
    }
}

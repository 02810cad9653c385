//! Which schema a database has, and whether this Mirage knows it. The same numbers mean the same schema in both backends.

use sqlx::migrate::Migrator;

use super::session::{Applied, Session};
use super::{Database, MaintenanceError};
use crate::store::{postgres, sqlite};

/// The newest schema that this Mirage knows.
pub(super) fn newest(migrations: &Migrator) -> i64 {
    let versions = migrations.iter().map(|migration| migration.version);
    versions.max().unwrap_or_default()
}

pub(super) fn of(database: &Database) -> &'static Migrator {
    match database {
        Database::Sqlite(_) => &sqlite::MIGRATIONS,
        Database::Postgres(_) => &postgres::MIGRATIONS,
    }
}

/// The schema that the database has.
///
/// # Errors
/// It has none, or one that this Mirage did not make.
pub(super) async fn version(
    database: &Database,
    session: &mut Session,
) -> Result<i64, MaintenanceError> {
    let applied = session.applied().await.map_err(database.statement())?;
    decide(&database.to_string(), applied.as_deref(), of(database))
}

fn decide(
    database: &str,
    applied: Option<&[Applied]>,
    known: &Migrator,
) -> Result<i64, MaintenanceError> {
    let database = database.to_owned();
    let Some(last) = applied.unwrap_or_default().last() else {
        return Err(MaintenanceError::Foreign { database });
    };
    if last.version > newest(known) {
        return Err(MaintenanceError::Newer {
            database,
            version: last.version,
            known: newest(known),
        });
    }
    for step in applied.unwrap_or_default() {
        let known = known.iter().find(|known| known.version == step.version);
        let what = match known {
            _ if !step.is_finished => "was begun and not finished",
            None => "is unknown",
            Some(known) if known.checksum.as_ref() != step.checksum.as_slice() => {
                "is not what it was when it was released"
            }
            Some(_) => continue,
        };
        return Err(MaintenanceError::Schema {
            database,
            version: step.version,
            what,
        });
    }
    Ok(last.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied() -> Vec<Applied> {
        sqlite::MIGRATIONS
            .iter()
            .map(|migration| Applied {
                version: migration.version,
                is_finished: true,
                checksum: migration.checksum.to_vec(),
            })
            .collect()
    }

    fn outcome(change: impl FnOnce(&mut Vec<Applied>)) -> String {
        let mut applied = applied();
        change(&mut applied);
        match decide("it", Some(&applied), &sqlite::MIGRATIONS) {
            Ok(version) => version.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn only_a_schema_that_was_released_is_known() {
        assert_eq!(outcome(|_| {}), newest(&sqlite::MIGRATIONS).to_string());
        assert_eq!(outcome(|steps| steps.truncate(1)), "1");
        assert_eq!(outcome(Vec::clear), "it is no database of Mirage's");
        let newer = outcome(|steps| {
            let mut next = steps[0].clone();
            next.version = 9999;
            steps.push(next);
        });
        assert!(newer.starts_with("it has schema 9999"), "{newer}");
        let edited = outcome(|steps| steps[0].checksum[0] ^= 1);
        assert!(edited.contains("when it was released"), "{edited}");
        let unfinished = outcome(|steps| steps[0].is_finished = false);
        assert!(unfinished.contains("not finished"), "{unfinished}");
    }

    #[test]
    fn both_backends_have_the_same_numbers_for_the_same_schema() {
        let numbers = |migrations: &Migrator| -> Vec<i64> {
            migrations
                .iter()
                .map(|migration| migration.version)
                .collect()
        };
        assert_eq!(numbers(&sqlite::MIGRATIONS), numbers(&postgres::MIGRATIONS));
    }
}

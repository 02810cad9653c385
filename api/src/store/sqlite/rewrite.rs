//! Other texts for what is stored, in the transaction of the group that asks for them.

use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteTransaction};

use super::known::Current;
use crate::store::column::revision_to_column;
use crate::store::{Key, Rewrite, Stands};

/// Does what still can be done, and says how many; `current` gains the objects whose newest text is another.
pub(super) async fn rewrite(
    transaction: &mut SqliteTransaction<'_>,
    rewrites: &[Rewrite],
    current: &mut Vec<(Key, Current)>,
) -> Result<u64, sqlx::Error> {
    let mut done = 0;
    for rewrite in rewrites {
        let replaced = statement(rewrite)
            .execute(&mut **transaction)
            .await?
            .rows_affected();
        if replaced > 0 && rewrite.stands == Stands::Object {
            let now = (rewrite.revision, rewrite.after.clone());
            current.push((rewrite.key.clone(), Some(now)));
        }
        done += replaced;
    }
    Ok(done)
}

fn statement(rewrite: &Rewrite) -> Query<'_, Sqlite, SqliteArguments> {
    let statement = match rewrite.stands {
        Stands::Object => sqlx::query(
            "update objects
            set object = ?1
            where object = ?2 and revision = ?3 and resource = ?4 and namespace = ?5 and name = ?6",
        ),
        Stands::Change => {
            sqlx::query("update changes set object = ?1 where object = ?2 and revision = ?3")
        }
        Stands::Previous => {
            sqlx::query("update changes set previous = ?1 where previous = ?2 and revision = ?3")
        }
    };
    let statement = statement
        .bind(rewrite.after.text())
        .bind(rewrite.before.text())
        .bind(revision_to_column(rewrite.revision));
    match rewrite.stands {
        Stands::Object => statement
            .bind(&rewrite.key.resource)
            .bind(&rewrite.key.namespace)
            .bind(&rewrite.key.name),
        Stands::Change | Stands::Previous => statement,
    }
}

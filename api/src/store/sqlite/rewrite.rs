//! Other texts for what is stored, in the transaction of the group that asks for them.
//!
//! A text stands in one place here, whatever it is to whom: an object as it is now is also the last change's, and what was
//! before the next. So one rewrite may do what another of the same group asks for, and the other then finds its text gone.

use sqlx::sqlite::{SqliteArguments, SqliteTransaction};
use sqlx::{Row as _, Sqlite, query::Query};

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
            .fetch_optional(&mut **transaction)
            .await?;
        let Some(row) = replaced else {
            continue;
        };
        // Whatever it was rewritten as.
        if row.try_get("is_current")? {
            let now = (rewrite.revision, rewrite.after.clone());
            current.push((rewrite.key.clone(), Some(now)));
        }
        done += 1;
    }
    Ok(done)
}

fn statement(rewrite: &Rewrite) -> Query<'_, Sqlite, SqliteArguments> {
    let statement = match rewrite.stands {
        Stands::Object => sqlx::query(
            "update versions
            set object = ?1
            where object = ?2
                and revision = (
                    select revision
                    from heads
                    where resource = ?4 and namespace = ?5 and name = ?6 and revision = ?3
                )
            returning true as is_current",
        ),
        Stands::Change => sqlx::query(
            "update versions
            set object = ?1
            where object = ?2 and revision = ?3 and resource = ?4 and namespace = ?5 and name = ?6
            returning exists (
                select 1
                from heads
                where resource = ?4 and namespace = ?5 and name = ?6 and revision = ?3
            ) as is_current",
        ),
        // What something came after is no object as it is now.
        Stands::Previous => sqlx::query(
            "update versions
            set object = ?1
            where object = ?2
                and revision = (
                    select previous
                    from versions
                    where revision = ?3 and resource = ?4 and namespace = ?5 and name = ?6
                )
            returning false as is_current",
        ),
    };
    statement
        .bind(rewrite.after.text())
        .bind(rewrite.before.text())
        .bind(revision_to_column(rewrite.revision))
        .bind(&rewrite.key.resource)
        .bind(&rewrite.key.namespace)
        .bind(&rewrite.key.name)
}

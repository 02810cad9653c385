//! Other texts for what is stored, in a transaction of their own.

use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgPool};
use sqlx::query::Query;

use crate::store::column::revision_to_column;
use crate::store::{Rewrite, Stands};

/// Does what still can be done, and says how many.
pub(super) async fn rewrite(pool: &PgPool, rewrites: &[Rewrite]) -> Result<u64, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    // The writers' own turn: two who hold rows in different orders would wait for each other.
    sqlx::query("select revision from store_state for update")
        .execute(&mut *transaction)
        .await?;
    let mut done = 0;
    for rewrite in rewrites {
        done += statement(rewrite)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
    }
    transaction.commit().await?;
    Ok(done)
}

fn statement(rewrite: &Rewrite) -> Query<'_, Postgres, PgArguments> {
    let statement = match rewrite.stands {
        Stands::Object => sqlx::query(
            "update objects
            set object = $1
            where object = $2 and revision = $3 and resource = $4 and namespace = $5 and name = $6",
        ),
        Stands::Change => {
            sqlx::query("update changes set object = $1 where object = $2 and revision = $3")
        }
        Stands::Previous => {
            sqlx::query("update changes set previous = $1 where previous = $2 and revision = $3")
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

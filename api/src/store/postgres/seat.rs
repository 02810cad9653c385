//! A seat for one: of all processes on a database, the one whose controllers act.
//!
//! ```text
//! take ─► free ───────────────────────────────────────► acts ─► lost: another process has it
//!    └──► taken ─► wait ─► free ─► settle (its last holder may still be finding out) ─┘
//! ```

use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::time::{sleep, timeout};

use super::{Address, CONNECT, OpenError, open};

/// The advisory lock that is the seat; "mirage" in ASCII, so that it meets nobody else's by chance.
pub(in crate::store) const LOCK: i64 = 0x6d69_7261_6765;

/// How often to make sure that the seat is still ours, or still another's.
const LOOK: Duration = Duration::from_secs(2);

/// How long whoever has waited for the seat lets it be before acting. A holder whose session was ended looks within
/// [`LOOK`] and stops when somebody else has the seat.
const SETTLE: Duration = Duration::from_secs(5);

/// The seat, as long as its session lasts. The database takes it back with the session, however that ends.
#[derive(Debug)]
pub struct Seat {
    options: PgConnectOptions,
    session: Session,
}

impl Seat {
    /// Takes the seat; `None` when another process has it.
    pub async fn take(address: &Address) -> Result<Option<Self>, OpenError> {
        let options = address.options()?;
        let seating = sit_down(&options).await;
        let seating = seating.map_err(|source| OpenError::Unreachable {
            address: address.clone(),
            source,
        })?;
        Ok(match seating {
            Seating::Ours(session) => Some(Self { options, session }),
            Seating::Taken(_) => None,
        })
    }

    /// Waits until the seat is free and takes it, for as long as that may be: a database that is away comes back.
    ///
    /// # Errors
    /// When the address is none.
    pub async fn wait(address: &Address) -> Result<Self, OpenError> {
        let options = address.options()?;
        loop {
            match sit_down(&options).await {
                Ok(Seating::Ours(session)) => {
                    sleep(SETTLE).await;
                    return Ok(Self { options, session });
                }
                Ok(Seating::Taken(_)) => {}
                Err(error) => {
                    tracing::debug!(%error, "whether the seat of the controllers is free cannot be asked");
                }
            }
            sleep(LOOK).await;
        }
    }

    /// Ends when another process has the seat. Without a connection nobody's writes arrive, ours neither, so that a
    /// database that is away is waited for.
    pub async fn lost(mut self) {
        loop {
            sleep(LOOK).await;
            let answer = timeout(CONNECT, self.session.connection.ping()).await;
            if matches!(answer, Ok(Ok(()))) {
                continue;
            }
            tracing::warn!("the session that lets the controllers act was lost; making another");
            match self.sit_down_again().await {
                Some(session) => self.session = session,
                None => return,
            }
        }
    }

    async fn sit_down_again(&self) -> Option<Session> {
        loop {
            match sit_down(&self.options).await {
                Ok(Seating::Ours(session)) => return Some(session),
                Ok(Seating::Taken(Some(holder))) if holder != self.session.name => return None,
                // Our own lost session, whose end the database has not noticed yet; or nobody's, a moment ago.
                Ok(Seating::Taken(_)) | Err(_) => sleep(LOOK / 2).await,
            }
        }
    }
}

/// A session that holds the lock.
#[derive(Debug)]
struct Session {
    connection: PgConnection,
    name: String,
}

enum Seating {
    Ours(Session),
    /// By the session of this name, or of one that has ended since.
    Taken(Option<String>),
}

async fn sit_down(options: &PgConnectOptions) -> Result<Seating, sqlx::Error> {
    let sitting = async {
        let mut connection = open::connect(options).await?;
        let is_ours: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)")
            .bind(LOCK)
            .fetch_one(&mut connection)
            .await?;
        let holder = holder(&mut connection).await?;
        if !is_ours {
            return Ok(Seating::Taken(holder));
        }
        notice_silence(&mut connection).await?;
        // A session that is not among those that it asks for has ended.
        let name = holder.ok_or(sqlx::Error::RowNotFound)?;
        Ok(Seating::Ours(Session { connection, name }))
    };
    timeout(CONNECT, sitting)
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Who has the seat: the process of its session and since when, because the numbers of processes come back.
async fn holder(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select format('%s since %s', pid, extract(epoch from backend_start))
        from pg_locks join pg_stat_activity using (pid)
        where locktype = 'advisory' and granted
            and database = (select oid from pg_database where datname = current_database())
            and (classid::bigint << 32) | objid::bigint = $1",
    )
    .bind(LOCK)
    .fetch_optional(connection)
    .await
}

/// A machine that lost its power says nothing any more. With these the database finds out within half a minute; by
/// default it takes two hours (source: PostgreSQL's documentation, "Connection Settings"; no effect on Unix sockets).
async fn notice_silence(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "select
            set_config('tcp_keepalives_idle', '10', false),
            set_config('tcp_keepalives_interval', '5', false),
            set_config('tcp_keepalives_count', '3', false)",
    )
    .execute(connection)
    .await
    .map(drop)
}

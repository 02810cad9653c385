//! A seat for one: of all processes on a database, the one whose controllers act.

use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::time::{Instant, sleep, timeout};

use super::{Address, CONNECT, OpenError, open};

/// The advisory lock that is the seat; "mirage" in ASCII, so that it meets nobody else's by chance.
pub(in crate::store) const LOCK: i64 = 0x6d69_7261_6765;

/// How often to make sure that the seat is still ours.
const LOOK: Duration = Duration::from_secs(2);

/// How long our own lost session may go on holding the seat before it must be somebody else: the server notices a
/// connection that was hung up at once, and one that fell silent when the network says so.
const LINGERING: Duration = Duration::from_secs(30);

/// The seat, as long as its session lasts. The database takes it back with the session, however that ends.
#[derive(Debug)]
pub struct Seat {
    options: PgConnectOptions,
    connection: PgConnection,
}

impl Seat {
    /// Takes the seat; `None` when another process has it.
    pub async fn take(address: &Address) -> Result<Option<Self>, OpenError> {
        let options = address.options()?;
        match sit_down(&options).await {
            Ok(taken) => Ok(taken.map(|connection| Self {
                options,
                connection,
            })),
            Err(source) => Err(OpenError::Unreachable {
                address: address.clone(),
                source,
            }),
        }
    }

    /// Ends when another process has the seat. Without a connection nobody's writes arrive, ours neither, so that a
    /// database that is away is waited for.
    pub async fn lost(mut self) {
        loop {
            sleep(LOOK).await;
            let answer = timeout(CONNECT, self.connection.ping()).await;
            if matches!(answer, Ok(Ok(()))) {
                continue;
            }
            tracing::warn!("the session that lets the controllers act was lost; making another");
            match self.sit_down_again().await {
                Some(connection) => self.connection = connection,
                None => return,
            }
        }
    }

    async fn sit_down_again(&self) -> Option<PgConnection> {
        let mut taken_since = None;
        loop {
            match sit_down(&self.options).await {
                Ok(Some(connection)) => return Some(connection),
                Ok(None) => {
                    let since = *taken_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > LINGERING {
                        return None;
                    }
                }
                Err(_) => taken_since = None,
            }
            sleep(LOOK / 2).await;
        }
    }
}

async fn sit_down(options: &PgConnectOptions) -> Result<Option<PgConnection>, sqlx::Error> {
    let taking = async {
        let mut connection = open::connect(options).await?;
        let is_ours: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)")
            .bind(LOCK)
            .fetch_one(&mut connection)
            .await?;
        Ok(is_ours.then_some(connection))
    };
    timeout(CONNECT, taking)
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

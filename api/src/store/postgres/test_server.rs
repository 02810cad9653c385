//! A real server for the tests: one for the test binary, a database of its own for each test.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tokio::sync::OnceCell;

use super::Address;
use super::open::MIGRATIONS;

/// Already migrated; the tests' databases are its clones, which is quicker than migrating each.
const TEMPLATE: &str = "migrated";

struct Server {
    folder: PathBuf,
    /// Ends when our end of its stdin is closed, which the system does for us however we end.
    _child: Child,
}

fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(start).as_ref()
}

fn start() -> Option<Server> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/test-postgres.sh");
    let mut child = Command::new(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut folder = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut folder)
        .unwrap();
    if folder.is_empty() {
        let mut said = String::new();
        child
            .stderr
            .as_mut()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(3), "no server: {said}");
        // Not `eprintln!`, which the test harness keeps to itself when a test passes.
        let note = format!(
            "\n==================================================================\n\
            NOT TESTED: the PostgreSQL store. No server on this machine: {}\n\
            deploy/test-tools.sh installs one where it can.\n\
            ==================================================================\n",
            said.trim()
        );
        std::io::stderr().write_all(note.as_bytes()).unwrap();
        return None;
    }
    Some(Server {
        folder: folder.trim().into(),
        _child: child,
    })
}

/// The URL of one of the server's databases, if there is a server.
pub(crate) fn url(database: &str) -> Option<String> {
    let folder = server()?.folder.display();
    Some(format!("postgres:///{database}?host={folder}&user=mirage"))
}

/// Runs a statement in a session of its own.
pub(crate) async fn run(database: &str, sql: &str) {
    let options: PgConnectOptions = url(database).unwrap().parse().unwrap();
    let mut connection = options.connect().await.unwrap();
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
}

/// A new database with nothing in it, by name.
pub(crate) async fn empty(options: &str) -> Option<String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    server()?;
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    run("postgres", &format!("create database {name} {options}")).await;
    Some(name)
}

/// A new database with the newest schema.
pub(crate) async fn database() -> Option<Address> {
    static MIGRATED: OnceCell<()> = OnceCell::const_new();
    server()?;
    MIGRATED
        .get_or_init(|| async {
            run("postgres", &format!("create database {TEMPLATE}")).await;
            let options: PgConnectOptions = url(TEMPLATE).unwrap().parse().unwrap();
            let mut connection = options.connect().await.unwrap();
            MIGRATIONS.run(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            // A clone is refused while the session's end is still being worked on.
            while sessions(TEMPLATE).await > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    let name = empty(&format!("template {TEMPLATE}")).await?;
    url(&name).map(Address::new)
}

async fn sessions(database: &str) -> i64 {
    let options: PgConnectOptions = url("postgres").unwrap().parse().unwrap();
    let mut connection = options.connect().await.unwrap();
    let count = sqlx::query_scalar("select count(*) from pg_stat_activity where datname = $1")
        .bind(database)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    count
}

use super::*;
use crate::store::sqlite::SqliteStore;

/// How SQLite goes about a statement, a line for each table.
pub(crate) async fn plan(readers: &SqlitePool, statement: &str) -> Vec<String> {
    let explain = AssertSqlSafe(format!("explain query plan {statement}"));
    let rows = sqlx::query(explain).fetch_all(readers).await.unwrap();
    rows.iter().map(|row| row.get("detail")).collect()
}

/// Views are nothing that SQLite must make first, and what it reads is in order already.
#[tokio::test]
async fn every_read_goes_to_its_rows_by_their_keys_and_sorts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path().join("mirage.db"))
        .await
        .unwrap();
    let by_key = "SEARCH heads USING PRIMARY KEY (resource=? AND namespace=? AND name=?)";
    let in_namespace = "SEARCH heads USING PRIMARY KEY (resource=? AND namespace=? AND name>?)";
    let everywhere = "SEARCH heads USING PRIMARY KEY (resource=? AND (namespace,name)>(?,?))";
    let document = "SEARCH versions USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN";
    let state = "SEARCH store_state USING INTEGER PRIMARY KEY (rowid=?)";
    let newer = "SEARCH versions USING INTEGER PRIMARY KEY (rowid>?) LEFT-JOIN";
    let past = "SEARCH past USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN";
    for (statement, expected) in [
        (GET, vec![by_key, document]),
        (LIST_EVERYWHERE, vec![everywhere, document]),
        (LIST_NAMESPACE, vec![in_namespace, document]),
        (
            &several_of(4),
            vec!["SCAN 4-ROW VALUES CLAUSE", by_key, document],
        ),
        (COUNT_EVERYWHERE, vec![everywhere]),
        (COUNT_NAMESPACE, vec![in_namespace]),
        (LOG, vec![state, newer, past]),
        (CHANGES, vec![state, newer, past]),
        // How backups and checks read them.
        ("select * from objects", vec!["SCAN heads", document]),
        (
            "select * from changes order by revision",
            vec![
                "SEARCH versions USING INTEGER PRIMARY KEY (rowid>?)",
                "SCALAR SUBQUERY 3",
                "SCAN store_state",
                past,
            ],
        ),
    ] {
        assert_eq!(
            plan(&store.readers, statement).await,
            expected,
            "{statement}"
        );
    }
}

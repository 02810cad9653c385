//! One row per write: which are kept, what becomes of the rows of older schemas, and what a row is to whom.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor as _};

use super::*;
use crate::store::{Change, Document, Rewrite, Stands};

const ENVIRONMENTS: &str = "environments.mirage.dev";

/// What happens to a store.
#[derive(Debug, Clone)]
enum Event {
    /// Writes that wait for the writer together; those of one object follow each other. Whether each deletes, where there
    /// is something.
    Group(Vec<(usize, bool)>),
    /// The floor goes up to so many below the newest revision.
    Compact(u64),
    /// What is in memory of the log is no longer certain.
    Forget,
}

fn event() -> impl Strategy<Value = Event> {
    let write = (0_usize..5, proptest::bool::weighted(0.3));
    prop_oneof![
        4 => proptest::collection::vec(write, 1..6).prop_map(Event::Group),
        1 => (0_u64..8).prop_map(Event::Compact),
        1 => Just(Event::Forget),
    ]
}

/// What must be known of a write to tell how long its row is needed.
struct Version {
    object: usize,
    is_deletion: bool,
    previous: Option<u64>,
}

/// Every write there was, and how far they have been forgotten.
#[derive(Default)]
struct History {
    versions: BTreeMap<u64, Version>,
    heads: BTreeMap<usize, u64>,
    newest: u64,
    floor: u64,
}

impl History {
    fn write(&mut self, object: usize, deletes: bool) -> Write {
        let previous = self.heads.get(&object).copied();
        let is_deletion = deletes && previous.is_some();
        self.newest += 1;
        self.versions.insert(
            self.newest,
            Version {
                object,
                is_deletion,
                previous,
            },
        );
        if is_deletion {
            self.heads.remove(&object);
        } else {
            self.heads.insert(object, self.newest);
        }
        let document = json!({ "mark": self.newest });
        let namespace = ["even", "odd"][object % 2];
        Write {
            key: Key::new(ENVIRONMENTS, namespace, object.to_string()),
            expect: previous.map_or(Expect::Absent, Expect::Revision),
            effect: if is_deletion {
                Effect::delete(document)
            } else {
                Effect::put(document)
            },
        }
    }

    /// The rows that somebody can still ask for.
    fn kept(&self) -> BTreeSet<u64> {
        let changes = || self.versions.range(self.floor + 1..);
        changes()
            .map(|(revision, _)| *revision)
            .chain(changes().filter_map(|(_, version)| version.previous))
            .chain(self.heads.values().copied())
            .collect()
    }
}

async fn rows(store: &SqliteStore) -> Vec<i64> {
    sqlx::query_scalar("select revision from versions order by revision")
        .fetch_all(&store.readers)
        .await
        .unwrap()
}

/// An answer in a form that can be compared.
fn told(answer: Result<(Vec<Change>, u64), StoreError>) -> Result<(Vec<Change>, u64), u64> {
    answer.map_err(|error| match error {
        StoreError::Compacted { floor } => floor,
        other => panic!("{other}"),
    })
}

/// Memory answers as the file does, wherever one begins to read.
async fn the_log_is_what_the_file_has(store: &SqliteStore, history: &History) {
    let (floor, newest) = (history.floor, history.newest);
    for after in [
        0,
        floor.saturating_sub(1),
        floor,
        newest - 1,
        newest,
        newest + 3,
    ]
    .into_iter()
    .chain(floor.midpoint(newest)..newest)
    {
        for limit in [0, 1, 4, usize::MAX] {
            assert_eq!(
                told(store.log(after, limit).await),
                told(read::log(&store.readers, after, limit).await),
                "after {after}, {limit}"
            );
            let (resource, namespace) = (ENVIRONMENTS, Some("even"));
            assert_eq!(
                told(store.changes(resource, namespace, after, limit).await),
                told(read::changes(&store.readers, resource, namespace, after, limit).await),
                "after {after}, {limit}"
            );
        }
    }
}

async fn nothing_leaks_and_nothing_is_missing(events: Vec<Event>) {
    let (store, _dir) = fresh().await;
    let mut history = History {
        newest: *store.revision().borrow(),
        ..History::default()
    };
    for event in events {
        match event {
            Event::Group(group) => {
                let writes: Vec<_> = group
                    .into_iter()
                    .map(|(object, deletes)| history.write(object, deletes))
                    .collect();
                let outcomes =
                    futures::future::join_all(writes.into_iter().map(|it| store.write(it))).await;
                assert_eq!(*outcomes.last().unwrap().as_ref().unwrap(), history.newest);
            }
            Event::Compact(back) => {
                history.floor = history.floor.max(history.newest.saturating_sub(back));
                store.compact(history.floor + 1).await.unwrap();
            }
            Event::Forget => store.recent.forget(),
        }
        the_log_is_what_the_file_has(&store, &history).await;
        let expected: Vec<i64> = history.kept().into_iter().map(|it| it as i64).collect();
        assert_eq!(rows(&store).await, expected);
    }
    let log = read::log(&store.readers, history.floor, usize::MAX).await;
    for change in log.unwrap().0 {
        let version = &history.versions[&change.revision];
        assert_eq!(change.key.name, version.object.to_string());
        assert_eq!(
            change.kind == crate::store::ChangeKind::Deleted,
            version.is_deletion
        );
        assert_eq!(change.object["mark"], change.revision);
        assert_eq!(
            change.previous.map(|it| it["mark"].clone()),
            version.previous.map(Value::from)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn the_rows_are_those_that_somebody_can_still_ask_for_and_memory_says_the_same(
        events in proptest::collection::vec(event(), 1..16)
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(nothing_leaks_and_nothing_is_missing(events));
    }
}

#[tokio::test]
async fn a_long_log_is_forgotten_a_piece_at_a_time_and_to_the_end() {
    let (store, _dir) = fresh().await;
    let mut history = History {
        newest: *store.revision().borrow(),
        ..History::default()
    };
    for _ in 0..150 {
        let writes: Vec<_> = (0..20).map(|nth| history.write(nth % 7, false)).collect();
        let written = futures::future::try_join_all(writes.into_iter().map(|it| store.write(it)));
        written.await.unwrap();
    }
    store.compact(u64::MAX).await.unwrap();
    assert_eq!(rows(&store).await.len(), 7);
    let refused = store.log(history.newest - 1, 1).await;
    assert!(matches!(refused, Err(StoreError::Compacted { floor }) if floor == history.newest));
}

/// A database with schema 2, of which this has been done: `a` was written below the floor and twice above it, `b` only
/// below, `c` made above and deleted, `d` was deleted and made anew. `e` has come under another key, its change not yet.
const SCHEMA_2: &str = r#"
update store_state set revision = 20, floor = 10;
insert into objects (resource, namespace, name, revision, object) values
    ('things', '', 'a', 13, '{"a":13}'),
    ('things', '', 'b', 4, '{"b":4}'),
    ('things', '', 'd', 17, '{"d":17}'),
    ('things', '', 'e', 20, '{"e":"new key"}');
insert into changes (revision, resource, namespace, name, kind, object, previous) values
    (11, 'things', '', 'a', 'updated', '{"a":11}', '{"a":5}'),
    (12, 'things', '', 'c', 'created', '{"c":12}', null),
    (13, 'things', '', 'a', 'updated', '{"a":13}', '{"a":11}'),
    (14, 'things', '', 'c', 'updated', '{"c":14}', '{"c":12}'),
    (15, 'things', '', 'c', 'deleted', '{"c":15}', '{"c":14}'),
    (16, 'things', '', 'd', 'deleted', '{"d":16}', '{"d":6}'),
    (17, 'things', '', 'd', 'created', '{"d":17}', null),
    (18, 'things', '', 'f', 'created', '{"f":18}', null),
    (19, 'things', '', 'f', 'deleted', '{"f":19}', '{"f":18}'),
    (20, 'things', '', 'e', 'created', '{"e":"old key"}', null);
"#;

#[tokio::test]
async fn what_an_older_schema_had_three_times_is_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mirage.db");
    let mut old = options(&path)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    MIGRATIONS.run_to(2, &mut old).await.unwrap();
    old.execute(SCHEMA_2).await.unwrap();
    let query = "select * from changes where revision < 20 order by revision";
    let before: Vec<Change> = sqlx::query(query)
        .fetch_all(&mut old)
        .await
        .unwrap()
        .iter()
        .map(|row| codec::change(row).unwrap())
        .collect();
    old.close().await.unwrap();

    let store = SqliteStore::open(&path).await.unwrap();
    let (mut changes, through) = store.log(10, 100).await.unwrap();
    assert_eq!(through, 20);
    let newest = changes.pop().unwrap();
    assert_eq!(newest.object, json!({"e": "new key"}));
    assert_eq!(changes, before);
    let objects = store
        .list(&ListQuery {
            resource: "things".to_owned(),
            namespace: None,
            after: None,
            limit: None,
        })
        .await
        .unwrap();
    let objects: Vec<_> = objects
        .items
        .iter()
        .map(|it| (it.revision, it.object.text()))
        .collect();
    let expected = [
        (13, "{\"a\":13}"),
        (4, "{\"b\":4}"),
        (17, "{\"d\":17}"),
        (20, "{\"e\":\"new key\"}"),
    ];
    assert_eq!(objects, expected);
    let kept = [-16, -11, 4, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
    assert_eq!(rows(&store).await, kept);
    // What had no write of its own goes with the change that it was before.
    store.compact(12).await.unwrap();
    let without: Vec<i64> = kept.into_iter().filter(|it| *it != -11).collect();
    assert_eq!(rows(&store).await, without);
    store.compact(21).await.unwrap();
    assert_eq!(rows(&store).await, [4, 13, 17, 20]);
}

#[tokio::test]
async fn another_text_of_a_change_is_the_objects_too_and_known_to_be() {
    let (store, _dir) = fresh().await;
    let first = store.write(put("a", Expect::Absent, 1)).await.unwrap();
    let second = store
        .write(put("a", Expect::Revision(first), 2))
        .await
        .unwrap();
    let key = put("a", Expect::Absent, 0).key;
    let rewrite = |stands, revision, before: Value, after: Value| Rewrite {
        key: key.clone(),
        revision,
        stands,
        before: before.into(),
        after: after.into(),
    };
    let done = store.rewrite(vec![
        rewrite(
            Stands::Change,
            second,
            json!({"mark": 2}),
            json!({"mark": "two"}),
        ),
        rewrite(
            Stands::Previous,
            second,
            json!({"mark": 1}),
            json!({"mark": "one"}),
        ),
        // The same text once more.
        rewrite(
            Stands::Object,
            second,
            json!({"mark": 2}),
            json!({"mark": "again"}),
        ),
        rewrite(
            Stands::Change,
            first,
            json!({"mark": 1}),
            json!({"mark": "again"}),
        ),
    ]);
    assert_eq!(done.await.unwrap(), 2);
    // From memory, and from the file.
    let two: Document = json!({"mark": "two"}).into();
    let known = store.known.get(&key).unwrap();
    assert_eq!(known, Some((second, two.clone())));
    let read = read::get(&store.readers, &key).await.unwrap().unwrap();
    assert_eq!((read.revision, read.object), (second, two.clone()));
    let (changes, _) = store.log(first - 1, 10).await.unwrap();
    let one: Document = json!({"mark": "one"}).into();
    assert_eq!(changes[0].object, one);
    assert_eq!(
        (&changes[1].object, &changes[1].previous),
        (&two, &Some(one))
    );
}

#[tokio::test]
async fn an_object_whose_version_is_missing_is_not_taken_for_one_that_is_not_there() {
    let (store, dir) = fresh().await;
    let revision = store.write(put("a", Expect::Absent, 1)).await.unwrap();
    store.close().await;
    let path = dir.path().join("mirage.db");
    let mut connection = options(&path).connect().await.unwrap();
    let sql = format!("delete from versions where revision = {revision}");
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    let key = put("a", Expect::Absent, 0).key;
    assert!(store.get(&key).await.is_err());
    assert!(store.write(put("a", Expect::Absent, 2)).await.is_err());
}

//! The same requests get the same answers from every store.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::audit::{AuditEntry, AuditOrder, AuditQuery, AuditSubject, Ended};
use super::memory::MemoryStore;
use super::postgres::{PostgresStore, test_server};
use super::sqlite::SqliteStore;
use super::{Change, Effect, Expect, Key, ListQuery, Store, StoreError, Write};

/// One request. Revisions are given as distances, so that most expectations are nearly or quite right.
#[derive(Debug, Clone)]
enum Request {
    Get(Key),
    Put(Key, Guess, Value),
    Delete(Key, Guess),
    List {
        namespace: Option<String>,
        after: Option<(String, String)>,
        limit: Option<usize>,
    },
    Changes {
        namespace: Option<String>,
        back: u64,
        limit: usize,
    },
    Log {
        back: u64,
        limit: usize,
    },
    Compact {
        back: u64,
    },
    Record(Vec<Key>),
    Audit(AuditQuery),
}

#[derive(Debug, Clone, Copy)]
enum Guess {
    Absent,
    /// What the object has, less this.
    Current(u64),
}

fn key() -> impl Strategy<Value = Key> {
    let resource = prop_oneof![4 => Just("environments.mirage.dev"), 1 => Just("secrets")];
    (resource, "[ab]?", "[a-c]-?[a-c]?")
        .prop_map(|(resource, namespace, name)| Key::new(resource, namespace, name))
}

fn guess() -> impl Strategy<Value = Guess> {
    prop_oneof![
        3 => Just(Guess::Absent),
        5 => Just(Guess::Current(0)),
        1 => (1_u64..3).prop_map(Guess::Current),
    ]
}

fn namespace() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("[ab]?")
}

/// What an entry is searched by follows from the key, so that a small world has several of each.
fn entry(key: &Key) -> AuditEntry {
    let is_secret = key.resource == "secrets";
    let subject = AuditSubject {
        time: jiff::Timestamp::UNIX_EPOCH,
        username: if is_secret { "alice" } else { "bob" },
        verb: "patch",
        resource: &key.resource,
        namespace: &key.namespace,
        name: &key.name,
        code: if key.name.len() > 1 { 403 } else { 200 },
        is_routine: key.namespace.is_empty(),
    };
    AuditEntry::new(&subject, &json!({"about": key.to_string()}))
}

fn audit() -> impl Strategy<Value = AuditQuery> {
    let ended = prop_oneof![
        2 => Just(None),
        1 => Just(Some(Ended::Done)),
        1 => Just(Some(Ended::Refused)),
        1 => Just(Some(Ended::With(403))),
    ];
    let order = prop_oneof![Just(AuditOrder::NewestFirst), Just(AuditOrder::OldestFirst)];
    (
        namespace(),
        proptest::option::of("[a-c]"),
        proptest::option::of(prop_oneof![Just("alice"), Just("bob")]),
        ended,
        any::<bool>(),
        order,
        proptest::option::of(0_u64..20),
        0_usize..6,
    )
        .prop_map(
            |(namespace, name, username, ended, without_routine, order, behind, limit)| {
                AuditQuery {
                    namespace,
                    name,
                    username: username.map(str::to_owned),
                    ended,
                    without_routine,
                    order,
                    behind,
                    limit,
                    ..AuditQuery::default()
                }
            },
        )
}

fn request() -> impl Strategy<Value = Request> {
    let document =
        (any::<i64>(), ".{0,8}").prop_map(|(number, text)| json!({"n": number, "t": [text]}));
    let after = proptest::option::of(("[ab]?", "[a-c]?").prop_map(|pair| pair));
    prop_oneof![
        2 => key().prop_map(Request::Get),
        6 => (key(), guess(), document).prop_map(|(key, guess, value)| Request::Put(key, guess, value)),
        2 => (key(), guess()).prop_map(|(key, guess)| Request::Delete(key, guess)),
        2 => (namespace(), after, proptest::option::of(0_usize..4))
            .prop_map(|(namespace, after, limit)| Request::List { namespace, after, limit }),
        3 => (namespace(), 0_u64..12, 0_usize..6)
            .prop_map(|(namespace, back, limit)| Request::Changes { namespace, back, limit }),
        2 => (0_u64..12, 0_usize..6).prop_map(|(back, limit)| Request::Log { back, limit }),
        1 => (0_u64..8).prop_map(|back| Request::Compact { back }),
        1 => proptest::collection::vec(key(), 0..3).prop_map(Request::Record),
        3 => audit().prop_map(Request::Audit),
    ]
}

/// The answer as text, documents included, so that a difference can be read.
async fn answer(store: &dyn Store, request: &Request) -> String {
    let newest = *store.revision().borrow();
    let answer = match request {
        Request::Get(key) => store.get(key).await.map(|found| {
            format!(
                "{:?}",
                found.map(|it| (it.key, it.revision, it.object.into_value()))
            )
        }),
        Request::Put(key, guess, value) => {
            write(store, key, *guess, Effect::put(value.clone())).await
        }
        Request::Delete(key, guess) => {
            write(store, key, *guess, Effect::delete(json!("last"))).await
        }
        Request::List {
            namespace,
            after,
            limit,
        } => {
            let query = ListQuery {
                resource: "environments.mirage.dev".to_owned(),
                namespace: namespace.clone(),
                after: after.clone(),
                limit: *limit,
            };
            store.list(&query).await.map(|page| {
                let items: Vec<_> = page
                    .items
                    .into_iter()
                    .map(|it| (it.key, it.revision, it.object.into_value()))
                    .collect();
                format!("{items:?} at {} and {}", page.revision, page.remaining)
            })
        }
        Request::Changes {
            namespace,
            back,
            limit,
        } => store
            .changes(
                "environments.mirage.dev",
                namespace.as_deref(),
                newest.saturating_sub(*back),
                *limit,
            )
            .await
            .map(shown),
        Request::Log { back, limit } => store
            .log(newest.saturating_sub(*back), *limit)
            .await
            .map(shown),
        Request::Compact { back } => store
            .compact(newest.saturating_sub(*back))
            .await
            .map(|()| "compacted".to_owned()),
        Request::Record(keys) => store
            .record(keys.iter().map(entry).collect())
            .await
            .map(|()| "recorded".to_owned()),
        Request::Audit(query) => store.audit(query).await.map(|found| format!("{found:?}")),
    };
    let announced = *store.revision().borrow();
    match answer {
        Ok(text) => format!("{text}; newest {announced}"),
        Err(error) => format!("{error:?}; newest {announced}"),
    }
}

fn shown((changes, through): (Vec<Change>, u64)) -> String {
    let changes: Vec<_> = changes
        .into_iter()
        .map(|it| {
            let previous = it.previous.map(|document| document.into_value());
            (
                it.revision,
                it.key,
                it.kind,
                it.object.into_value(),
                previous,
            )
        })
        .collect();
    format!("{changes:?} through {through}")
}

async fn write(
    store: &dyn Store,
    key: &Key,
    guess: Guess,
    effect: Effect,
) -> Result<String, StoreError> {
    let expect = match guess {
        Guess::Absent => Expect::Absent,
        Guess::Current(less) => {
            let current = store.get(key).await?.map_or(5, |it| it.revision);
            Expect::Revision(current.saturating_sub(less))
        }
    };
    let write = Write {
        key: key.clone(),
        expect,
        effect,
    };
    // Some writes leave a record and others none.
    let written = if key.name.starts_with('a') {
        store.write(write).await
    } else {
        store.write_audited(write, entry(key)).await
    };
    written.map(|revision| format!("written at {revision}"))
}

/// Asks both the same and compares the answers.
async fn compare(
    requests: &[Request],
    store: &dyn Store,
    memory: &MemoryStore,
) -> Result<(), TestCaseError> {
    for (step, request) in requests.iter().enumerate() {
        let expected = answer(memory, request).await;
        let got = answer(store, request).await;
        prop_assert_eq!(got, expected, "step {}: {:?}", step, request);
    }
    Ok(())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

proptest! {
    // A case opens a database file; 48 cases of up to 60 requests keep this near a second.
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_sqlite_answer_alike(requests in proptest::collection::vec(request(), 1..60)) {
        runtime().block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let sqlite = SqliteStore::open(dir.path().join("mirage.db")).await.unwrap();
            compare(&requests, &sqlite, &MemoryStore::new()).await?;
            sqlite.close().await;
            Ok::<_, TestCaseError>(())
        })?;
    }
}

proptest! {
    // A case clones a database, which takes longer than a file.
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_postgres_answer_alike(requests in proptest::collection::vec(request(), 1..60)) {
        runtime().block_on(async {
            let Some(address) = test_server::database().await else {
                return Ok(());
            };
            let postgres = PostgresStore::open(&address).await.unwrap();
            compare(&requests, &postgres, &MemoryStore::new()).await?;
            postgres.close().await;
            Ok::<_, TestCaseError>(())
        })?;
    }
}

use serde_json::json;
use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions as _, Connection as _};

use super::test_server::{database, empty, url};
use super::*;
use crate::store::audit::AuditSubject;
use crate::store::{Effect, Expect, conformance};

/// Longer than anything here takes; only a failing test waits for all of it.
const PATIENCE: Duration = Duration::from_secs(60);

async fn fresh() -> Option<(PostgresStore, ())> {
    let address = database().await?;
    Some((PostgresStore::open(&address).await.unwrap(), ()))
}

conformance::suite!(fresh);

const RESOURCE: &str = "environments.mirage.dev";

fn put(name: &str, expect: Expect) -> Write {
    Write {
        key: Key::new(RESOURCE, "default", name),
        expect,
        effect: Effect::put(json!({ "name": name })),
    }
}

/// A person at the database's console.
async fn console(address: &Address) -> PgConnection {
    address.options().unwrap().connect().await.unwrap()
}

/// Ends the database's sessions whose last statement is like this, and says how many.
async fn end_sessions(console: &mut PgConnection, like: &str) -> i64 {
    sqlx::query_scalar(
        "select count(*) filter (where pg_terminate_backend(pid))
        from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and query like $1",
    )
    .bind(like)
    .fetch_one(console)
    .await
    .unwrap()
}

/// Tries until it gives something.
async fn until<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let tries = async {
        loop {
            if let Some(value) = condition().await {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let Ok(value) = tokio::time::timeout(PATIENCE, tries).await else {
        panic!("waited in vain for {what}");
    };
    value
}

/// Reads the log as a watch does until it has so many changes.
async fn watch_changes(
    store: Arc<PostgresStore>,
    mut position: u64,
    wanted: usize,
) -> Vec<(u64, String)> {
    let mut wake = store.revision();
    let mut seen = Vec::new();
    while seen.len() < wanted {
        wake.borrow_and_update();
        let (changes, through) = store.changes(RESOURCE, None, position, 7).await.unwrap();
        seen.extend(changes.into_iter().map(|it| (it.revision, it.key.name)));
        if through == position {
            wake.changed().await.unwrap();
        }
        position = through;
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_one_database_show_one_order_to_every_watcher() {
    const EACH: usize = 100;
    let Some(address) = database().await else {
        return;
    };
    let mut servers = Vec::new();
    for _ in 0..2 {
        servers.push(Arc::new(PostgresStore::open(&address).await.unwrap()));
    }
    let start = *servers[0].revision().borrow();
    let watchers: Vec<_> = (0..6)
        .map(|watcher| Arc::clone(&servers[watcher % 2]))
        .map(|store| tokio::spawn(watch_changes(store, start, 2 * 2 * EACH)))
        .collect();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let store = Arc::clone(&servers[writer % 2]);
            tokio::spawn(async move {
                let mut written = Vec::new();
                for object in 0..EACH {
                    let name = format!("w{writer}-{object}");
                    let revision = store.write(put(&name, Expect::Absent)).await.unwrap();
                    written.push((revision, name));
                }
                written
            })
        })
        .collect();
    let mut written = Vec::new();
    for writer in writers {
        written.extend(writer.await.unwrap());
    }
    written.sort_unstable();
    let revisions: Vec<u64> = written.iter().map(|(revision, _)| *revision).collect();
    let expected: Vec<u64> = (start + 1..=start + 4 * EACH as u64).collect();
    assert_eq!(revisions, expected, "no number twice and none left out");
    for watcher in watchers {
        let seen = tokio::time::timeout(PATIENCE, watcher)
            .await
            .expect("a wake-up was lost")
            .unwrap();
        assert_eq!(seen, written);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_that_change_one_object_lose_no_update() {
    let Some(address) = database().await else {
        return;
    };
    let key = Key::new(RESOURCE, "default", "counter");
    let mut writers = Vec::new();
    for server in 0..2 {
        let store = Arc::new(PostgresStore::open(&address).await.unwrap());
        if server == 0 {
            let zero = Write {
                key: key.clone(),
                expect: Expect::Absent,
                effect: Effect::put(json!(0)),
            };
            store.write(zero).await.unwrap();
        }
        for _ in 0..2 {
            let (store, key) = (Arc::clone(&store), key.clone());
            writers.push(tokio::spawn(async move {
                let mut done = 0;
                while done < 15 {
                    let now = store.get(&key).await.unwrap().unwrap();
                    let next = json!(now.object.as_u64().unwrap() + 1);
                    let write = Write {
                        key: key.clone(),
                        expect: Expect::Revision(now.revision),
                        effect: Effect::put(next),
                    };
                    match store.write(write).await {
                        Ok(_) => done += 1,
                        Err(StoreError::Conflict { current }) => assert!(current > now.revision),
                        Err(other) => panic!("{other}"),
                    }
                }
            }));
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let store = PostgresStore::open(&address).await.unwrap();
    assert_eq!(store.get(&key).await.unwrap().unwrap().object, json!(60));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_write_is_lost_when_sessions_are_ended_under_load() {
    const EACH: usize = 60;
    let Some(address) = database().await else {
        return;
    };
    let store = Arc::new(PostgresStore::open(&address).await.unwrap());
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                let mut object = 0;
                while acknowledged.len() < EACH {
                    let name = format!("w{writer}-{object}");
                    object += 1;
                    match store.write(put(&name, Expect::Absent)).await {
                        Ok(revision) => acknowledged.push((revision, name)),
                        Err(StoreError::Unavailable(_)) => {}
                        Err(other) => panic!("{name}: {other:?}"),
                    }
                }
                acknowledged
            })
        })
        .collect();
    let mut console = console(&address).await;
    let (mut ended, mut newest) = (0, store.revision());
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        ended += end_sessions(&mut console, "%").await;
        // On a busy machine a connection takes longer than this pause: without a write in between nobody would get on.
        let _ = tokio::time::timeout(Duration::from_secs(2), newest.changed()).await;
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    assert!(ended > 0);
    let (changes, _) = until("reads to work again", async || {
        store.changes(RESOURCE, None, 0, usize::MAX).await.ok()
    })
    .await;
    let logged: std::collections::BTreeMap<u64, &str> = changes
        .iter()
        .map(|it| (it.revision, it.key.name.as_str()))
        .collect();
    for writer in writers {
        for (revision, name) in writer.await.unwrap() {
            assert_eq!(
                logged.get(&revision),
                Some(&name.as_str()),
                "lost after its answer"
            );
        }
    }
    let newest = changes.last().unwrap().revision;
    assert_eq!(
        logged.len() as u64,
        newest - 1,
        "a gap, or a write done twice"
    );
    store.write(put("after", Expect::Absent)).await.unwrap();
}

/// The counter's lock in another's hands, so that writes wait in mid-transaction.
async fn hold_counter(holder: &mut PgConnection) {
    sqlx::raw_sql("begin; select revision from store_state for update")
        .execute(holder)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_session_ends_before_the_commit_is_tried_once_more_and_then_unavailable() {
    let Some(address) = database().await else {
        return;
    };
    let store = Arc::new(PostgresStore::open(&address).await.unwrap());
    let mut console = console(&address).await;
    for (kills, name) in [(1, "retried"), (2, "given-up")] {
        // Without our timeouts: it holds on for as long as the test takes.
        let options: PgConnectOptions = address_url(&address);
        let mut holder = options.connect().await.unwrap();
        hold_counter(&mut holder).await;
        let write = tokio::spawn({
            let store = Arc::clone(&store);
            async move { store.write(put(name, Expect::Absent)).await }
        });
        for _ in 0..kills {
            until("the writer to wait for the lock", async || {
                let ended: i64 = sqlx::query_scalar(
                    "select count(*) filter (where pg_terminate_backend(pid))
                    from pg_stat_activity
                    where datname = current_database() and wait_event_type = 'Lock'",
                )
                .fetch_one(&mut console)
                .await
                .unwrap();
                (ended == 1).then_some(())
            })
            .await;
        }
        let key = Key::new(RESOURCE, "default", name);
        if kills == 1 {
            holder.close().await.unwrap();
            let revision = write.await.unwrap().unwrap();
            assert_eq!(store.get(&key).await.unwrap().unwrap().revision, revision);
        } else {
            let outcome = write.await.unwrap();
            assert!(
                matches!(outcome, Err(StoreError::Unavailable(_))),
                "{outcome:?}"
            );
            assert!(store.get(&key).await.unwrap().is_none());
            holder.close().await.unwrap();
            store.write(put("after", Expect::Absent)).await.unwrap();
        }
    }
}

fn address_url(address: &Address) -> PgConnectOptions {
    let database = address.options().unwrap();
    url(database.get_database().unwrap())
        .unwrap()
        .parse()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_nobody_is_told_of_is_found_by_looking() {
    let Some(address) = database().await else {
        return;
    };
    let store = PostgresStore::open(&address).await.unwrap();
    let mut newest = store.revision();
    let before = *newest.borrow_and_update();
    let mut console = console(&address).await;
    sqlx::query("update store_state set revision = revision + 1")
        .execute(&mut console)
        .await
        .unwrap();
    tokio::time::timeout(PATIENCE, newest.changed())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(*newest.borrow(), before + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_are_woken_while_the_listener_is_lost_and_it_listens_again() {
    let Some(address) = database().await else {
        return;
    };
    let here = PostgresStore::open(&address).await.unwrap();
    let there = PostgresStore::open(&address).await.unwrap();
    let mut console = console(&address).await;
    let mut newest = here.revision();
    for round in 0..3 {
        until("both to listen", async || {
            let listening: i64 = sqlx::query_scalar(
                "select count(*)
                from pg_stat_activity
                where datname = current_database() and query like 'LISTEN %'",
            )
            .fetch_one(&mut console)
            .await
            .unwrap();
            (listening == 2).then_some(())
        })
        .await;
        assert_eq!(end_sessions(&mut console, "LISTEN %").await, 2);
        let revision = there
            .write(put(&format!("r{round}"), Expect::Absent))
            .await
            .unwrap();
        let heard = tokio::time::timeout(PATIENCE, newest.wait_for(|newest| *newest >= revision));
        heard.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_write_that_the_database_refuses_does_not_spoil_its_group() {
    let Some((store, ())) = fresh().await else {
        return;
    };
    // Longer than an index holds, and not compressible.
    let long: String = (0..4000_u32)
        .map(|it| char::from_u32(0x4e00 + it.wrapping_mul(7919) % 20000).unwrap())
        .collect();
    let outcomes = futures::future::join_all([
        store.write(put("a", Expect::Absent)),
        store.write(put(&long, Expect::Absent)),
        store.write(put("nul\0", Expect::Absent)),
        store.write(put("b", Expect::Absent)),
    ])
    .await;
    assert!(outcomes[0].is_ok() && outcomes[3].is_ok(), "{outcomes:?}");
    for refused in &outcomes[1..3] {
        assert!(
            matches!(refused, Err(StoreError::Unavailable(_))),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn servers_that_start_together_on_an_empty_database_make_one_schema() {
    let Some(name) = empty("").await else {
        return;
    };
    let address = Address::new(url(&name).unwrap());
    let opened = futures::future::join_all((0..4).map(|_| PostgresStore::open(&address))).await;
    let stores: Vec<PostgresStore> = opened.into_iter().map(Result::unwrap).collect();
    let mut last = 0;
    for (index, store) in stores.iter().enumerate() {
        let revision = store
            .write(put(&format!("o{index}"), Expect::Absent))
            .await
            .unwrap();
        assert!(revision > last);
        last = revision;
    }
    for store in stores {
        store.close().await;
    }
}

#[tokio::test]
async fn a_stalled_server_is_made_to_let_go_and_commits_are_durable() {
    let Some(name) = empty("").await else {
        return;
    };
    test_server::run(
        &name,
        &format!("alter database {name} set synchronous_commit = off"),
    )
    .await;
    let options = Address::new(url(&name).unwrap()).options().unwrap();
    let mut connection = open::connect(&options).await.unwrap();
    for (setting, expected) in [
        ("idle_in_transaction_session_timeout", "5s"),
        ("statement_timeout", "15s"),
        ("synchronous_commit", "on"),
    ] {
        let value: String = sqlx::query_scalar("select current_setting($1)")
            .bind(setting)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(value, expected, "{setting}");
    }
}

/// Which session has the seat.
async fn sitting(console: &mut PgConnection) -> Option<i32> {
    sqlx::query_scalar(
        "select pid
        from pg_locks
        where locktype = 'advisory'
            and database = (select oid from pg_database where datname = current_database())",
    )
    .fetch_optional(console)
    .await
    .unwrap()
}

#[tokio::test]
async fn one_process_has_the_seat_and_keeps_it_when_its_session_is_ended() {
    let Some(address) = database().await else {
        return;
    };
    let seat = Seat::take(&address).await.unwrap().unwrap();
    assert!(Seat::take(&address).await.unwrap().is_none());
    let mut console = console(&address).await;
    let first = sitting(&mut console).await.unwrap();
    let keeping = tokio::spawn(seat.lost());
    assert_eq!(end_sessions(&mut console, "%tcp_keepalives%").await, 1);
    until("the seat to be taken again", async || {
        let now = sitting(&mut console).await;
        now.filter(|session| *session != first)
    })
    .await;
    assert!(!keeping.is_finished());
    assert!(Seat::take(&address).await.unwrap().is_none());
    keeping.abort();
    assert!(keeping.await.unwrap_err().is_cancelled());
    until("the seat to be free", async || {
        Seat::take(&address).await.unwrap()
    })
    .await;
}

#[tokio::test]
async fn whoever_waits_gets_the_seat_and_its_last_holder_is_told() {
    let Some(address) = database().await else {
        return;
    };
    let seat = Seat::take(&address).await.unwrap().unwrap();
    let mut console = console(&address).await;
    let waiting = tokio::spawn({
        let address = address.clone();
        async move { Seat::wait(&address).await.unwrap() }
    });
    // Nobody notices that the session has ended but who waits.
    assert_eq!(end_sessions(&mut console, "%tcp_keepalives%").await, 1);
    let next = waiting.await.unwrap();
    seat.lost().await;
    assert!(Seat::take(&address).await.unwrap().is_none());
    drop(next);
}

#[tokio::test]
async fn databases_that_will_not_do_are_told_apart() {
    let Some(latin) = empty("encoding 'LATIN1' template template0").await else {
        return;
    };
    let open = async |url: String| PostgresStore::open(&Address::new(url)).await.unwrap_err();
    let unfit = open(url(&latin).unwrap()).await;
    assert!(
        matches!(&unfit, OpenError::Unfit { reason, .. } if reason.contains("UTF8")),
        "{unfit:?}"
    );
    let missing = open(url("nobody_made_this").unwrap()).await;
    assert!(matches!(missing, OpenError::Refused { .. }), "{missing:?}");
    let nobody = open("postgres:///x?host=/nowhere".to_owned()).await;
    assert!(
        matches!(nobody, OpenError::Unreachable { .. }),
        "{nobody:?}"
    );
    let malformed = open("postgres://host:port".to_owned()).await;
    assert!(matches!(malformed, OpenError::Url(_)), "{malformed:?}");
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_or_remove_a_record() {
    let Some(address) = database().await else {
        return;
    };
    let store = PostgresStore::open(&address).await.unwrap();
    let subject = AuditSubject {
        time: jiff::Timestamp::UNIX_EPOCH,
        username: "alice",
        verb: "create",
        resource: RESOURCE,
        namespace: "default",
        name: "a",
        code: 201,
        is_routine: false,
    };
    let entry = AuditEntry::new(&subject, &json!({}));
    store.record(vec![entry]).await.unwrap();
    let mut console = console(&address).await;
    for statement in [
        "update audit set username = 'bob'",
        "delete from audit",
        "truncate audit",
    ] {
        let refused = sqlx::query(statement).execute(&mut console).await;
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("audit records are never"), "{said}");
    }
}

/// Columns, indexes and constraints, as the catalogue has them.
async fn schema(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "select format('%s.%s %s %s %s %s', table_name, column_name, data_type, collation_name, is_nullable, column_default)
        from information_schema.columns
        where table_schema = 'public'
        union all
        select indexdef from pg_indexes where schemaname = 'public'
        union all
        select format('%s %s', tgname, tgtype) from pg_trigger where not tgisinternal
        union all
        select format('%s %s', conname, pg_get_constraintdef(oid)) from pg_constraint where connamespace = 'public'::regnamespace
        order by 1",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_database_upgraded_from_any_version_equals_a_fresh_one() {
    let Some(address) = database().await else {
        return;
    };
    let expected = schema(&mut console(&address).await).await;
    assert!(expected.len() > 20, "{expected:?}");
    for migration in open::MIGRATIONS.iter() {
        let name = empty("").await.unwrap();
        let address = Address::new(url(&name).unwrap());
        let mut old = console(&address).await;
        open::MIGRATIONS
            .run_to(migration.version, &mut old)
            .await
            .unwrap();
        PostgresStore::open(&address).await.unwrap().close().await;
        assert_eq!(schema(&mut old).await, expected);
    }
    let versions: Vec<i64> = open::MIGRATIONS.iter().map(|it| it.version).collect();
    let numbers: Vec<i64> = (1..).take(versions.len()).collect();
    assert_eq!(versions, numbers, "numbered without a gap");
}

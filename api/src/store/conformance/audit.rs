//! The audit log: one commit with the write, in order, never changed.

use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _};
use serde_json::json;

use super::*;
use crate::store::audit::{AuditEntry, AuditOrder, AuditQuery, AuditSubject, Ended, Recorded};

fn subject(name: &str) -> AuditSubject<'_> {
    AuditSubject {
        time: Timestamp::UNIX_EPOCH,
        username: "alice",
        verb: "create",
        resource: ENVIRONMENTS,
        namespace: "default",
        name,
        code: 201,
        is_routine: false,
    }
}

fn entry(name: &str) -> AuditEntry {
    AuditEntry::new(&subject(name), &json!({ "name": name }))
}

fn from_the_first() -> AuditQuery {
    AuditQuery {
        order: AuditOrder::OldestFirst,
        limit: usize::MAX,
        ..AuditQuery::default()
    }
}

async fn read(store: &dyn Store, query: &AuditQuery) -> Vec<Recorded> {
    store.audit(query).await.unwrap()
}

fn sequences(found: &[Recorded]) -> Vec<u64> {
    found.iter().map(|it| it.sequence).collect()
}

async fn create_audited(store: &dyn Store, name: &str) -> Result<u64, StoreError> {
    let write = Write {
        key: environment("default", name),
        expect: Expect::Absent,
        effect: Effect::put(marked(name)),
    };
    store.write_audited(write, entry(name)).await
}

pub(crate) async fn a_write_and_its_record_are_one_and_a_refused_write_has_none(
    store: Arc<dyn Store>,
) {
    let revision = create_audited(&*store, "web").await.unwrap();
    let again = create_audited(&*store, "web").await;
    assert!(matches!(again, Err(StoreError::AlreadyExists)));
    let expected = [Recorded {
        sequence: 1,
        revision: Some(revision),
        record: json!({"name": "web"}),
    }];
    assert_eq!(read(&*store, &from_the_first()).await, expected);
    assert_eq!(newest(&*store).await, revision);
    assert_eq!(*store.revision().borrow(), revision);
}

pub(crate) async fn what_writes_nothing_is_recorded_without_a_revision(store: Arc<dyn Store>) {
    let before = newest(&*store).await;
    store.record(vec![entry("a"), entry("b")]).await.unwrap();
    store.record(Vec::new()).await.unwrap();
    let revision = create_audited(&*store, "c").await.unwrap();
    assert_eq!(revision, before + 1, "records use up no revision");
    let found = read(&*store, &from_the_first()).await;
    let expected = [(1, None, "a"), (2, None, "b"), (3, Some(revision), "c")];
    let found: Vec<_> = found
        .iter()
        .map(|it| {
            (
                it.sequence,
                it.revision,
                it.record["name"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(found, expected);
}

pub(crate) async fn many_writers_leave_records_in_the_order_of_their_writes(store: Arc<dyn Store>) {
    const WRITERS: usize = 6;
    const EACH: usize = 15;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for object in 0..EACH {
                    let name = format!("w{writer}-{object}");
                    create_audited(&*store, &name).await.unwrap();
                    store.record(vec![entry("refused")]).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let found = read(&*store, &from_the_first()).await;
    let all = u64::try_from(2 * WRITERS * EACH).unwrap();
    assert_eq!(sequences(&found), (1..=all).collect::<Vec<_>>());
    let revisions: Vec<u64> = found.iter().filter_map(|it| it.revision).collect();
    assert_eq!(revisions.len(), WRITERS * EACH);
    assert!(revisions.is_sorted_by(|a, b| a < b));
}

pub(crate) async fn the_audit_log_is_read_in_pages_from_either_end(store: Arc<dyn Store>) {
    store
        .record(["a", "b", "c", "d", "e"].map(entry).into())
        .await
        .unwrap();
    for (order, expected) in [
        (AuditOrder::OldestFirst, [vec![1, 2], vec![3, 4], vec![5]]),
        (AuditOrder::NewestFirst, [vec![5, 4], vec![3, 2], vec![1]]),
    ] {
        let mut behind = None;
        for page in expected {
            let query = AuditQuery {
                order,
                behind,
                limit: 2,
                ..AuditQuery::default()
            };
            let found = sequences(&read(&*store, &query).await);
            assert_eq!(found, page, "{order:?}");
            behind = found.last().copied();
        }
    }
}

pub(crate) async fn the_audit_log_is_narrowed_by_each_thing_it_is_searched_by(
    store: Arc<dyn Store>,
) {
    let at = |seconds: i64| Timestamp::UNIX_EPOCH + seconds.seconds();
    let plain = subject("web");
    let others = [
        plain.clone(),
        AuditSubject {
            time: at(10),
            ..plain.clone()
        },
        AuditSubject {
            username: "bob",
            ..plain.clone()
        },
        AuditSubject {
            verb: "delete",
            ..plain.clone()
        },
        AuditSubject {
            resource: "secrets",
            ..plain.clone()
        },
        AuditSubject {
            namespace: "team",
            ..plain.clone()
        },
        AuditSubject {
            name: "api",
            ..plain.clone()
        },
        AuditSubject {
            code: 403,
            ..plain.clone()
        },
        AuditSubject {
            is_routine: true,
            ..plain
        },
    ];
    let entries = others
        .iter()
        .map(|subject| AuditEntry::new(subject, &json!({})));
    store.record(entries.collect()).await.unwrap();
    let all = from_the_first();
    let is = |text: &str| Some(text.to_owned());
    #[rustfmt::skip]
    let rows = [
        (AuditQuery { since: Some(at(10)), ..all.clone() }, vec![2]),
        (AuditQuery { until: Some(at(10)), ..all.clone() }, vec![1, 3, 4, 5, 6, 7, 8, 9]),
        (AuditQuery { username: is("bob"), ..all.clone() }, vec![3]),
        (AuditQuery { verb: is("delete"), ..all.clone() }, vec![4]),
        (AuditQuery { resource: is("secrets"), ..all.clone() }, vec![5]),
        (AuditQuery { namespace: is("team"), ..all.clone() }, vec![6]),
        (AuditQuery { name: is("api"), ..all.clone() }, vec![7]),
        (AuditQuery { ended: Some(Ended::Refused), ..all.clone() }, vec![8]),
        (AuditQuery { ended: Some(Ended::With(403)), ..all.clone() }, vec![8]),
        (AuditQuery { ended: Some(Ended::Done), ..all.clone() }, vec![1, 2, 3, 4, 5, 6, 7, 9]),
        (AuditQuery { without_routine: true, ..all.clone() }, vec![1, 2, 3, 4, 5, 6, 7, 8]),
        (AuditQuery { username: is("nobody\0"), ..all.clone() }, vec![]),
    ];
    for (query, expected) in rows {
        assert_eq!(
            sequences(&read(&*store, &query).await),
            expected,
            "{query:?}"
        );
    }
}

pub(crate) async fn what_no_index_can_hold_is_cut_and_the_record_keeps_it(store: Arc<dyn Store>) {
    let name = format!("\0{}", "𝄞".repeat(5_000));
    let record = json!({ "name": name });
    let entry = AuditEntry::new(&subject(&name), &record);
    store.record(vec![entry]).await.unwrap();
    assert_eq!(read(&*store, &from_the_first()).await[0].record, record);
}

//! The change log: order, what was before, compaction, and waking up.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::store::ChangeKind;

pub(crate) async fn changes_come_in_order_with_what_was_before(store: Arc<dyn Store>) {
    let key = environment("default", "web");
    let start = newest(&*store).await;
    let created = create(&*store, &key, marked("a")).await.unwrap();
    let updated = update(&*store, &key, created, marked("b")).await.unwrap();
    let changes = changes_after(&*store, start).await;
    let expected = [
        Change {
            revision: created,
            key: key.clone(),
            kind: ChangeKind::Created,
            object: marked("a").into(),
            previous: None,
        },
        Change {
            revision: updated,
            key,
            kind: ChangeKind::Updated,
            object: marked("b").into(),
            previous: Some(marked("a").into()),
        },
    ];
    assert_eq!(changes, expected);
    assert_eq!(changes_after(&*store, created).await, expected[1..]);
}

pub(crate) async fn a_deletion_carries_its_own_revision_and_the_last_state(store: Arc<dyn Store>) {
    let key = environment("default", "web");
    let created = create(&*store, &key, marked("a")).await.unwrap();
    let gone = delete(&*store, &key, created, marked("last"))
        .await
        .unwrap();
    assert!(gone > created);
    let expected = Change {
        revision: gone,
        key,
        kind: ChangeKind::Deleted,
        object: marked("last").into(),
        previous: Some(marked("a").into()),
    };
    assert_eq!(changes_after(&*store, created).await, [expected]);
}

pub(crate) async fn changes_keep_to_their_resource_and_namespace(store: Arc<dyn Store>) {
    let start = newest(&*store).await;
    let mine = environment("a", "x");
    let revision = create(&*store, &mine, marked(0)).await.unwrap();
    for other in [environment("b", "x"), Key::new("secrets", "a", "x")] {
        create(&*store, &other, marked(0)).await.unwrap();
    }
    let (changes, through) = store
        .changes(ENVIRONMENTS, Some("a"), start, 100)
        .await
        .unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].revision, &changes[0].key), (revision, &mine));
    // What does not concern this reader has been read past all the same: bookmarks depend on it.
    assert_eq!(through, newest(&*store).await);
}

pub(crate) async fn a_limited_read_of_the_log_goes_on_where_it_stopped(store: Arc<dyn Store>) {
    let start = newest(&*store).await;
    let mut written = Vec::new();
    for object in 0..10 {
        let resource = if object % 3 == 2 {
            "secrets"
        } else {
            ENVIRONMENTS
        };
        let key = Key::new(resource, "a", format!("o{object}"));
        let revision = create(&*store, &key, marked(object)).await.unwrap();
        if resource == ENVIRONMENTS {
            written.push(revision);
        }
    }
    for limit in [1, 2, 7, 100] {
        let mut seen = Vec::new();
        let mut position = start;
        loop {
            let (changes, through) = store
                .changes(ENVIRONMENTS, None, position, limit)
                .await
                .unwrap();
            assert!(changes.len() <= limit && through >= position);
            seen.extend(changes.iter().map(|change| change.revision));
            if through == newest(&*store).await {
                break;
            }
            position = through;
        }
        assert_eq!(seen, written, "limit {limit}");
    }
    let nothing = store.changes(ENVIRONMENTS, None, start, 0).await.unwrap();
    assert_eq!((nothing.0.len(), nothing.1), (0, start));
}

pub(crate) async fn reading_past_the_newest_revision_gives_nothing(store: Arc<dyn Store>) {
    create(&*store, &environment("a", "x"), marked(0))
        .await
        .unwrap();
    let newest = newest(&*store).await;
    let (changes, through) = store
        .changes(ENVIRONMENTS, None, newest + 1000, 10)
        .await
        .unwrap();
    assert!(changes.is_empty());
    assert_eq!(through, newest);
}

pub(crate) async fn compacted_changes_are_refused_and_later_ones_kept(store: Arc<dyn Store>) {
    let mut revisions = Vec::new();
    for object in 0..5 {
        let key = environment("a", &format!("o{object}"));
        revisions.push(create(&*store, &key, marked(object)).await.unwrap());
    }
    let keep_from = revisions[3];
    store.compact(keep_from).await.unwrap();
    for after in [0, revisions[0], keep_from - 2] {
        let answer = store.changes(ENVIRONMENTS, None, after, 10).await;
        let Err(StoreError::Compacted { floor }) = answer else {
            panic!("changes after {after} are gone");
        };
        assert_eq!(floor, keep_from - 1);
        assert!(store.changes(ENVIRONMENTS, None, floor, 10).await.is_ok());
    }
    let kept: Vec<u64> = changes_after(&*store, keep_from - 1)
        .await
        .iter()
        .map(|change| change.revision)
        .collect();
    assert_eq!(kept, revisions[3..]);
}

pub(crate) async fn compaction_never_goes_back_and_never_forgets_the_future(store: Arc<dyn Store>) {
    let key = environment("a", "x");
    let first = create(&*store, &key, marked(0)).await.unwrap();
    store.compact(first + 1000).await.unwrap();
    store.compact(1).await.unwrap();
    let early = store.changes(ENVIRONMENTS, None, first - 1, 10).await;
    assert!(matches!(early, Err(StoreError::Compacted { floor }) if floor == first));
    let second = update(&*store, &key, first, marked(1)).await.unwrap();
    assert_eq!(second, first + 1);
    assert_eq!(changes_after(&*store, first).await.len(), 1);
}

pub(crate) async fn compaction_leaves_objects_alone(store: Arc<dyn Store>) {
    let key = environment("a", "x");
    let revision = create(&*store, &key, marked(0)).await.unwrap();
    store.compact(revision + 1).await.unwrap();
    assert_eq!(store.get(&key).await.unwrap().unwrap().revision, revision);
    update(&*store, &key, revision, marked(1)).await.unwrap();
    // The state before an update is known although the write that made it is forgotten.
    let changes = changes_after(&*store, revision).await;
    assert_eq!(changes[0].previous, Some(marked(0).into()));
}

pub(crate) async fn an_answered_write_is_announced(store: Arc<dyn Store>) {
    let mut wake = store.revision();
    for object in 0..20 {
        let key = environment("a", &format!("o{object}"));
        wake.mark_unchanged();
        let revision = create(&*store, &key, marked(object)).await.unwrap();
        assert!(wake.has_changed().unwrap());
        assert!(*wake.borrow_and_update() >= revision);
    }
}

pub(crate) async fn a_watcher_that_sleeps_between_wake_ups_misses_nothing(store: Arc<dyn Store>) {
    const WRITES: usize = 120;
    let start = newest(&*store).await;
    let watchers: Vec<_> = (0..3)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut wake = store.revision();
                let mut position = start;
                let mut seen = Vec::new();
                loop {
                    wake.borrow_and_update();
                    let (changes, through) = store
                        .changes(ENVIRONMENTS, None, position, 7)
                        .await
                        .unwrap();
                    seen.extend(changes.iter().map(|change| change.revision));
                    if seen.len() == WRITES {
                        return seen;
                    }
                    if through == position {
                        wake.changed().await.unwrap();
                    }
                    position = through;
                }
            })
        })
        .collect();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for object in 0..WRITES / 4 {
                    let key = environment("a", &format!("w{writer}-{object}"));
                    create(&*store, &key, marked(object)).await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let expected: Vec<u64> = (start + 1..=start + WRITES as u64).collect();
    for watcher in watchers {
        // Long enough for the slowest machine; a lost wake-up would wait for ever.
        let seen = tokio::time::timeout(Duration::from_secs(60), watcher)
            .await
            .expect("a wake-up was lost")
            .unwrap();
        assert_eq!(seen, expected);
    }
}

pub(crate) async fn the_log_is_every_resources_changes_in_one_order(store: Arc<dyn Store>) {
    let start = newest(&*store).await;
    let mut written = Vec::new();
    for object in 0..9 {
        let resource = ["secrets", ENVIRONMENTS, "leases"][object % 3];
        let key = Key::new(resource, ["a", "b"][object % 2], format!("o{object}"));
        let revision = create(&*store, &key, marked(object)).await.unwrap();
        written.push((revision, key));
    }
    for limit in [1, 4, 100] {
        let (mut seen, mut position) = (Vec::new(), start);
        while position < newest(&*store).await {
            let (changes, through) = store.log(position, limit).await.unwrap();
            assert!(changes.len() <= limit && through > position);
            seen.extend(
                changes
                    .into_iter()
                    .map(|change| (change.revision, change.key)),
            );
            position = through;
        }
        assert_eq!(seen, written, "limit {limit}");
    }
    let end = newest(&*store).await;
    let (nothing, through) = store.log(end + 1000, 10).await.unwrap();
    assert_eq!((nothing.len(), through), (0, end));
    store.compact(end).await.unwrap();
    let early = store.log(start, 10).await;
    assert!(matches!(early, Err(StoreError::Compacted { floor }) if floor == end - 1));
    assert_eq!(store.log(end - 1, 10).await.unwrap().0.len(), 1);
}

pub(crate) async fn another_text_stands_where_the_old_one_did_and_nobody_hears_of_it(
    store: Arc<dyn Store>,
) {
    let key = environment("default", "web");
    let first = create(&*store, &key, marked("a")).await.unwrap();
    let second = update(&*store, &key, first, marked("b")).await.unwrap();
    let before = store.get(&key).await.unwrap().unwrap();
    let mut wake = store.revision();
    wake.borrow_and_update();
    let rewrite = |stands, revision, from: &str, to: &str| Rewrite {
        key: key.clone(),
        revision,
        stands,
        before: marked(from).into(),
        after: marked(to).into(),
    };
    let rewrites = vec![
        rewrite(Stands::Object, second, "b", "B"),
        rewrite(Stands::Change, second, "b", "B"),
        rewrite(Stands::Previous, second, "a", "A"),
        rewrite(Stands::Change, first, "a", "A"),
        // Was written since, and says something else since.
        rewrite(Stands::Object, first, "a", "z"),
        rewrite(Stands::Object, first, "A", "z"),
        rewrite(Stands::Change, first, "z", "A"),
    ];
    // Four places, of which a store may hold those together that say the same.
    let rewritten = store.rewrite(rewrites).await.unwrap();
    assert!((2..=4).contains(&rewritten), "{rewritten}");
    let after = store.get(&key).await.unwrap().unwrap();
    assert_eq!(
        (after.revision, after.object),
        (before.revision, marked("B").into())
    );
    let page = store.list(&everything()).await.unwrap();
    assert_eq!(
        (page.revision, &page.items[0].object),
        (second, &marked("B").into())
    );
    let (changes, _) = store.changes(ENVIRONMENTS, None, 0, 10).await.unwrap();
    let texts: Vec<_> = changes
        .iter()
        .map(|it| {
            (
                it.object.to_value(),
                it.previous.as_ref().map(|it| it.to_value()),
            )
        })
        .collect();
    assert_eq!(
        texts,
        [(marked("A"), None), (marked("B"), Some(marked("A")))]
    );
    assert!(!wake.has_changed().unwrap());
    // The next write sees what stands there.
    update(&*store, &key, second, marked("c")).await.unwrap();
}

//! Writing: expectations, revisions and many writers at once.

use std::sync::Arc;

use serde_json::json;

use super::*;

pub(crate) async fn an_object_comes_back_as_it_was_put(store: Arc<dyn Store>) {
    let key = environment("default", "web");
    assert!(store.get(&key).await.unwrap().is_none());
    let revision = create(&*store, &key, marked("a")).await.unwrap();
    let stored = store.get(&key).await.unwrap().unwrap();
    assert_eq!(stored.key, key);
    assert_eq!(stored.revision, revision);
    assert_eq!(stored.object, marked("a"));
}

pub(crate) async fn an_update_needs_the_revision_that_it_read(store: Arc<dyn Store>) {
    let key = environment("default", "web");
    let first = create(&*store, &key, marked("a")).await.unwrap();
    let second = update(&*store, &key, first, marked("b")).await.unwrap();
    assert!(second > first);
    for late in [
        update(&*store, &key, first, marked("c")).await,
        delete(&*store, &key, first, marked("c")).await,
    ] {
        assert!(matches!(late, Err(StoreError::Conflict { current }) if current == second));
    }
    let stored = store.get(&key).await.unwrap().unwrap();
    assert_eq!(
        (stored.revision, stored.object.into_value()),
        (second, marked("b"))
    );
}

pub(crate) async fn a_second_create_is_refused(store: Arc<dyn Store>) {
    let key = environment("default", "web");
    create(&*store, &key, marked("a")).await.unwrap();
    let again = create(&*store, &key, marked("b")).await;
    assert!(matches!(again, Err(StoreError::AlreadyExists)));
    // The same name elsewhere is another object.
    for other in [
        environment("other", "web"),
        Key::new("secrets", "default", "web"),
    ] {
        create(&*store, &other, marked("c")).await.unwrap();
    }
    assert_eq!(store.get(&key).await.unwrap().unwrap().object, marked("a"));
}

pub(crate) async fn what_is_not_there_can_neither_change_nor_go(store: Arc<dyn Store>) {
    let key = environment("default", "web");
    let answers = [
        update(&*store, &key, 1, marked("a")).await,
        delete(&*store, &key, 1, marked("a")).await,
        write(&*store, &key, Expect::Absent, Effect::delete(marked("a"))).await,
    ];
    for answer in answers {
        assert!(matches!(answer, Err(StoreError::NotFound)));
    }
}

pub(crate) async fn a_deleted_object_can_be_created_again(store: Arc<dyn Store>) {
    let key = environment("default", "web");
    let first = create(&*store, &key, marked("a")).await.unwrap();
    let gone = delete(&*store, &key, first, marked("a")).await.unwrap();
    assert!(store.get(&key).await.unwrap().is_none());
    let again = create(&*store, &key, marked("b")).await.unwrap();
    assert!(again > gone && gone > first);
    let late = update(&*store, &key, first, marked("c")).await;
    assert!(matches!(late, Err(StoreError::Conflict { current }) if current == again));
}

pub(crate) async fn a_refused_write_uses_up_no_revision_and_leaves_no_change(
    store: Arc<dyn Store>,
) {
    let key = environment("default", "web");
    let first = create(&*store, &key, marked("a")).await.unwrap();
    create(&*store, &key, marked("b")).await.unwrap_err();
    update(&*store, &key, first + 7, marked("b"))
        .await
        .unwrap_err();
    assert_eq!(newest(&*store).await, first);
    assert_eq!(*store.revision().borrow(), first);
    assert!(changes_after(&*store, first).await.is_empty());
    let second = update(&*store, &key, first, marked("c")).await.unwrap();
    assert_eq!(second, first + 1);
}

pub(crate) async fn every_json_value_survives(store: Arc<dyn Store>) {
    let object = json!({
        "null": null, "true": true, "text": "üñí\u{0}\n\"quoted\" 𝄞", "big": u64::MAX, "small": i64::MIN,
        "fraction": 0.1, "list": [[], {}, [null, 1, "x"]], "": {"a/b~c.d": "odd keys"},
    });
    let key = environment("default", "odd-\u{fc}");
    let revision = create(&*store, &key, object.clone()).await.unwrap();
    assert_eq!(store.get(&key).await.unwrap().unwrap().object, object);
    assert_eq!(changes_after(&*store, revision - 1).await[0].object, object);
}

pub(crate) async fn many_writers_of_many_objects_get_rising_revisions_without_a_gap(
    store: Arc<dyn Store>,
) {
    const WRITERS: u64 = 8;
    const EACH: u64 = 25;
    let before = newest(&*store).await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut revisions = Vec::new();
                for object in 0..EACH {
                    let key = environment("default", &format!("w{writer}-{object}"));
                    revisions.push(create(&*store, &key, marked(object)).await.unwrap());
                    // What was acknowledged can be read by whoever comes next.
                    assert!(store.get(&key).await.unwrap().is_some());
                }
                assert!(revisions.is_sorted_by(|a, b| a < b));
                revisions
            })
        })
        .collect();
    let mut all = Vec::new();
    for writer in writers {
        all.extend(writer.await.unwrap());
    }
    all.sort_unstable();
    let expected: Vec<u64> = (before + 1..=before + WRITERS * EACH).collect();
    assert_eq!(all, expected);
    let logged: Vec<u64> = changes_after(&*store, before)
        .await
        .iter()
        .map(|change| change.revision)
        .collect();
    assert_eq!(logged, expected);
}

pub(crate) async fn many_writers_of_one_object_lose_no_update(store: Arc<dyn Store>) {
    const WRITERS: usize = 6;
    const EACH: usize = 10;
    let key = environment("default", "counter");
    create(&*store, &key, json!(0)).await.unwrap();
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (store, key) = (Arc::clone(&store), key.clone());
            tokio::spawn(async move {
                for _ in 0..EACH {
                    loop {
                        let now = store.get(&key).await.unwrap().unwrap();
                        let next = json!(now.object.as_u64().unwrap() + 1);
                        match update(&*store, &key, now.revision, next).await {
                            Ok(_) => break,
                            Err(StoreError::Conflict { current }) => {
                                assert!(current > now.revision)
                            }
                            Err(other) => panic!("{other}"),
                        }
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let counter = store.get(&key).await.unwrap().unwrap().object;
    assert_eq!(counter, json!(WRITERS * EACH));
}

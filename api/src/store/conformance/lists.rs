//! Listing: order, scope and paging.

use std::sync::Arc;

use super::*;
use crate::store::Page;

async fn fill(store: &dyn Store, objects: &[(&str, &str)]) {
    for (namespace, name) in objects {
        create(store, &environment(namespace, name), marked(*name))
            .await
            .unwrap();
    }
}

fn listed(page: &Page) -> Vec<String> {
    names(page.items.iter().map(|item| item.key.clone()))
}

pub(crate) async fn an_empty_store_has_a_revision_that_is_not_zero(store: Arc<dyn Store>) {
    let page = store.list(&everything()).await.unwrap();
    assert!(page.items.is_empty());
    assert_eq!(page.remaining, 0);
    assert!(page.revision > 0);
    assert_eq!(*store.revision().borrow(), page.revision);
}

pub(crate) async fn lists_are_ordered_by_namespace_and_name(store: Arc<dyn Store>) {
    fill(
        &*store,
        &[
            ("b", "a"),
            ("a", "b"),
            ("a-b", "a"),
            ("a", "a"),
            ("a", "a-b"),
            ("", "z"),
        ],
    )
    .await;
    let page = store.list(&everything()).await.unwrap();
    assert_eq!(listed(&page), ["/z", "a/a", "a/a-b", "a/b", "a-b/a", "b/a"]);
}

pub(crate) async fn lists_keep_to_their_resource_and_namespace(store: Arc<dyn Store>) {
    fill(&*store, &[("a", "x"), ("b", "y"), ("c", "z")]).await;
    for resource in [
        "environments.mirage.de",
        "environments.mirage.devs",
        "secrets",
    ] {
        create(&*store, &Key::new(resource, "b", "other"), marked(0))
            .await
            .unwrap();
    }
    let only_b = ListQuery {
        namespace: Some("b".to_owned()),
        ..everything()
    };
    assert_eq!(listed(&store.list(&only_b).await.unwrap()), ["b/y"]);
    assert_eq!(
        listed(&store.list(&everything()).await.unwrap()),
        ["a/x", "b/y", "c/z"]
    );
    let past_b = ListQuery {
        after: Some(("c".to_owned(), "a".to_owned())),
        ..only_b.clone()
    };
    assert!(store.list(&past_b).await.unwrap().items.is_empty());
    let before_b = ListQuery {
        after: Some(("a".to_owned(), "zzz".to_owned())),
        ..only_b
    };
    assert_eq!(listed(&store.list(&before_b).await.unwrap()), ["b/y"]);
}

pub(crate) async fn pages_cover_the_list_once(store: Arc<dyn Store>) {
    const OBJECTS: usize = 23;
    for object in 0..OBJECTS {
        let key = environment(["a", "b", "c"][object % 3], &format!("o{object:02}"));
        create(&*store, &key, marked(object)).await.unwrap();
    }
    for namespace in [None, Some("b".to_owned())] {
        let whole = ListQuery {
            namespace,
            ..everything()
        };
        let all = listed(&store.list(&whole).await.unwrap());
        for limit in [1, 4, 8, OBJECTS, OBJECTS + 1] {
            let mut seen = Vec::new();
            let mut query = ListQuery {
                limit: Some(limit),
                ..whole.clone()
            };
            loop {
                let page = store.list(&query).await.unwrap();
                assert!(page.items.len() <= limit);
                seen.extend(listed(&page));
                assert_eq!(page.remaining as usize, all.len() - seen.len());
                if page.remaining == 0 {
                    break;
                }
                let last = &page.items.last().unwrap().key;
                query.after = Some((last.namespace.clone(), last.name.clone()));
            }
            assert_eq!(seen, all);
        }
    }
    let none = ListQuery {
        limit: Some(0),
        ..everything()
    };
    let page = store.list(&none).await.unwrap();
    assert_eq!((page.items.len(), page.remaining), (0, OBJECTS as u64));
}

pub(crate) async fn a_page_may_begin_behind_a_name_that_is_gone(store: Arc<dyn Store>) {
    fill(&*store, &[("a", "a"), ("a", "c"), ("b", "a")]).await;
    let query = ListQuery {
        after: Some(("a".to_owned(), "b".to_owned())),
        limit: Some(1),
        ..everything()
    };
    let page = store.list(&query).await.unwrap();
    assert_eq!((listed(&page), page.remaining), (vec!["a/c".to_owned()], 1));
}

pub(crate) async fn a_list_carries_the_newest_revision_of_the_whole_store(store: Arc<dyn Store>) {
    fill(&*store, &[("a", "a")]).await;
    let elsewhere = create(&*store, &Key::new("secrets", "a", "s"), marked(0))
        .await
        .unwrap();
    assert_eq!(newest(&*store).await, elsewhere);
}

pub(crate) async fn what_cannot_be_a_name_is_nothing_and_has_a_place_in_the_order(
    store: Arc<dyn Store>,
) {
    fill(&*store, &[("a", "a"), ("a", "ab"), ("b", "a")]).await;
    let nul = environment("a", "a\0");
    assert!(store.get(&nul).await.unwrap().is_none());
    for (namespace, name, behind) in [
        ("a", "a\0z", vec!["a/ab", "b/a"]),
        ("a", "\0", vec!["a/a", "a/ab", "b/a"]),
        ("a\0", "a", vec!["b/a"]),
    ] {
        let query = ListQuery {
            after: Some((namespace.to_owned(), name.to_owned())),
            limit: Some(9),
            ..everything()
        };
        let page = store.list(&query).await.unwrap();
        assert_eq!(
            (listed(&page), page.remaining),
            (behind.iter().map(|&it| it.to_owned()).collect(), 0)
        );
    }
    let nowhere = ListQuery {
        namespace: Some("a\0".to_owned()),
        ..everything()
    };
    let page = store.list(&nowhere).await.unwrap();
    assert_eq!(
        (page.items.len(), page.revision),
        (0, newest(&*store).await)
    );
    let (changes, through) = store
        .changes(ENVIRONMENTS, Some("a\0"), 0, 9)
        .await
        .unwrap();
    assert_eq!((changes.len(), through), (0, page.revision));
}

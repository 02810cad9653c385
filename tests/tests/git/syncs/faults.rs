//! Files that cannot be believed.

use mirage_specs::git_sync::SyncResult;
use mirage_tests::git::Depot;
use serde_json::json;

use super::scene::{image, ready, result, seen, sync, template, world};

#[tokio::test(start_paused = true)]
async fn a_faulty_file_holds_back_itself_and_with_atomic_everything() {
    let mut world = world(3).await;
    let mut depot = Depot::new().unwrap();
    let first = depot
        .push(
            "main",
            [
                ("a.yaml", template("a", "nginx:1")),
                ("b.yaml", template("b", "nginx:1")),
                ("c.yaml", template("c", "nginx:1")),
            ],
        )
        .unwrap();
    sync(&world, "shop", &depot, json!({})).await;
    seen(&mut world, "shop", &first).await;

    let wrong = template("b", "nginx:2").replace("source:", "souce:");
    let second = depot
        .push(
            "main",
            [("a.yaml", template("a", "nginx:2")), ("b.yaml", wrong)],
        )
        .unwrap();
    let status_now = seen(&mut world, "shop", &second).await;
    assert_eq!(
        ready(&status_now),
        ("False".to_owned(), "FaultyFiles".to_owned())
    );
    let fault = &status_now.faults[0];
    assert_eq!(
        (fault.file.as_str(), fault.line, fault.column),
        ("b.yaml", Some(8), Some(9))
    );
    assert!(
        fault.message.contains("did you mean \"source\"?"),
        "{fault:?}"
    );
    assert_eq!(result(&status_now, "b"), SyncResult::Invalid);
    assert_eq!(
        image(&world, "a").await.as_deref(),
        Some("nginx:2"),
        "a is in another file"
    );
    assert_eq!(
        image(&world, "b").await.as_deref(),
        Some("nginx:1"),
        "b stays as it was"
    );
    assert_eq!(
        image(&world, "c").await,
        None,
        "it is known that no file declares c"
    );
    assert_eq!(status_now.applied_commit.as_deref(), Some(first.as_str()));

    // What an unreadable file declares is not known, so nothing is gone for certain.
    let third = depot
        .push(
            "main",
            [
                ("a.yaml", template("a", "nginx:3")),
                ("b.yaml", "kind: [".to_owned()),
            ],
        )
        .unwrap();
    let status_now = seen(&mut world, "shop", &third).await;
    assert_eq!(image(&world, "a").await.as_deref(), Some("nginx:3"));
    assert_eq!(image(&world, "b").await.as_deref(), Some("nginx:1"));
    assert_eq!(result(&status_now, "b"), SyncResult::Kept);

    sync(&world, "shop", &depot, json!({"atomic": true})).await;
    let fourth = depot
        .push(
            "main",
            [
                ("a.yaml", template("a", "nginx:4")),
                ("b.yaml", "kind: [".to_owned()),
            ],
        )
        .unwrap();
    let status_now = seen(&mut world, "shop", &fourth).await;
    assert_eq!(result(&status_now, "a"), SyncResult::Invalid);
    assert_eq!(image(&world, "a").await.as_deref(), Some("nginx:3"));

    let fifth = depot
        .push("main", [("a.yaml", template("a", "nginx:5"))])
        .unwrap();
    let status_now = seen(&mut world, "shop", &fifth).await;
    assert_eq!(ready(&status_now).0, "True", "{status_now:#?}");
    assert_eq!(
        (
            image(&world, "a").await.as_deref(),
            image(&world, "b").await
        ),
        (Some("nginx:5"), None)
    );
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_declared_twice_is_believed_in_neither_place() {
    let mut world = world(4).await;
    let mut depot = Depot::new().unwrap();
    let commit = depot
        .push(
            "main",
            [
                ("a.yaml", template("a", "nginx:1")),
                ("b.yaml", template("a", "nginx:2")),
            ],
        )
        .unwrap();
    sync(&world, "shop", &depot, json!({})).await;
    let status_now = seen(&mut world, "shop", &commit).await;
    assert_eq!(image(&world, "a").await, None);
    let said: Vec<(&str, bool)> = status_now
        .faults
        .iter()
        .map(|fault| {
            (
                fault.file.as_str(),
                fault.message.contains("is declared at"),
            )
        })
        .collect();
    assert_eq!(said, [("a.yaml", true), ("b.yaml", true)]);
    assert!(status_now.faults[0].message.contains("b.yaml:1"));
}

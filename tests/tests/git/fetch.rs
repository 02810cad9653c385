//! What is read of a repository, by every way to one.

#![expect(clippy::unwrap_used, reason = "in a test a failure is the message")]

use std::time::Duration;

use mirage_railway::secret::SecretValue;
use mirage_reconcilers::git_sync::fetch::{
    Credentials, FetchError, Git, Limits, Repositories as _, Request, Revision, Snapshot,
};
use mirage_tests::git::{Bastion, Depot, Entry, Forge, Manners};
use tempfile::TempDir;

fn request(url: &str) -> Request {
    Request {
        address: url.parse().unwrap(),
        revision: Revision::Branch("main".to_owned()),
        path: String::new(),
        credentials: Credentials::default(),
    }
}

fn with_password(url: &str, password: &str) -> Request {
    let mut request = request(url);
    request.credentials.password = Some(SecretValue::new(password));
    request
}

/// A cache that goes with the test.
fn git() -> (TempDir, Git) {
    let folder = tempfile::tempdir().unwrap();
    let git = Git::new(folder.path());
    (folder, git)
}

fn paths(snapshot: &Snapshot) -> Vec<&str> {
    snapshot
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect()
}

#[tokio::test]
async fn every_way_to_a_repository_shows_the_same() {
    let mut depot = Depot::new().unwrap();
    let old = depot
        .push(
            "main",
            [
                ("envs/a.yaml", "a: 1"),
                ("envs/deep/b.yml", "b: 2"),
                ("c.json", "{}"),
            ],
        )
        .unwrap();
    depot.tag("v1", &old).unwrap();
    let new = depot
        .push(
            "main",
            [
                ("envs/a.yaml", "a: 3"),
                ("README.md", "#"),
                (".github/x.yaml", "x"),
            ],
        )
        .unwrap();
    let forge = Forge::of(&depot).await.unwrap();
    let bastion = Bastion::of(&depot).await.unwrap();
    for url in [depot.url(), forge.url(), bastion.url()] {
        let (_folder, git) = git();
        let mut request = request(&url);
        request.credentials.identity = Some(SecretValue::new(bastion.identity()));
        request.credentials.known_hosts = Some(bastion.known_hosts().unwrap());

        let seen = git.snapshot("x", &request).await.unwrap();
        assert_eq!(seen.commit, new, "{url}");
        assert_eq!(
            paths(&seen),
            ["envs/a.yaml"],
            "{url}: what is hidden or no manifest is not read"
        );
        assert_eq!(seen.files[0].text, "a: 3");

        request.revision = Revision::Tag("v1".to_owned());
        request.path = "envs".to_owned();
        let seen = git.snapshot("x", &request).await.unwrap();
        assert_eq!(
            seen.commit, old,
            "{url}: a tag object stands for its commit"
        );
        assert_eq!(paths(&seen), ["envs/a.yaml", "envs/deep/b.yml"], "{url}");

        request.revision = Revision::Commit(new.clone());
        assert_eq!(
            git.snapshot("x", &request).await.unwrap().commit,
            new,
            "{url}"
        );
        request.revision = Revision::Head;
        assert_eq!(
            git.snapshot("x", &request).await.unwrap().commit,
            new,
            "{url}"
        );

        request.path = "nowhere".to_owned();
        assert!(
            matches!(
                git.snapshot("x", &request).await,
                Err(FetchError::NoPath { .. })
            ),
            "{url}"
        );
        request.path = String::new();
        for revision in [
            Revision::Branch("gone".to_owned()),
            Revision::Tag("gone".to_owned()),
            Revision::Commit("0123456789012345678901234567890123456789".to_owned()),
        ] {
            request.revision = revision;
            let outcome = git.snapshot("x", &request).await;
            assert!(
                matches!(outcome, Err(FetchError::NoRevision { .. })),
                "{url} {outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn history_may_be_rewritten_and_branches_may_go_and_come_back() {
    let mut depot = Depot::new().unwrap();
    depot.push("main", [("a.yaml", "a: 1")]).unwrap();
    let forge = Forge::of(&depot).await.unwrap();
    let (_folder, git) = git();
    let request = request(&forge.url());
    git.snapshot("x", &request).await.unwrap();
    // Every push of a depot is a commit without parents: a forced one.
    let forced = depot.push("main", [("b.yaml", "b: 1")]).unwrap();
    let seen = git.snapshot("x", &request).await.unwrap();
    assert_eq!(
        (seen.commit.as_str(), paths(&seen)),
        (forced.as_str(), vec!["b.yaml"])
    );
    depot.delete_branch("main").unwrap();
    assert!(matches!(
        git.snapshot("x", &request).await,
        Err(FetchError::NoRevision { .. })
    ));
    let back = depot.push("main", [("c.yaml", "c: 1")]).unwrap();
    assert_eq!(git.snapshot("x", &request).await.unwrap().commit, back);
}

#[tokio::test]
async fn a_look_at_nothing_new_costs_two_small_requests() {
    let mut depot = Depot::new().unwrap();
    depot.push("main", [("a.yaml", "a: 1")]).unwrap();
    let forge = Forge::of(&depot).await.unwrap();
    let (_folder, git) = git();
    let request = request(&forge.url());
    git.snapshot("x", &request).await.unwrap();
    let before = forge.requests();
    let again = git.snapshot("x", &request).await.unwrap();
    assert_eq!(paths(&again), ["a.yaml"]);
    assert_eq!(forge.requests() - before, 2);
}

#[tokio::test]
async fn what_cannot_be_read_is_named_and_what_is_left_out_is_said() {
    let mut depot = Depot::new().unwrap();
    let link = |target: &str| Entry::Link(target.to_owned());
    depot
        .push(
            "main",
            [
                ("envs/a.yaml", Entry::from("a: 1")),
                ("envs/huge.yaml", Entry::File(vec![b'#'; 2 * 1024 * 1024])),
                ("envs/latin.yaml", Entry::File(vec![0xe9, b'\n'])),
                ("envs/inside.yaml", link("../base/shared.yaml")),
                ("envs/outside.yaml", link("../../../etc/passwd")),
                ("envs/absolute.yaml", link("/etc/passwd")),
                ("envs/nothing.yaml", link("gone.yaml")),
                ("envs/folder.yaml", link("../base")),
                ("envs/notes", link("/etc/hosts")),
                (
                    "envs/vendor",
                    Entry::Submodule("0123456789012345678901234567890123456789".parse().unwrap()),
                ),
                ("base/shared.yaml", Entry::from("shared: 1")),
            ],
        )
        .unwrap();
    let forge = Forge::of(&depot).await.unwrap();
    for url in [depot.url(), forge.url()] {
        let (_folder, git) = git();
        let mut request = request(&url);
        request.path = "envs".to_owned();
        let seen = git.snapshot("x", &request).await.unwrap();
        assert_eq!(paths(&seen), ["envs/a.yaml", "envs/inside.yaml"]);
        assert_eq!(seen.files[1].text, "shared: 1");
        let faults: Vec<(&str, &str)> = seen
            .faults
            .iter()
            .map(|fault| (fault.file.as_str(), fault.message.as_str()))
            .collect();
        assert_eq!(
            faults,
            [
                (
                    "envs/absolute.yaml",
                    "a symbolic link that leaves the repository; it was not followed"
                ),
                (
                    "envs/folder.yaml",
                    "a symbolic link to something that is not a file"
                ),
                (
                    "envs/huge.yaml",
                    "2097152 bytes: a file of manifests has at most 1024 KiB; it was not read"
                ),
                ("envs/latin.yaml", "it is not text in UTF-8"),
                ("envs/nothing.yaml", "a symbolic link to nothing"),
                (
                    "envs/outside.yaml",
                    "a symbolic link that leaves the repository; it was not followed"
                ),
            ]
        );
        let ignored: Vec<&str> = seen.ignored.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(ignored, ["envs/notes", "envs/vendor"]);
        assert!(seen.ignored[1].reason.contains("submodule"));
    }
}

#[tokio::test]
async fn more_than_is_taken_from_one_repository_is_refused() {
    let mut depot = Depot::new().unwrap();
    depot
        .push(
            "main",
            [("a.yaml", "x".repeat(4096)), ("b.yaml", "y".repeat(4096))],
        )
        .unwrap();
    let forge = Forge::of(&depot).await.unwrap();
    let usual = Limits::default();
    for limits in [
        Limits { files: 1, ..usual },
        Limits {
            all_bytes: 5000,
            ..usual
        },
        Limits {
            transfer_bytes: 100,
            ..usual
        },
    ] {
        let folder = tempfile::tempdir().unwrap();
        let git = Git::new(folder.path()).with_limits(limits);
        let outcome = git.snapshot("x", &request(&forge.url())).await;
        assert!(
            matches!(outcome, Err(FetchError::TooLarge(_))),
            "{limits:?} {outcome:?}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let git = Git::new(folder.path()).with_limits(Limits {
        object_bytes: 1000,
        ..usual
    });
    assert!(
        git.snapshot("x", &request(&forge.url())).await.is_err(),
        "no object takes more memory than allowed"
    );
}

#[tokio::test]
async fn a_login_is_shown_where_it_belongs_and_nowhere_else() {
    let mut depot = Depot::new().unwrap();
    let commit = depot.push("main", [("a.yaml", "a: 1")]).unwrap();
    let forge = Forge::of(&depot).await.unwrap();
    forge.behave(Manners {
        login: Some("git:canary-token".to_owned()),
        ..Manners::default()
    });
    let (_folder, git) = git();
    let seen = git
        .snapshot("x", &with_password(&forge.url(), "canary-token"))
        .await
        .unwrap();
    assert_eq!(seen.commit, commit);
    for request in [
        request(&forge.url()),
        with_password(&forge.url(), "canary-wrong"),
    ] {
        let error = git.snapshot("y", &request).await.unwrap_err();
        assert!(matches!(error, FetchError::Unauthorized(_)), "{error:?}");
        assert!(!format!("{error:?} {error} {request:?}").contains("canary"));
    }
    // Another place is another place, however one comes there.
    let elsewhere = Forge::of(&depot).await.unwrap();
    forge.behave(Manners {
        redirect: Some(elsewhere.url()),
        ..Manners::default()
    });
    let seen = git
        .snapshot("z", &with_password(&forge.url(), "canary-token"))
        .await
        .unwrap();
    assert_eq!(seen.commit, commit, "a renamed repository is found");
    assert!(elsewhere.requests() > 0);
    assert!(elsewhere.logins().iter().all(String::is_empty));
}

#[tokio::test]
async fn a_server_that_fails_is_told_apart_by_how_it_fails() {
    let mut depot = Depot::new().unwrap();
    let commit = depot.push("main", [("a.yaml", "a: 1")]).unwrap();
    let forge = Forge::of(&depot).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let quick = Limits {
        time: Duration::from_millis(300),
        ..Limits::default()
    };
    let git = Git::new(folder.path());
    let hasty = git.clone().with_limits(quick);
    let status = |status| Manners {
        status: Some(status),
        ..Manners::default()
    };
    for (manners, name) in [
        (status(503), "Unreachable"),
        (status(404), "NoRepository"),
        (status(403), "Unauthorized"),
        (
            Manners {
                pack: Some(b"000dpackfile\n0009\x01PACK0000".to_vec()),
                ..Manners::default()
            },
            "Protocol",
        ),
        (
            Manners {
                pack: Some(b"<html>".to_vec()),
                ..Manners::default()
            },
            "Protocol",
        ),
    ] {
        forge.behave(manners);
        let error = git.snapshot("x", &request(&forge.url())).await.unwrap_err();
        assert!(format!("{error:?}").starts_with(name), "{name}: {error:?}");
    }
    forge.behave(Manners {
        is_mute: true,
        ..Manners::default()
    });
    let error = hasty
        .snapshot("x", &request(&forge.url()))
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::TimedOut { .. }), "{error:?}");
    forge.behave(Manners::default());
    assert_eq!(
        git.snapshot("x", &request(&forge.url()))
            .await
            .unwrap()
            .commit,
        commit,
        "what broken answers left in the cache does no harm"
    );
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/shop.git", listener.local_addr().unwrap())
    };
    let error = git.snapshot("y", &request(&nobody)).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable(_)), "{error:?}");
    let error = git
        .snapshot("y", &request("file:///nowhere/shop.git"))
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::NoRepository(_)), "{error:?}");
}

#[tokio::test]
async fn the_cache_may_be_lost_or_spoilt_at_any_time() {
    let mut depot = Depot::new().unwrap();
    let commit = depot.push("main", [("a.yaml", "a: 1")]).unwrap();
    let forge = Forge::of(&depot).await.unwrap();
    let (folder, git) = git();
    let request = request(&forge.url());
    git.snapshot("x", &request).await.unwrap();
    std::fs::remove_dir_all(folder.path().join("x")).unwrap();
    assert_eq!(git.snapshot("x", &request).await.unwrap().commit, commit);
    std::fs::remove_dir_all(folder.path().join("x")).unwrap();
    std::fs::create_dir_all(folder.path().join("x/objects")).unwrap();
    std::fs::write(folder.path().join("x/HEAD"), "nonsense").unwrap();
    assert_eq!(git.snapshot("x", &request).await.unwrap().commit, commit);
    git.forget("x").await;
    assert!(!folder.path().join("x").exists());
}

#[tokio::test]
async fn over_ssh_both_sides_prove_who_they_are() {
    let mut depot = Depot::new().unwrap();
    depot.push("main", [("a.yaml", "a: 1")]).unwrap();
    let bastion = Bastion::of(&depot).await.unwrap();
    let (_folder, git) = git();
    let known = bastion.known_hosts().unwrap();
    let stranger = bastion.strangers_known_hosts().unwrap();
    let secret = |text: &str| Some(SecretValue::new(text));
    let cases = [
        (secret(bastion.identity()), None, "BadCredentials"),
        (None, Some(known.clone()), "BadCredentials"),
        (secret("canary"), Some(known.clone()), "BadCredentials"),
        (
            secret(bastion.identity()),
            Some("github.com ssh-ed25519 AAAA\n".to_owned()),
            "HostKey",
        ),
        (secret(bastion.identity()), Some(stranger), "HostKey"),
        (
            secret(&Bastion::strangers_identity().unwrap()),
            Some(known),
            "Unauthorized",
        ),
    ];
    for (identity, known_hosts, name) in cases {
        let mut request = request(&bastion.url());
        request.credentials = Credentials {
            identity,
            known_hosts,
            ..Credentials::default()
        };
        let error = git.snapshot("x", &request).await.unwrap_err();
        assert!(format!("{error:?}").starts_with(name), "{name}: {error:?}");
        let said = format!("{error:?} {error} {request:?}");
        assert!(
            !said.contains("canary") && !said.contains("PRIVATE KEY"),
            "{said}"
        );
    }
    assert_eq!(
        bastion.commands(),
        [""; 0],
        "nobody came as far as asking for something"
    );
}

//! Repositories and servers as Git and OpenSSH make them. Skips itself where those are not installed.

#![expect(clippy::unwrap_used, reason = "in a test a failure is the message")]

use mirage_railway::secret::SecretValue;
use mirage_reconcilers::git_sync::fetch::{
    Credentials, FetchError, Git, Repositories as _, Request, Revision,
};
use mirage_tests::git::{
    backend::Backend,
    program::{Workshop, is_installed},
    sshd::{Spoken, Sshd},
};

/// A long file of which each version differs a little, so that it is packed as a delta.
fn long(version: u32) -> String {
    let lines: Vec<String> = (0..400)
        .map(|line| format!("key{line}: value{line}"))
        .collect();
    format!("version: {version}\n{}\n", lines.join("\n"))
}

fn workshop() -> Workshop {
    let workshop = Workshop::new().unwrap();
    for version in 0..5 {
        workshop
            .push(&[
                ("envs/long.yaml", long(version).as_str()),
                ("README.md", "#"),
            ])
            .unwrap();
    }
    workshop
}

fn request(url: &str, credentials: Credentials) -> Request {
    Request {
        address: url.parse().unwrap(),
        revision: Revision::Branch("main".to_owned()),
        path: "envs".to_owned(),
        credentials,
    }
}

/// Everything that is asked of a repository while it grows.
async fn follow(workshop: &Workshop, mut request: Request, what: &str) {
    let folder = tempfile::tempdir().unwrap();
    let git = Git::new(folder.path());
    workshop.tag("v1").unwrap();
    workshop.pack().unwrap();
    let tagged = git.snapshot("x", &request).await.unwrap();
    assert_eq!(tagged.files.len(), 1, "{what}");
    assert_eq!(tagged.files[0].text, long(4), "{what}");
    for version in 5..8 {
        let commit = workshop
            .push(&[("envs/long.yaml", long(version).as_str())])
            .unwrap();
        let seen = git.snapshot("x", &request).await.unwrap();
        assert_eq!(seen.commit, commit, "{what}");
        assert_eq!(seen.files[0].text, long(version), "{what}");
        let again = git.snapshot("x", &request).await.unwrap();
        assert_eq!(again, seen, "{what}: nothing new");
    }
    request.revision = Revision::Head;
    assert_eq!(
        git.snapshot("x", &request).await.unwrap().files[0].text,
        long(7),
        "{what}"
    );
    request.revision = Revision::Tag("v1".to_owned());
    assert_eq!(git.snapshot("x", &request).await.unwrap(), tagged, "{what}");
    request.revision = Revision::Commit(tagged.commit.clone());
    let fresh = git.snapshot("y", &request).await;
    assert_eq!(fresh.unwrap(), tagged, "{what}: a commit by its id");
    for revision in [
        Revision::Branch("gone".to_owned()),
        Revision::Commit("0123456789012345678901234567890123456789".to_owned()),
    ] {
        request.revision = revision;
        let outcome = git.snapshot("x", &request).await;
        assert!(
            matches!(outcome, Err(FetchError::NoRevision { .. })),
            "{what}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn gits_own_server_is_followed_over_tls_once_its_ca_is_known() {
    if !is_installed("git") {
        return;
    }
    let workshop = workshop();
    let backend = Backend::of(&workshop, "git:canary-token").await.unwrap();
    let mut credentials = Credentials {
        password: Some(SecretValue::new("canary-token")),
        ..Credentials::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let git = Git::new(folder.path());
    let stranger = request(&backend.url(), credentials.clone());
    let error = git.snapshot("x", &stranger).await.unwrap_err();
    assert!(
        matches!(&error, FetchError::Unreachable(why) if why.contains("certificate")),
        "{error:?}"
    );
    credentials.ca = Some(backend.ca().to_owned());
    let mut nobody = request(&backend.url(), credentials.clone());
    nobody.credentials.password = None;
    let error = git.snapshot("x", &nobody).await.unwrap_err();
    assert!(matches!(error, FetchError::Unauthorized(_)), "{error:?}");
    follow(&workshop, request(&backend.url(), credentials), "https").await;
}

#[tokio::test]
async fn openssh_is_followed_with_the_newer_protocol_and_with_the_older() {
    if !is_installed("git") || !is_installed("sshd") {
        return;
    }
    for spoken in [Spoken::New, Spoken::Old] {
        let workshop = workshop();
        let sshd = Sshd::of(&workshop, spoken).await.unwrap();
        let credentials = Credentials {
            identity: Some(SecretValue::new(sshd.identity().unwrap())),
            known_hosts: Some(sshd.known_hosts().unwrap()),
            ..Credentials::default()
        };
        let request = request(&sshd.url(), credentials);
        follow(&workshop, request, &format!("{spoken:?}\n{}", sshd.log())).await;
    }
}

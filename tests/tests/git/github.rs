//! The GitHub client against the fake one: each believes the other only what the documentation says.

#![expect(clippy::unwrap_used, reason = "in a test a failure is the message")]

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use mirage_github::{
    Access, AppId, Class, Clock, CommitState, Connections, Credential, DeploymentState, Forge,
    GitHub as _, Login, NewCommitStatus, NewDeployment, NewDeploymentStatus, Permission,
    PullRequestNumber, PullRequestState, Reaction, RepositoryName,
};
use mirage_tests::{
    github::{BOT, FakeGitHub, Fault, Harm, Opening, ROOT, TOKEN},
    world::clock_of,
};

const SHOP: &str = "acme/shop";

fn github() -> (FakeGitHub, Arc<dyn Forge>) {
    let clock: Clock = clock_of(Timestamp::from_second(1_800_000_000).unwrap());
    let github = FakeGitHub::new(Arc::clone(&clock));
    github.create_repository(SHOP);
    let connections = Connections::new(github.transport(), clock);
    let forge = connections.open(&github.access()).unwrap();
    (github, forge)
}

fn shop() -> RepositoryName {
    SHOP.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn everything_that_previews_ask_for_is_understood_by_both() {
    let (github, forge) = github();
    let shop = shop();
    let opening = Opening::of("feature/ä +1")
        .labelled("preview")
        .touching(&["web/a", "api/b"]);
    let number = PullRequestNumber::new(github.open(SHOP, opening));
    github.permit(SHOP, "ann", "maintain");

    assert_eq!(forge.identity().await.unwrap().login(), Login::new(BOT));
    assert_eq!(
        forge.repository(&shop).await.unwrap().default_branch,
        "main"
    );
    assert!(!forge.branch(&shop, "main").await.unwrap().protected);
    assert_eq!(
        forge.branch(&shop, "no/such").await.unwrap_err().class(),
        Class::NotFound
    );
    let open = forge.open_pull_requests(&shop).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].head.branch, "feature/ä +1");
    assert!(!open[0].is_from_fork_of(&shop));
    let files = forge.changed_files(&shop, number).await.unwrap();
    assert_eq!(files.paths().collect::<Vec<_>>(), ["web/a", "api/b"]);
    assert!(files.complete);

    let comment = forge.create_comment(&shop, number, "hello").await.unwrap();
    assert_eq!(comment.number, number);
    forge
        .update_comment(&shop, comment.id, "bye")
        .await
        .unwrap();
    assert_eq!(forge.comment(&shop, comment.id).await.unwrap().body, "bye");
    assert_eq!(forge.comments(&shop, number).await.unwrap().len(), 1);
    for _ in 0..2 {
        forge
            .react(&shop, comment.id, Reaction::Eyes)
            .await
            .unwrap();
    }
    assert_eq!(
        forge.own_reactions(&shop, comment.id).await.unwrap(),
        [Reaction::Eyes]
    );

    let who = |login| forge.permission(&shop, login);
    let (ann, eve) = (Login::new("Ann"), Login::new("eve"));
    assert_eq!(who(&ann).await.unwrap(), Permission::Maintain);
    assert_eq!(who(&eve).await.unwrap(), Permission::None);

    let sha = open[0].head.sha.clone();
    let new = NewDeployment {
        sha: sha.clone(),
        environment: "pr 1/ä".to_owned(),
        task: "mirage:preview".to_owned(),
        description: "long ".repeat(100),
        transient: true,
        production: false,
    };
    let made = forge.create_deployment(&shop, &new).await.unwrap();
    let listed = forge.deployments(&shop, "pr 1/ä").await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&made));
    for state in [DeploymentState::InProgress, DeploymentState::Success] {
        let status = NewDeploymentStatus {
            state,
            description: "é".repeat(200),
            environment_url: Some("https://pr-1.test".to_owned()),
            log_url: None,
        };
        forge
            .create_deployment_status(&shop, made.id, &status)
            .await
            .unwrap();
    }
    let said = forge.deployment_statuses(&shop, made.id).await.unwrap();
    assert_eq!(said[0].state, DeploymentState::Success);
    assert_eq!(
        said[0].environment_url.as_deref(),
        Some("https://pr-1.test")
    );

    for state in [CommitState::Pending, CommitState::Success] {
        let status = NewCommitStatus {
            context: "mirage/preview".to_owned(),
            state,
            description: "ready".to_owned(),
            target_url: None,
        };
        forge
            .create_commit_status(&shop, &sha, &status)
            .await
            .unwrap();
    }
    let statuses = forge.commit_statuses(&shop, &sha).await.unwrap();
    assert_eq!(statuses.len(), 1);
    assert_eq!(statuses[0].state, CommitState::Success);

    github.merge(SHOP, number.get());
    assert!(forge.open_pull_requests(&shop).await.unwrap().is_empty());
    let merged = forge.pull_request(&shop, number).await.unwrap();
    assert_eq!(merged.state, PullRequestState::Merged);
    assert_eq!(github.violations(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_quiet_hour_costs_nothing_of_the_limit() {
    let (github, forge) = github();
    for index in 0..120 {
        github.open(SHOP, Opening::of(&format!("b{index}")));
    }
    let first = forge.open_pull_requests(&shop()).await.unwrap();
    assert_eq!(first.len(), 120);
    let remaining = forge.traffic().rate_limit.unwrap().remaining;
    for _ in 0..30 {
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(forge.open_pull_requests(&shop()).await.unwrap(), first);
    }
    let traffic = forge.traffic();
    assert_eq!(traffic.rate_limit.unwrap().remaining, remaining);
    assert_eq!(traffic.requests - traffic.not_modified, 2, "{traffic:?}");
    github.push(SHOP, 7);
    assert_ne!(forge.open_pull_requests(&shop()).await.unwrap(), first);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_told_apart_from_one_that_never_was_asked_for() {
    let (github, forge) = github();
    let number = PullRequestNumber::new(github.open(SHOP, Opening::of("b")));
    for (harm, class, comments) in [
        (Harm::NotSent, Class::Transient, 0),
        (Harm::ServerError(502), Class::Ambiguous, 0),
        (
            Harm::SecondaryLimit {
                retry_after: Some(5),
            },
            Class::RateLimited,
            0,
        ),
        (Harm::LoseAnswer, Class::Ambiguous, 1),
        (Harm::ServerErrorAfterEffect(504), Class::Ambiguous, 2),
    ] {
        github.inject(Fault::once("POST", harm));
        let error = forge
            .create_comment(&shop(), number, "hi")
            .await
            .unwrap_err();
        assert_eq!(error.class(), class, "{error}");
        assert_eq!(github.comment_records(SHOP).len(), comments, "{error}");
        tokio::time::sleep(Duration::from_secs(6)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_spent_hour_is_waited_out_without_asking() {
    let (github, forge) = github();
    let number = PullRequestNumber::new(github.open(SHOP, Opening::of("b")));
    github.limit(3);
    let mut refused = None;
    for index in 0..10 {
        let body = format!("{index}");
        if let Err(error) = forge.create_comment(&shop(), number, &body).await {
            refused = Some(error);
        }
    }
    let wait = refused.unwrap().wait().unwrap();
    assert!(wait > Duration::from_secs(3_500), "{wait:?}");
    assert_eq!(
        github.asked().len(),
        4,
        "three that counted and the one that was refused"
    );
    tokio::time::sleep(wait).await;
    forge
        .create_comment(&shop(), number, "again")
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_is_said_to_be_one() {
    let (github, forge) = github();
    forge.open_pull_requests(&shop()).await.unwrap();
    github.revoke(TOKEN);
    let error = forge.open_pull_requests(&shop()).await.unwrap_err();
    assert_eq!(error.class(), Class::Unauthorized, "{error}");
    assert!(!error.to_string().contains(TOKEN));
}

#[tokio::test(start_paused = true)]
async fn an_app_reads_and_writes_under_its_own_name() {
    let clock: Clock = clock_of(Timestamp::from_second(1_800_000_000).unwrap());
    let github = FakeGitHub::new(Arc::clone(&clock));
    github.create_repository(SHOP);
    github.install_app(77, "mirage-app");
    let number = PullRequestNumber::new(github.open(SHOP, Opening::of("b")));
    let access = Access {
        api_url: ROOT.parse().unwrap(),
        credential: Credential::App {
            id: AppId::new(77),
            private_key: include_str!("../../../github/tests/fixtures/app-key-pkcs1.pem").into(),
            installation: None,
        },
    };
    let forge = Connections::new(github.transport(), clock)
        .open(&access)
        .unwrap();
    let us = forge.identity().await.unwrap().login();
    for _ in 0..3 {
        let comment = forge.create_comment(&shop(), number, "hi").await.unwrap();
        assert_eq!(comment.author.login, us);
        assert!(comment.author.is_bot());
        tokio::time::sleep(Duration::from_secs(3_000)).await;
    }
    assert_eq!(github.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn the_client_speaks_over_a_socket_too() {
    let clock: Clock = Arc::new(Timestamp::now);
    let github = FakeGitHub::new(Arc::clone(&clock));
    github.create_repository(SHOP);
    for index in 0..101 {
        github.open(SHOP, Opening::of(&format!("b{index}")));
    }
    let (address, served) = github.listen().await.unwrap();
    let server = tokio::spawn(served);
    let transport = Arc::new(mirage_github::transport::HttpTransport::new().unwrap());
    let access = Access {
        api_url: format!("http://{address}").parse().unwrap(),
        ..github.access()
    };
    let forge = Connections::new(transport, clock).open(&access).unwrap();
    assert_eq!(forge.open_pull_requests(&shop()).await.unwrap().len(), 101);
    forge
        .create_comment(&shop(), PullRequestNumber::new(1), "hi")
        .await
        .unwrap();
    assert_eq!(github.violations(), Vec::<String>::new());
    server.abort();
}

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};

use crate::{
    credential::{Access, Credential, GITHUB_API},
    error::{Class, Error},
    forge::{Forge, GitHub},
    id::{AppId, Login, PullRequestNumber, RepositoryName},
    identity::{Identity, Permission},
    pull_request::PullRequestState,
    scripted::{Canned, Scripted, TOKEN, clock},
};

fn shop() -> RepositoryName {
    "acme/shop".parse().unwrap()
}

fn pull_request(number: u64) -> Value {
    json!({
        "number": number,
        "title": "A change",
        "state": "open",
        "draft": false,
        "head": { "ref": "change", "sha": "a".repeat(40), "repo": { "full_name": "Acme/Shop" } },
        "base": { "ref": "main", "sha": "b".repeat(40), "repo": { "full_name": "Acme/Shop" } },
        "user": { "login": "ann", "type": "User" },
        "author_association": "MEMBER",
        "labels": [{ "name": "preview", "color": "fff" }],
        "created_at": "2026-11-01T00:00:00Z",
        "updated_at": "2026-11-02T00:00:00Z",
        "merged_at": null,
        "html_url": format!("https://github.test/acme/shop/pull/{number}"),
        "something": "we do not read",
    })
}

fn page(numbers: std::ops::Range<u64>) -> Canned {
    let list: Vec<Value> = numbers.map(pull_request).collect();
    Canned::json(200, &Value::Array(list))
}

fn next(canned: Canned, page: u32) -> Canned {
    canned.with(
        "link",
        format!("<{GITHUB_API}/repositories/1/pulls?page={page}>; rel=\"next\""),
    )
}

fn refusal(status: u16, message: &str) -> Canned {
    Canned::json(
        status,
        &json!({ "message": message, "documentation_url": "x" }),
    )
}

#[tokio::test(start_paused = true)]
async fn a_second_look_is_conditional_and_answered_from_memory() {
    let github = Scripted::new([
        page(1..3).with("etag", "W/\"one\""),
        Canned::Http(304, vec![], String::new()),
    ]);
    let client = github.client();
    let first = client.open_pull_requests(&shop()).await.unwrap();
    let second = client.open_pull_requests(&shop()).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(first.len(), 2);
    assert_eq!(first[0].state, PullRequestState::Open);
    assert_eq!(first[0].labels, ["preview"]);
    assert!(!first[0].is_from_fork_of(&shop()));
    assert_eq!(github.header(0, "if-none-match"), None);
    assert_eq!(github.header(1, "if-none-match").unwrap(), "W/\"one\"");
    let traffic = client.traffic();
    assert_eq!(
        (traffic.requests, traffic.conditional, traffic.not_modified),
        (2, 1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn every_request_says_who_asks_and_for_which_version() {
    let github = Scripted::new([page(1..2)]);
    github.client().open_pull_requests(&shop()).await.unwrap();
    for (name, value) in [
        ("accept", "application/vnd.github+json"),
        ("x-github-api-version", "2022-11-28"),
        ("user-agent", concat!("mirage/", env!("CARGO_PKG_VERSION"))),
        ("authorization", &format!("Bearer {TOKEN}")),
    ] {
        assert_eq!(github.header(0, name).as_deref(), Some(value));
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_is_read_to_its_last_page() {
    let first = || next(page(1..101), 2).with("etag", "\"1\"");
    let github = Scripted::new([
        first(),
        page(101..131),
        Canned::Http(304, vec![], String::new()),
    ]);
    let list = github.client().open_pull_requests(&shop()).await.unwrap();
    let numbers: Vec<u64> = list.iter().map(|pull| pull.number.get()).collect();
    assert_eq!(numbers, (1..131).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn one_that_leaves_while_pages_are_read_hides_no_other() {
    // Number 5 is closed between the first page and the second, and 101 moves to the first.
    let moved: Vec<Value> = (1..102).filter(|n| *n != 5).map(pull_request).collect();
    let moved = Value::Array(moved);
    let github = Scripted::new([
        next(page(1..101), 2),
        page(102..103),
        next(Canned::json(200, &moved), 2),
        next(Canned::json(200, &moved), 2),
        page(102..103),
        next(Canned::json(200, &moved), 2),
    ]);
    let list = github.client().open_pull_requests(&shop()).await.unwrap();
    assert!(list.iter().any(|pull| pull.number.get() == 101));
    assert_eq!(list.len(), 101);
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_page_is_no_shorter_list() {
    let broken = |patch: Value| {
        let mut pull_request = pull_request(1);
        for (name, value) in patch.as_object().unwrap() {
            match value {
                Value::Null => pull_request.as_object_mut().unwrap().remove(name),
                value => pull_request
                    .as_object_mut()
                    .unwrap()
                    .insert(name.clone(), value.clone()),
            };
        }
        Canned::json(200, &json!([pull_request]))
    };
    for (answer, class) in [
        (broken(json!({ "head": null })), Class::Unreadable),
        (broken(json!({ "labels": null })), Class::Unreadable),
        (broken(json!({ "number": "one" })), Class::Unreadable),
        (
            Canned::Http(200, vec![], "<html>proxy</html>".to_owned()),
            Class::Unreadable,
        ),
        (
            Canned::json(200, &json!({ "message": "hm" })),
            Class::Unreadable,
        ),
        (Canned::Http(200, vec![], String::new()), Class::Unreadable),
        (
            page(1..2).with("link", "<https://evil.test/next>; rel=\"next\""),
            Class::Unreadable,
        ),
        (Canned::NoAnswer, Class::Transient),
        (refusal(502, "Server Error"), Class::Transient),
    ] {
        let github = Scripted::new([answer]);
        let error = github
            .client()
            .open_pull_requests(&shop())
            .await
            .unwrap_err();
        assert_eq!(error.class(), class, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_what_the_caller_may_do_about_it() {
    for (answer, read, write) in [
        (Canned::NotSent, Class::Transient, Class::Transient),
        (Canned::NoAnswer, Class::Transient, Class::Ambiguous),
        (
            refusal(401, "Bad credentials"),
            Class::Unauthorized,
            Class::Unauthorized,
        ),
        (
            refusal(403, "Resource not accessible"),
            Class::Forbidden,
            Class::Forbidden,
        ),
        (refusal(404, "Not Found"), Class::NotFound, Class::NotFound),
        (refusal(410, "Gone"), Class::NotFound, Class::NotFound),
        (
            refusal(422, "Validation Failed"),
            Class::Invalid,
            Class::Invalid,
        ),
        (refusal(409, "Conflict"), Class::Invalid, Class::Invalid),
        (refusal(500, ""), Class::Transient, Class::Ambiguous),
        (refusal(504, ""), Class::Transient, Class::Ambiguous),
        (
            refusal(429, "slow down"),
            Class::RateLimited,
            Class::RateLimited,
        ),
        (
            Canned::Http(200, vec![], "nonsense".to_owned()),
            Class::Unreadable,
            Class::Ambiguous,
        ),
    ] {
        let again = match &answer {
            Canned::Http(status, headers, body) => {
                Canned::Http(*status, headers.clone(), body.clone())
            }
            Canned::NotSent => Canned::NotSent,
            Canned::NoAnswer => Canned::NoAnswer,
        };
        let (shop, one) = (shop(), PullRequestNumber::new(1));
        let error = Scripted::new([answer])
            .client()
            .pull_request(&shop, one)
            .await
            .unwrap_err();
        assert_eq!(error.class(), read, "{error}");
        let error = Scripted::new([again])
            .client()
            .create_comment(&shop, one, "hi")
            .await
            .unwrap_err();
        assert_eq!(error.class(), write, "{error}");
        assert!(!format!("{error:?} {error}").contains(TOKEN));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_the_missing_right_and_the_faulty_field() {
    let github = Scripted::new([
        refusal(403, "Resource not accessible by personal access token")
            .with("x-accepted-github-permissions", "statuses=write"),
        refusal(403, "Must have admin rights"),
        Canned::json(
            422,
            &json!({
                "message": "Validation Failed",
                "errors": [{ "field": "body", "code": "missing_field" }, { "message": "too long" }],
            }),
        ),
    ]);
    let client = github.client();
    let one = PullRequestNumber::new(1);
    let mut said = Vec::new();
    for _ in 0..3 {
        said.push(
            client
                .create_comment(&shop(), one, "x")
                .await
                .unwrap_err()
                .to_string(),
        );
    }
    assert_eq!(
        said,
        [
            "GitHub, asked to comment on pull request 1 of acme/shop: Resource not accessible by personal access token; it needs statuses=write",
            "GitHub, asked to comment on pull request 1 of acme/shop: Must have admin rights; it needs Pull requests: write",
            "GitHub, asked to comment on pull request 1 of acme/shop: Validation Failed; body: missing_field; too long",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn once_refused_for_the_rate_nothing_leaves_until_it_is_allowed() {
    let github = Scripted::new([
        refusal(403, "You have exceeded a secondary rate limit").with("retry-after", "90"),
        page(1..2),
    ]);
    let client = github.client();
    for _ in 0..5 {
        let error = client.open_pull_requests(&shop()).await.unwrap_err();
        assert!(matches!(error, Error::RateLimited { .. }), "{error}");
        assert!(error.wait().unwrap() <= Duration::from_secs(90));
    }
    assert_eq!(github.asked().len(), 1);
    tokio::time::advance(Duration::from_secs(90)).await;
    client.open_pull_requests(&shop()).await.unwrap();
    assert_eq!(client.traffic().rate_limited, 1);
}

#[tokio::test(start_paused = true)]
async fn a_renamed_repository_is_followed_and_another_server_is_not() {
    let moved = |to: &str| refusal(301, "Moved Permanently").with("location", to);
    let github = Scripted::new([
        moved("https://api.github.com/repositories/1/pulls"),
        page(1..2),
        moved("https://evil.test/repositories/1/pulls"),
    ]);
    let client = github.client();
    assert_eq!(client.open_pull_requests(&shop()).await.unwrap().len(), 1);
    client.open_pull_requests(&shop()).await.unwrap_err();
    assert!(
        github
            .asked()
            .iter()
            .all(|asked| asked.contains("https://api.github.com/"))
    );
}

#[tokio::test(start_paused = true)]
async fn somebody_unknown_may_do_nothing() {
    let github = Scripted::new([refusal(404, "Not Found")]);
    let permission = github
        .client()
        .permission(&shop(), &Login::new("../admin"))
        .await;
    assert_eq!(permission.unwrap(), Permission::None);
    assert_eq!(
        github.asked(),
        ["GET https://api.github.com/repos/acme/shop/collaborators/..%2Fadmin/permission"]
    );
}

fn app_credential() -> Credential {
    Credential::App {
        id: AppId::new(77),
        private_key: SecretString::from(include_str!("../../tests/fixtures/app-key-pkcs1.pem")),
        installation: None,
    }
}

fn token(text: &str, expires_at: &str) -> Canned {
    Canned::json(201, &json!({ "token": text, "expires_at": expires_at }))
}

#[tokio::test(start_paused = true)]
async fn an_app_gets_one_token_for_many_and_renews_it_before_its_end() {
    let github = Scripted::new([
        Canned::json(200, &json!({ "id": 5 })),
        // The clock begins at 08:00.
        token("first", "2027-01-15T09:00:00Z"),
        page(1..2),
        page(1..2),
        page(1..2),
        Canned::json(200, &json!({ "id": 5 })),
        token("second", "2027-01-15T09:56:00Z"),
        page(1..2),
    ]);
    let client = github.client_with(app_credential());
    let shop = shop();
    let (a, b) = tokio::join!(
        client.open_pull_requests(&shop),
        client.open_pull_requests(&shop)
    );
    a.unwrap();
    b.unwrap();
    tokio::time::advance(Duration::from_secs(54 * 60)).await;
    client.open_pull_requests(&shop).await.unwrap();
    tokio::time::advance(Duration::from_secs(120)).await;
    client.open_pull_requests(&shop).await.unwrap();
    let shown: Vec<_> = (0..8)
        .filter_map(|index| github.header(index, "authorization"))
        .collect();
    let of = |token: &str| {
        shown
            .iter()
            .filter(|shown| **shown == format!("Bearer {token}"))
            .count()
    };
    assert_eq!((of("first"), of("second")), (3, 1));
    assert_eq!(
        github.asked()[..2],
        [
            "GET https://api.github.com/repos/acme/shop/installation",
            "POST https://api.github.com/app/installations/5/access_tokens",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_that_died_early_is_renewed_once() {
    let github = Scripted::new([
        Canned::json(200, &json!({ "id": 5 })),
        token("first", "2027-01-15T09:00:00Z"),
        refusal(401, "Bad credentials"),
        Canned::json(200, &json!({ "id": 5 })),
        token("second", "2027-01-15T09:00:00Z"),
        refusal(401, "Bad credentials"),
    ]);
    let client = github.client_with(app_credential());
    let error = client.open_pull_requests(&shop()).await.unwrap_err();
    assert_eq!(error.class(), Class::Unauthorized);
    assert_eq!(github.asked().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn an_app_writes_under_its_slug() {
    let github = Scripted::new([Canned::json(200, &json!({ "slug": "mirage-previews" }))]);
    let client = github.client_with(app_credential());
    let identity = client.identity().await.unwrap();
    assert_eq!(identity, client.identity().await.unwrap());
    assert!(matches!(identity, Identity::App { .. }));
    assert_eq!(identity.login(), Login::new("mirage-previews[bot]"));
}

#[tokio::test(start_paused = true)]
async fn the_same_access_opens_the_same_forge() {
    let github = Scripted::new([
        page(1..2).with("etag", "\"a\""),
        Canned::Http(304, vec![], String::new()),
    ]);
    let connections = crate::Connections::new(github.clone(), clock());
    let access = |token: &str| Access {
        api_url: GITHUB_API.parse().unwrap(),
        credential: Credential::Token(token.into()),
    };
    let other = connections.open(&access("other")).unwrap();
    for _ in 0..2 {
        let forge = connections.open(&access("one")).unwrap();
        forge.open_pull_requests(&shop()).await.unwrap();
    }
    assert_eq!(github.header(1, "if-none-match").as_deref(), Some("\"a\""));
    assert_eq!(other.traffic().requests, 0);
    assert!(!format!("{:?}", access("canary")).contains("canary"));
}

#[tokio::test(start_paused = true)]
async fn files_are_listed_and_read_by_whoever_shows_no_credential() {
    let github = Scripted::new([
        Canned::json(
            200,
            &json!({"sha": "a", "truncated": false, "tree": [
                {"path": "apps", "type": "tree"},
                {"path": "apps/web/Dockerfile", "type": "blob"},
                {"path": "vendored", "type": "commit"},
            ]}),
        ),
        Canned::json(
            200,
            &json!({"encoding": "base64", "content": "RlJPTSBub2Rl\nOjI0Cg==\n"}),
        ),
        Canned::json(200, &json!({"encoding": "none", "content": ""})),
        refusal(404, "Not Found"),
    ]);
    let client = github.client_with(Credential::Nobody);
    let tree = client.tree(&shop(), "feature/one").await.unwrap();
    assert_eq!(tree.files, ["apps/web/Dockerfile"]);
    assert!(tree.is_whole);
    let text = client
        .text(&shop(), "apps/web/Docker file", "main")
        .await
        .unwrap();
    assert_eq!(text, "FROM node:24\n");
    let error = client.text(&shop(), "huge", "main").await.unwrap_err();
    assert_eq!(error.class(), Class::Unreadable);
    let error = client.tree(&shop(), "main").await.unwrap_err();
    assert_eq!(error.class(), Class::NotFound);
    assert_eq!(
        github.asked()[..2],
        [
            format!("GET {GITHUB_API}/repos/acme/shop/git/trees/feature%2Fone?recursive=1"),
            format!("GET {GITHUB_API}/repos/acme/shop/contents/apps/web/Docker%20file?ref=main"),
        ]
    );
    assert_eq!(github.header(0, "authorization"), None);
}

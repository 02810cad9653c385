//! What GitHub, or a careful reader of its documentation, expects of every request.

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use serde_json::Value;

/// Fields that a body may and must have, by the last constant parts of its path.
const BODIES: [(&str, &str, &[&str], &[&str]); 8] = [
    ("POST", "/issues/#/comments", &["body"], &["body"]),
    ("PATCH", "/issues/comments/#", &["body"], &["body"]),
    (
        "POST",
        "/issues/comments/#/reactions",
        &["content"],
        &["content"],
    ),
    (
        "POST",
        "/deployments",
        &["ref"],
        &[
            "ref",
            "task",
            "auto_merge",
            "required_contexts",
            "payload",
            "environment",
            "description",
            "transient_environment",
            "production_environment",
        ],
    ),
    (
        "POST",
        "/deployments/#/statuses",
        &["state"],
        &[
            "state",
            "target_url",
            "log_url",
            "description",
            "environment",
            "environment_url",
            "auto_inactive",
        ],
    ),
    (
        "POST",
        "/statuses/#",
        &["state"],
        &["state", "target_url", "description", "context"],
    ),
    (
        "POST",
        "/app/installations/#/access_tokens",
        &[],
        &["repositories", "repository_ids", "permissions"],
    ),
    ("PUT", "/pulls/#/update-branch", &[], &["expected_head_sha"]),
];

/// What is wrong with a request.
pub(super) fn request(request: &Request<Bytes>) -> Vec<String> {
    let mut wrong = Vec::new();
    let headers = request.headers();
    expect(&mut wrong, headers, "accept", "application/vnd.github+json");
    expect(&mut wrong, headers, "x-github-api-version", "2022-11-28");
    // Files of public repositories are everybody's.
    let path = request.uri().path();
    let is_open = request.method() == Method::GET
        && (path.contains("/git/trees/") || path.contains("/contents/"));
    let needed: &[&str] = match is_open {
        true => &["user-agent"],
        false => &["user-agent", "authorization"],
    };
    for name in needed.iter().copied() {
        if headers.get(name).is_none_or(|value| value.is_empty()) {
            wrong.push(format!("it has no {name}"));
        }
    }
    if request.method() == Method::GET {
        if !request.body().is_empty() {
            wrong.push("a GET has a body".to_owned());
        }
    } else {
        expect(&mut wrong, headers, "content-type", "application/json");
        body(&mut wrong, request);
    }
    wrong
}

fn expect(wrong: &mut Vec<String>, headers: &HeaderMap, name: &str, value: &str) {
    let all: Vec<_> = headers.get_all(name).iter().collect();
    if all != [value] {
        wrong.push(format!("{name} is {all:?} and not {value:?}"));
    }
}

fn body(wrong: &mut Vec<String>, request: &Request<Bytes>) {
    let Ok(Value::Object(body)) = serde_json::from_slice(request.body()) else {
        return wrong.push("the body is no JSON object".to_owned());
    };
    let method = request.method().as_str();
    let path = generic(request.uri().path());
    let known = BODIES
        .iter()
        .find(|(of, ending, ..)| *of == method && path.ends_with(ending));
    let Some((_, _, must, may)) = known else {
        return wrong.push("nothing is known that takes such a body".to_owned());
    };
    for field in *must {
        if !body.contains_key(*field) {
            wrong.push(format!("the body lacks {field}"));
        }
    }
    for (field, value) in &body {
        if !may.contains(&field.as_str()) {
            wrong.push(format!(
                "the body has {field}, which GitHub does not know there"
            ));
        }
        if value.is_null() {
            wrong.push(format!("the body says null for {field}"));
        }
    }
    let described = body.get("description").and_then(Value::as_str);
    if described.is_some_and(|text| text.chars().count() > 140) {
        wrong.push("the description is longer than 140 characters".to_owned());
    }
}

/// The path with `#` for numbers and commits.
fn generic(path: &str) -> String {
    path.split('/')
        .map(|part| {
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            let is_commit = part.len() == 40 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
            if is_number || is_commit { "#" } else { part }
        })
        .collect::<Vec<_>>()
        .join("/")
}

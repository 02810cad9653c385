//! Whatever comes in, the answer is an object or a Status, and never a 500: good requests with something wrong about them,
//! and the extremes by name.

mod extremes;
mod good;
mod wrong;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::Request;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::world::World;

/// A request as bytes, so that it can be wrong in every part.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    accept: Vec<u8>,
    content_type: Vec<u8>,
    body: Vec<u8>,
}

impl Asked {
    fn new(method: &str, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            query: Vec::new(),
            accept: b"application/json".to_vec(),
            content_type: content_type.into(),
            body: body.into(),
        }
    }

    fn get(path: &str) -> Self {
        Self::new("GET", path, "", "")
    }

    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    fn uri(&self) -> String {
        let query: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        format!("{}?{}", self.path, query.join("&"))
    }

    /// What no HTTP library would hand to the server is none.
    fn build(&self) -> Option<Request<Body>> {
        let mut request = Request::builder()
            .method(self.method.as_bytes())
            .uri(self.uri());
        for (name, value) in [
            ("accept", &self.accept),
            ("content-type", &self.content_type),
        ] {
            if !value.is_empty() {
                request = request.header(name, value.as_slice());
            }
        }
        request
            .body(Body::from(Bytes::from(self.body.clone())))
            .ok()
    }
}

/// Percent-encoded, except for what is encoded already and what may stand as it is.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'%' | b'-' | b'.' | b'_' | b'~' | b',' | b'!' | b'(' | b')' => {
                (byte as char).to_string()
            }
            _ if byte.is_ascii_alphanumeric() => (byte as char).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// What came back.
struct Answer {
    code: u16,
    is_json: bool,
    body: Bytes,
}

async fn ask(router: &Router, asked: &Asked) -> Option<Answer> {
    let response = router.clone().oneshot(asked.build()?).await.unwrap();
    let code = response.status().as_u16();
    let content_type = response.headers().get("content-type");
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let is_json = content_type.is_some_and(|kind| kind.starts_with("application/json"));
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    Some(Answer {
        code,
        is_json,
        body,
    })
}

/// What is wrong with the answer.
fn complaint(asked: &Asked, answer: &Answer) -> Option<String> {
    let shown = |text: String| text.chars().take(2000).collect::<String>();
    // A HEAD has an answer's headers and never its body.
    let judged = if asked.method == "HEAD" && answer.body.is_empty() {
        (answer.code >= 500 && answer.code != 504).then_some("the server failed")
    } else {
        wrong(answer)
    };
    judged.map(|why| {
        format!(
            "{why}\n{} {}\naccept: {}\ncontent-type: {}\n{}\nwas answered with {}: {}",
            asked.method,
            shown(asked.uri()),
            asked.accept.escape_ascii(),
            asked.content_type.escape_ascii(),
            shown(asked.body.escape_ascii().to_string()),
            answer.code,
            shown(String::from_utf8_lossy(&answer.body).into_owned()),
        )
    })
}

/// What no answer may be.
fn wrong(answer: &Answer) -> Option<&'static str> {
    let (code, body) = (answer.code, &answer.body[..]);
    // 504 is how Kubernetes says that a version lies in the future.
    if code >= 500 && code != 504 {
        return Some("the server failed");
    }
    if !answer.is_json && code < 400 {
        // YAML, or nothing, as was asked for.
        return None;
    }
    let answer: Value = match serde_json::from_slice(body) {
        Ok(answer) => answer,
        Err(_) if code < 400 => {
            // A watch: an event a line.
            let is_event = |line: &[u8]| {
                let event: Value = serde_json::from_slice(line).unwrap_or_default();
                event["type"].is_string() && event["object"].is_object()
            };
            let lines = body
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty());
            return (!lines.into_iter().all(is_event)).then_some("that is no stream of events");
        }
        Err(_) => return Some("a refusal is a Status"),
    };
    let is_watch = answer["type"].is_string();
    if code >= 400 && (answer["kind"] != "Status" || answer["code"] != code) {
        Some("a refusal is a Status with its own code")
    } else if !is_watch && !answer["kind"].is_string() && !answer["paths"].is_array() {
        Some("an answer says what it is")
    } else {
        None
    }
}

/// A world in which good requests would find what they ask for, on a clock that jumps.
async fn populated() -> World {
    let world = World::new().await;
    for (collection, manifest) in good::present() {
        let (code, answer) = world.ask("POST", collection, manifest).await;
        assert!(code < 300, "{collection}: {answer}");
    }
    world
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // A watch ends when its time is up, at once.
        .start_paused(true)
        .build()
        .unwrap()
}

#[test]
fn nothing_that_is_sent_makes_the_server_fail() {
    let runtime = paused();
    let world = runtime.block_on(populated());
    let router = world.api.trusted_router("tester");
    let cases = std::env::var("PROPTEST_CASES").map_or(2000, |cases| cases.parse().unwrap());
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&wrong::asked(), |asked| {
        let answer = runtime.block_on(ask(&router, &asked));
        match answer.and_then(|answer| complaint(&asked, &answer)) {
            None => Ok(()),
            Some(complaint) => Err(TestCaseError::fail(complaint)),
        }
    });
    result.unwrap();
}

#[test]
fn the_requests_that_are_made_wrong_were_right() {
    let runtime = paused();
    for asked in good::good() {
        let world = runtime.block_on(populated());
        let router = world.api.trusted_router("tester");
        let Answer { code, body, .. } = runtime.block_on(ask(&router, &asked)).unwrap();
        assert!(
            code < 300,
            "{} {}: {code} {}",
            asked.method,
            asked.uri(),
            String::from_utf8_lossy(&body)
        );
    }
}

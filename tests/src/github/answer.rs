//! What is asked, found by its path, and the answer.

mod conversation;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http::{Request, header};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use url::form_urlencoded;

use self::conversation::of_conversation;
use super::{
    message,
    state::{DeploymentRecord, Repository, State, StatusRecord},
};

/// An answer before it is counted.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) link: Option<String>,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Answer {
    fn ok(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            link: None,
            headers: Vec::new(),
        }
    }

    pub(super) fn error(status: u16, text: &str) -> Self {
        Self::ok(status, message(text))
    }

    fn not_found() -> Self {
        Self::error(404, "Not Found")
    }
}

/// Most statuses of one context on one commit.
const MOST_STATUSES: usize = 1_000;
const DEPLOYMENT_STATES: [&str; 7] = [
    "error",
    "failure",
    "inactive",
    "in_progress",
    "queued",
    "pending",
    "success",
];
const COMMIT_STATES: [&str; 4] = ["error", "failure", "pending", "success"];

/// A request, taken apart.
struct Question<'a> {
    now: Timestamp,
    login: String,
    method: &'a str,
    query: Vec<(String, String)>,
    path: String,
    body: Value,
}

impl Question<'_> {
    fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }
}

/// Answers a request, with its effect.
pub(super) fn answer(state: &mut State, now: Timestamp, request: &Request<Bytes>) -> Answer {
    let uri = request.uri();
    let parts: Vec<String> = uri
        .path()
        .trim_start_matches('/')
        .split('/')
        .map(decoded)
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|bearer| bearer.to_str().ok()?.strip_prefix("Bearer "))
        .unwrap_or_default();
    if let Some(answer) = of_app(state, now, token, request.method().as_str(), &parts) {
        return answer;
    }
    let has_ended = state.token_ends.get(token).is_some_and(|end| *end <= now);
    let is_nobody = !request.headers().contains_key(header::AUTHORIZATION);
    let known = state.tokens.get(token).filter(|_| !has_ended).cloned();
    let Some(login) = known.or(is_nobody.then(|| super::NOBODY.to_owned())) else {
        return Answer::error(401, "Bad credentials");
    };
    let question = Question {
        now,
        login,
        method: request.method().as_str(),
        query: form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect(),
        path: uri.path().to_owned(),
        body: serde_json::from_slice(request.body()).unwrap_or_default(),
    };
    match parts.as_slice() {
        ["user"] => Answer::ok(200, state.user(&question.login)),
        ["repos", owner, name, rest @ ..] => {
            let name = format!("{owner}/{name}");
            let key = name.to_ascii_lowercase();
            let Some(mut repository) = state.repositories.remove(&key) else {
                return Answer::not_found();
            };
            let answer = if repository.permissions.contains_key(&question.login) {
                of_repository(state, &name, &mut repository, &question, rest)
            } else {
                Answer::not_found()
            };
            state.repositories.insert(key, repository);
            answer
        }
        _ => Answer::not_found(),
    }
}

/// What an app asks for itself, by its assertion.
fn of_app(
    state: &mut State,
    now: Timestamp,
    token: &str,
    method: &str,
    parts: &[&str],
) -> Option<Answer> {
    let is_for_apps = matches!(parts, ["app", ..] | ["repos", _, _, "installation"]);
    if !is_for_apps {
        return None;
    }
    let claims = token
        .split('.')
        .nth(1)
        .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
        .and_then(|json| serde_json::from_slice::<Value>(&json).ok())
        .unwrap_or_default();
    let app = state
        .app
        .clone()
        .filter(|app| claims["iss"] == app.id.to_string().as_str());
    let (issued, ends) = (claims["iat"].as_i64()?, claims["exp"].as_i64()?);
    let is_valid = issued <= now.as_second() && now.as_second() < ends && ends - issued <= 660;
    let Some(app) = app.filter(|_| is_valid) else {
        return Some(Answer::error(401, "A JSON web token could not be decoded"));
    };
    Some(match (method, parts) {
        ("GET", ["app"]) => Answer::ok(200, json!({ "id": app.id, "slug": app.slug })),
        ("GET", ["repos", ..]) => Answer::ok(200, json!({ "id": app.installation })),
        ("POST", ["app", "installations", id, "access_tokens"])
            if *id == app.installation.to_string() =>
        {
            let token = format!("ghs_{}", state.next_id());
            let ends = now.checked_add(1.hour()).unwrap_or(now);
            state
                .tokens
                .insert(token.clone(), format!("{}[bot]", app.slug));
            state.token_ends.insert(token.clone(), ends);
            Answer::ok(
                201,
                json!({ "token": token, "expires_at": ends, "permissions": {} }),
            )
        }
        _ => Answer::not_found(),
    })
}

fn of_repository(
    state: &mut State,
    name: &str,
    at: &mut Repository,
    question: &Question<'_>,
    rest: &[&str],
) -> Answer {
    let permission = at.permissions[&question.login].as_str();
    let may_write = matches!(permission, "write" | "maintain" | "admin");
    if question.method != "GET" && !may_write {
        let mut refused = Answer::error(403, "Resource not accessible by personal access token");
        refused.headers.push((
            "x-accepted-github-permissions",
            "pull_requests=write".to_owned(),
        ));
        return refused;
    }
    match (question.method, rest) {
        ("GET", []) => Answer::ok(
            200,
            json!({
                "id": 1,
                "full_name": name,
                "default_branch": "main",
                "private": true,
                "archived": false,
                "permissions": {
                    "admin": permission == "admin", "push": may_write, "pull": true,
                },
            }),
        ),
        ("GET", ["branches", branch]) => match at.branches.get(*branch) {
            Some(sha) => Answer::ok(
                200,
                json!({ "name": branch, "commit": { "sha": sha }, "protected": false }),
            ),
            None => Answer::error(404, "Branch not found"),
        },
        ("GET", ["git", "trees", reference]) if at.branches.contains_key(*reference) => {
            let files = at.files.keys();
            let tree: Vec<Value> = files
                .map(|path| json!({ "path": path, "type": "blob", "mode": "100644" }))
                .collect();
            Answer::ok(
                200,
                json!({ "sha": at.branches[*reference], "tree": tree, "truncated": false }),
            )
        }
        ("GET", ["contents", path @ ..]) => match at.files.get(&path.join("/")) {
            Some(text) => Answer::ok(
                200,
                json!({ "type": "file", "encoding": "base64", "content": STANDARD.encode(text) }),
            ),
            None => Answer::not_found(),
        },
        ("GET", ["pulls"]) => {
            let shown_at = question
                .now
                .checked_sub(state.lag_seconds.seconds())
                .unwrap_or(question.now);
            let pulls = match question.query("state") {
                None | Some("open") => at.open_pulls_at(shown_at),
                Some(_) => at.pulls.values().cloned().collect(),
            };
            let mut list: Vec<Value> = pulls.iter().map(|pull| state.pull(name, pull)).collect();
            if question.query("direction") != Some("asc") {
                list.reverse();
            }
            paged(state, question, list)
        }
        ("GET", ["pulls", number]) => match pull_of(at, number) {
            Some(pull) => Answer::ok(200, state.pull(name, &at.pulls[&pull])),
            None => Answer::not_found(),
        },
        ("GET", ["pulls", number, "files"]) => match pull_of(at, number) {
            Some(pull) => {
                let files = at.pulls[&pull].files.iter();
                let list = files
                    .take(3_000)
                    .map(|file| json!({ "filename": file, "status": "modified" }))
                    .collect();
                paged(state, question, list)
            }
            None => Answer::not_found(),
        },
        (_, ["issues", rest @ ..]) => of_conversation(state, name, at, question, rest),
        ("GET", ["collaborators", login, "permission"]) => {
            let found = at
                .permissions
                .iter()
                .find(|(other, _)| other.eq_ignore_ascii_case(login));
            let role = found.map_or("none", |(_, role)| role.as_str());
            let coarse = match role {
                "maintain" => "write",
                "triage" => "read",
                role => role,
            };
            Answer::ok(
                200,
                json!({ "permission": coarse, "role_name": role, "user": state.user(login) }),
            )
        }
        (_, ["deployments", rest @ ..]) => of_deployments(state, at, question, rest),
        ("GET", ["commits", sha, "statuses"]) => {
            let list = at
                .statuses
                .iter()
                .rev()
                .filter(|status| status.sha == *sha)
                .map(|status| state.status(status))
                .collect();
            paged(state, question, list)
        }
        ("POST", ["statuses", sha]) => set_status(state, at, question, sha),
        _ => Answer::not_found(),
    }
}

fn of_deployments(
    state: &mut State,
    at: &mut Repository,
    question: &Question<'_>,
    rest: &[&str],
) -> Answer {
    let now = question.now;
    match (question.method, rest) {
        ("GET", []) => {
            let is_asked = |deployment: &&DeploymentRecord| {
                let fits = |name: &str, value: &str| {
                    question.query(name).is_none_or(|asked| asked == value)
                };
                fits("environment", &deployment.environment)
                    && fits("sha", &deployment.sha)
                    && fits("ref", &deployment.sha)
                    && fits("task", &deployment.task)
            };
            let list = at
                .deployments
                .values()
                .rev()
                .filter(is_asked)
                .map(|deployment| state.deployment(deployment))
                .collect();
            paged(state, question, list)
        }
        ("POST", []) => {
            let sha = question.text("ref");
            if !at.commits.contains(&sha) {
                return Answer::error(422, &format!("No ref found for: {sha}"));
            }
            if question.body["auto_merge"] != false
                || question.body["required_contexts"] != json!([])
            {
                state.violations.push(
                    "a deployment asks GitHub to merge the base, or waits for checks".to_owned(),
                );
            }
            let text = |name: &str, default: &str| {
                question.body[name].as_str().unwrap_or(default).to_owned()
            };
            let deployment = DeploymentRecord {
                id: state.next_id(),
                sha,
                environment: text("environment", "production"),
                task: text("task", "deploy"),
                creator: question.login.clone(),
                transient: question.body["transient_environment"] == true,
                production: question.body["production_environment"] == true,
                created_at: now,
                statuses: Vec::new(),
            };
            let shown = state.deployment(&deployment);
            at.deployments.insert(deployment.id, deployment);
            Answer::ok(201, shown)
        }
        ("GET", [id, "statuses"]) => match find(at, id) {
            Some(id) => {
                let list = at.deployments[&id]
                    .statuses
                    .iter()
                    .rev()
                    .map(|(state, description, url, created_at)| {
                        json!({
                            "id": 1, "state": state, "description": description,
                            "environment_url": url.as_deref().unwrap_or_default(),
                            "created_at": created_at,
                        })
                    })
                    .collect();
                paged(state, question, list)
            }
            None => Answer::not_found(),
        },
        ("POST", [id, "statuses"]) => {
            let (Some(id), said) = (find(at, id), question.text("state")) else {
                return Answer::not_found();
            };
            if !DEPLOYMENT_STATES.contains(&said.as_str()) {
                return Answer::error(422, "Validation Failed");
            }
            let url = question.body["environment_url"].as_str().map(str::to_owned);
            let status = (said.clone(), question.text("description"), url, now);
            let environment = at.deployments[&id].environment.clone();
            if let Some(deployment) = at.deployments.get_mut(&id) {
                deployment.statuses.push(status);
            }
            // Only of those that are neither transient nor production.
            if said == "success" && question.body["auto_inactive"] != false {
                for (other, deployment) in &mut at.deployments {
                    let is_replaced = *other < id
                        && deployment.environment == environment
                        && !deployment.transient
                        && !deployment.production;
                    if is_replaced {
                        let inactive = ("inactive".to_owned(), String::new(), None, now);
                        deployment.statuses.push(inactive);
                    }
                }
            }
            Answer::ok(201, json!({ "id": 1, "state": said }))
        }
        _ => Answer::not_found(),
    }
}

fn set_status(
    state: &mut State,
    at: &mut Repository,
    question: &Question<'_>,
    sha: &str,
) -> Answer {
    if !at.commits.contains(sha) {
        return Answer::error(422, &format!("No commit found for SHA: {sha}"));
    }
    let status = StatusRecord {
        sha: sha.to_owned(),
        context: question.body["context"]
            .as_str()
            .unwrap_or("default")
            .to_owned(),
        state: question.text("state"),
        description: question.text("description"),
        target_url: question.body["target_url"].as_str().map(str::to_owned),
        creator: question.login.clone(),
        created_at: question.now,
    };
    let same = at
        .statuses
        .iter()
        .filter(|other| other.sha == status.sha && other.context == status.context);
    if !COMMIT_STATES.contains(&status.state.as_str()) || same.count() >= MOST_STATUSES {
        return Answer::error(422, "Validation Failed");
    }
    let shown = state.status(&status);
    at.statuses.push(status);
    Answer::ok(201, shown)
}

fn pull_of(at: &Repository, number: &str) -> Option<u64> {
    number
        .parse()
        .ok()
        .filter(|number| at.pulls.contains_key(number))
}

fn find(at: &Repository, id: &str) -> Option<u64> {
    id.parse().ok().filter(|id| at.deployments.contains_key(id))
}

/// One page of a list, with the addresses of the others.
fn paged(state: &State, question: &Question<'_>, list: Vec<Value>) -> Answer {
    let number = |name: &str, default: usize| {
        question
            .query(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (size, page) = (
        number("per_page", 30).clamp(1, 100),
        number("page", 1).max(1),
    );
    let pages = list.len().div_ceil(size).max(1);
    let link_to = |page: usize, rel: &str| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &question.query {
            if name != "page" {
                query.append_pair(name, value);
            }
        }
        query.append_pair("page", &page.to_string());
        format!(
            "<{}{}?{}>; rel=\"{rel}\"",
            state.root,
            question.path,
            query.finish()
        )
    };
    let mut links = Vec::new();
    if page > 1 {
        links.push(link_to(page - 1, "prev"));
        links.push(link_to(1, "first"));
    }
    if page < pages {
        links.push(link_to(page + 1, "next"));
        links.push(link_to(pages, "last"));
    }
    let items: Vec<Value> = list
        .into_iter()
        .skip((page - 1) * size)
        .take(size)
        .collect();
    let mut answer = Answer::ok(200, Value::Array(items));
    answer.link = (!links.is_empty()).then(|| links.join(", "));
    answer
}

fn decoded(part: &str) -> String {
    // A plus in a path is a plus.
    let as_form = format!("x={}", part.replace('+', "%2B"));
    form_urlencoded::parse(as_form.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

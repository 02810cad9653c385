//! One GraphQL request, from headers to answer.
//!
//! In two strokes with the lock held, and waiting only in between: `admit` decides what will become of the call,
//! `perform` lets it have its effect. Held calls wait before or after the second.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use crate::control;
use crate::engine::{self, Context, Engine, Invalid, Prepared};
use crate::fault::{FaultId, FaultKind, Strike, When};
use crate::lifecycle::due;
use crate::limits::{Allowance, Plan};
use crate::quirk::Quirk;
use crate::record::{RequestRecord, masked};
use crate::refusal::Refusal;
use crate::simulator::{Simulator, State};
use crate::state::{Grant, Id, World};

/// No answer: the connection broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the simulated connection broke before an answer came")]
pub struct Lost;

type Answer = Result<Response<Bytes>, Lost>;

/// Who calls.
#[derive(Debug, Clone)]
struct Caller {
    grant: Grant,
    token: Id,
}

/// An effect that comes later than its call.
pub(crate) struct Replay {
    due: i64,
    body: Value,
    caller: Caller,
}

/// A call that may go on.
struct Call {
    body: Value,
    prepared: Prepared,
    caller: Caller,
    allowance: Allowance,
    strikes: Vec<Strike>,
}

impl Call {
    fn hold(&self, moment: When) -> Option<FaultId> {
        self.strikes.iter().find_map(|strike| match strike.kind {
            FaultKind::Hold { when } if when == moment => Some(strike.id),
            _ => None,
        })
    }
}

enum Admission {
    Settled(Answer),
    Go(Box<Call>),
}

/// What came of a call that had its effect.
struct Done {
    answer: Answer,
    delay_ms: i64,
}

impl Simulator {
    /// Answers one HTTP request: GraphQL, or the control endpoints below `/_simulator`.
    ///
    /// # Errors
    /// [`Lost`] when a fault breaks the connection.
    pub async fn handle(&self, request: http::Request<Bytes>) -> Result<Response<Bytes>, Lost> {
        let path = request.uri().path().to_owned();
        if path.starts_with("/_simulator") {
            return Ok(control::http::respond(self, &request).await);
        }
        if !matches!(path.as_str(), "/graphql/v2" | "/graphql/internal") {
            return Ok(plain(StatusCode::NOT_FOUND, "text/plain", "not found"));
        }
        if request.method() != http::Method::POST {
            return Ok(plain(
                StatusCode::METHOD_NOT_ALLOWED,
                "text/plain",
                "POST only",
            ));
        }
        self.graphql(request.headers(), request.body()).await
    }

    async fn graphql(&self, headers: &HeaderMap, body: &Bytes) -> Answer {
        let call = match self.admit(headers, body) {
            Admission::Settled(answer) => return answer,
            Admission::Go(call) => call,
        };
        if let Some(id) = call.hold(When::Before) {
            self.inner.holds.stand(id).await;
        }
        let after = call.hold(When::After);
        let done = self.perform(&call);
        if let Some(id) = after {
            self.inner.holds.stand(id).await;
        }
        if done.delay_ms > 0 {
            tokio::time::sleep(self.inner.clock.real(done.delay_ms)).await;
        }
        done.answer
    }

    fn admit(&self, headers: &HeaderMap, body: &Bytes) -> Admission {
        let mut guard = self.state();
        let state = &mut *guard;
        let settled = |answer: Response<Bytes>| Admission::Settled(Ok(answer));
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            let answer = json!({"errors": [{"message": Refusal::Problem.to_string()}]});
            self.note(state, None, &Value::Null, "malformed body");
            return settled(json_answer(StatusCode::BAD_REQUEST, &answer));
        };
        let engine = engine_of(&mut state.world);
        let prepared = match engine.prepare(&body) {
            Ok(prepared) => prepared,
            Err(invalid) => {
                self.note(state, None, &body["variables"], &outcome_of(&invalid));
                return settled(json_answer(StatusCode::BAD_REQUEST, &invalid.body()));
            }
        };
        let variables = body["variables"].clone();
        let Some(caller) = caller(&state.world, headers) else {
            let introspects = prepared
                .fields
                .iter()
                .all(|(_, name)| name.starts_with("__"));
            if !introspects {
                let refusal = if headers.contains_key("project-access-token") {
                    Refusal::ProjectTokenNotFound
                } else {
                    Refusal::NotAuthorized
                };
                self.note(state, Some(&prepared), &variables, &refusal.label());
                return settled(json_answer(StatusCode::OK, &refused(&refusal)));
            }
            let nobody = Caller {
                grant: Grant::Project {
                    project: String::new(),
                    environment: String::new(),
                },
                token: String::new(),
            };
            let allowance = Limits0::free();
            return Admission::Go(Box::new(Call {
                body,
                prepared,
                caller: nobody,
                allowance,
                strikes: Vec::new(),
            }));
        };
        let plan = plan_of(&state.world, &caller.grant);
        let owner = caller.grant.owner(&state.world);
        let enforced = state.world.rules.rate_limits;
        let now = state.world.now;
        let allowance = state.limits.take(&owner, plan, now, enforced);
        if let Some(wait_ms) = allowance.retry_after_ms {
            self.note(state, Some(&prepared), &variables, "rate limited");
            return settled(too_many(&state.world, &allowance, wait_ms));
        }
        let strikes = strikes(&mut state.world, &prepared, &body);
        if let Some(answer) =
            self.struck_before(state, &strikes, &prepared, &body, &caller, &allowance)
        {
            return Admission::Settled(answer);
        }
        Admission::Go(Box::new(Call {
            body,
            prepared,
            caller,
            allowance,
            strikes,
        }))
    }

    /// What a fault answers instead of an effect.
    fn struck_before(
        &self,
        state: &mut State,
        strikes: &[Strike],
        prepared: &Prepared,
        body: &Value,
        caller: &Caller,
        allowance: &Allowance,
    ) -> Option<Answer> {
        let variables = &body["variables"];
        let refusal = |refusal: Refusal| {
            (
                Ok(json_answer(StatusCode::OK, &refused(&refusal))),
                refusal.label(),
            )
        };
        for strike in strikes {
            let (answer, outcome) = match &strike.kind {
                FaultKind::RateLimited {
                    retry_after_seconds,
                } => {
                    let wait =
                        i64::try_from(*retry_after_seconds).unwrap_or(i64::MAX / 1000) * 1000;
                    let spent = Allowance {
                        remaining: 0,
                        resets_at: state.world.now + wait,
                        ..*allowance
                    };
                    (
                        Ok(too_many(&state.world, &spent, wait)),
                        "rate limited".to_owned(),
                    )
                }
                FaultKind::CloudflareRateLimited {
                    retry_after_seconds,
                } => {
                    let mut answer = plain(
                        StatusCode::TOO_MANY_REQUESTS,
                        "text/plain; charset=UTF-8",
                        "error code: 1015",
                    );
                    set(&mut answer, "retry-after", &retry_after_seconds.to_string());
                    (Ok(answer), "rate limited by the CDN".to_owned())
                }
                FaultKind::GatewayError {
                    status,
                    when: When::Before,
                    empty,
                } => (
                    Ok(gateway(*status, *empty)),
                    format!("HTTP {status} before the effect"),
                ),
                FaultKind::AnswerLost { when: When::Before } => {
                    (Err(Lost), "connection lost before the effect".to_owned())
                }
                FaultKind::EffectDelayed { seconds } => {
                    state.replays.push(Replay {
                        due: state.world.now + (seconds * 1000.0) as i64,
                        body: body.clone(),
                        caller: caller.clone(),
                    });
                    (
                        Err(Lost),
                        "connection lost, the effect is yet to come".to_owned(),
                    )
                }
                FaultKind::Refused { message, code } => refusal(Refusal::Injected {
                    message: message.clone(),
                    code: code.clone(),
                }),
                FaultKind::ProblemProcessing => refusal(Refusal::Problem),
                FaultKind::CreationThrottled => refusal(Refusal::TooQuickly {
                    plural: "environments",
                    singular: "environment",
                }),
                FaultKind::NotAuthorized => refusal(Refusal::NotAuthorized),
                FaultKind::DeleteIgnored => {
                    let data: serde_json::Map<String, Value> = prepared
                        .fields
                        .iter()
                        .map(|(key, _)| (key.clone(), json!(true)))
                        .collect();
                    let answer = json_answer(StatusCode::OK, &json!({"data": data}));
                    (Ok(answer), "ok (accepted and ignored)".to_owned())
                }
                _ => continue,
            };
            self.note(state, Some(prepared), variables, &outcome);
            return Some(answer);
        }
        None
    }

    fn perform(&self, call: &Call) -> Done {
        let mut guard = self.state();
        let state = &mut *guard;
        for strike in &call.strikes {
            if let FaultKind::Edit { edit } = &strike.kind
                && let Err(error) = control::edit::perform(&mut state.world, edit)
            {
                tracing::warn!(%error, "the dashboard edit of a fault could not be made");
            }
        }
        let (mut body, error, mut delay_ms) = run(state, call);
        distort(&mut body, call, &state.world);
        let latency = state.world.rules.timing.latency;
        delay_ms += state.world.random.span(latency);
        let mut answer = Ok(with_allowance(
            json_answer(StatusCode::OK, &body),
            &state.world,
            &call.allowance,
        ));
        let mut outcome = error.unwrap_or_else(|| "ok".to_owned());
        for strike in &call.strikes {
            match &strike.kind {
                FaultKind::AnswerDelayed { seconds } => delay_ms += (seconds * 1000.0) as i64,
                FaultKind::AnswerLost { when: When::After } => {
                    answer = Err(Lost);
                    outcome.push_str(" (answer lost)");
                }
                FaultKind::GatewayError {
                    status,
                    when: When::After,
                    empty,
                } => {
                    answer = Ok(gateway(*status, *empty));
                    outcome = format!("{outcome} (HTTP {status} after the effect)");
                }
                _ => {}
            }
        }
        self.note(
            state,
            Some(&call.prepared),
            &call.body["variables"],
            &outcome,
        );
        self.keep(state);
        Done { answer, delay_ms }
    }

    /// Effects that were put off happen at their own time.
    pub(crate) fn replay(&self, state: &mut State, now: i64) {
        while let Some(place) = state.replays.iter().position(|replay| replay.due <= now) {
            let replay = state.replays.remove(place);
            due::advance(&mut state.world, replay.due);
            let engine = engine_of(&mut state.world);
            if let Ok(prepared) = engine.prepare(&replay.body) {
                let call = Call {
                    body: replay.body,
                    prepared,
                    caller: replay.caller,
                    allowance: Limits0::free(),
                    strikes: Vec::new(),
                };
                let _ = run(state, &call);
            }
        }
    }

    fn note(
        &self,
        state: &mut State,
        prepared: Option<&Prepared>,
        variables: &Value,
        outcome: &str,
    ) {
        let fields: Vec<String> = prepared
            .map(|prepared| {
                prepared
                    .fields
                    .iter()
                    .map(|(_, name)| name.clone())
                    .collect()
            })
            .unwrap_or_default();
        let mutation = prepared.is_some_and(|prepared| prepared.mutation);
        let kind = if mutation { "mutation" } else { "query" };
        let operation = prepared.and_then(|prepared| prepared.operation.clone());
        tracing::info!(
            operation = operation.as_deref().unwrap_or("anonymous"),
            fields = fields.join(","),
            outcome,
            "{kind}"
        );
        let limited = outcome.starts_with("rate limited");
        let at = state.world.iso(state.world.now);
        state.record.add(
            RequestRecord {
                operation,
                fields,
                mutation,
                variables: masked(variables),
                outcome: outcome.to_owned(),
                at,
            },
            limited,
        );
    }
}

/// An allowance where nothing is counted.
struct Limits0;

impl Limits0 {
    fn free() -> Allowance {
        let limit = Plan::Pro.requests_per_hour();
        Allowance {
            limit,
            remaining: limit,
            resets_at: 0,
            retry_after_ms: None,
        }
    }
}

fn outcome_of(invalid: &Invalid) -> String {
    let message = invalid
        .errors
        .first()
        .and_then(|error| error["message"].as_str());
    format!("{}: {}", invalid.code, message.unwrap_or_default())
}

/// The schema of the moment: quirks and faults may have taken fields away.
fn engine_of(world: &mut World) -> std::sync::Arc<Engine> {
    let mut missing = BTreeSet::new();
    if world.has(Quirk::ChangeSetsUnavailable) {
        missing.extend(engine::CHANGE_SETS.map(str::to_owned));
    }
    let now = world.now;
    let World { faults, random, .. } = world;
    let removed = faults.strike(now, random, |fault| {
        matches!(fault.kind, FaultKind::FieldRemoved { .. })
    });
    missing.extend(removed.into_iter().filter_map(|strike| match strike.kind {
        FaultKind::FieldRemoved { field } => Some(field),
        _ => None,
    }));
    Engine::without(&missing)
}

/// Railway reads three headers (Railway docs; the third only in older texts).
fn caller(world: &World, headers: &HeaderMap) -> Option<Caller> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let secret = text("project-access-token")
        .or_else(|| text("team-access-token"))
        .or_else(|| {
            let value = text("authorization")?;
            let (scheme, token) = value.split_once(' ')?;
            scheme
                .eq_ignore_ascii_case("bearer")
                .then_some(token.trim())
        })?;
    let token = world.tokens.get(secret).filter(|token| !token.revoked)?;
    let is_project = matches!(token.grant, Grant::Project { .. });
    // A project token in the wrong header is nobody's, and the other way round.
    if is_project != headers.contains_key("project-access-token") {
        return None;
    }
    Some(Caller {
        grant: token.grant.clone(),
        token: token.id.clone(),
    })
}

fn plan_of(world: &World, grant: &Grant) -> Plan {
    let owner = grant.owner(world);
    world
        .workspaces
        .get(&owner)
        .or_else(|| world.workspaces.values().next())
        .map(|workspace| workspace.plan)
        .unwrap_or_default()
}

/// The request-level faults that strike this call.
fn strikes(world: &mut World, prepared: &Prepared, body: &Value) -> Vec<Strike> {
    let mentions = body.to_string();
    let now = world.now;
    let World { faults, random, .. } = world;
    faults.strike(now, random, |fault| {
        let applies = match &fault.kind {
            FaultKind::Deployment { .. }
            | FaultKind::FieldRemoved { .. }
            | FaultKind::PlatformUnstable => false,
            FaultKind::StaleReads
            | FaultKind::EverythingGone
            | FaultKind::UnknownDeploymentStatus { .. } => !prepared.mutation,
            FaultKind::DeleteIgnored => {
                prepared.mutation
                    && prepared
                        .fields
                        .iter()
                        .all(|(_, name)| name.contains("Delete"))
            }
            _ => true,
        };
        let operation = match fault.operation.as_deref() {
            None => true,
            Some("mutation") => prepared.mutation,
            Some("query") => !prepared.mutation,
            Some(field) => prepared.asks_for(field),
        };
        applies
            && operation
            && fault
                .object
                .as_ref()
                .is_none_or(|object| mentions.contains(object.as_str()))
    })
}

/// Executes against the world, or against the one that a fault shows instead.
fn run(state: &mut State, call: &Call) -> (Value, Option<String>, i64) {
    let now = state.world.now;
    let engine = engine_without_counting(&state.world);
    let owner = call.caller.grant.owner(&state.world);
    let plan = plan_of(&state.world, &call.caller.grant);
    let allowance = state.limits.left(&owner, plan, now);
    let mut other = other_world(&state.world, call);
    let unstable = {
        let World { faults, random, .. } = &mut state.world;
        !faults
            .strike(now, random, |fault| {
                fault.kind == FaultKind::PlatformUnstable
            })
            .is_empty()
    };
    let world = other.as_mut().unwrap_or(&mut state.world);
    world.unstable = unstable;
    let context = Context {
        world: RefCell::new(world),
        grant: call.caller.grant.clone(),
        token: call.caller.token.clone(),
        mutation: call.prepared.mutation,
        allowance,
        delay: Cell::new(0),
    };
    let execution = engine::execute(&engine, &call.prepared, &context);
    (execution.body, execution.error, context.delay.get())
}

fn engine_without_counting(world: &World) -> std::sync::Arc<Engine> {
    let mut missing = BTreeSet::new();
    if world.has(Quirk::ChangeSetsUnavailable) {
        missing.extend(engine::CHANGE_SETS.map(str::to_owned));
    }
    Engine::without(&missing)
}

fn other_world(world: &World, call: &Call) -> Option<World> {
    call.strikes.iter().find_map(|strike| match strike.kind {
        FaultKind::StaleReads => strike
            .snapshot
            .as_ref()
            .map(|snapshot| (**snapshot).clone()),
        FaultKind::EverythingGone => {
            let mut empty = world.clone();
            for project in empty.projects.values_mut() {
                project.environments.clear();
                project.services.clear();
                project.volumes.clear();
            }
            empty.environments.clear();
            empty.services.clear();
            empty.deployments.clear();
            Some(empty)
        }
        _ => None,
    })
}

/// Faults and quirks that change a good answer.
fn distort(body: &mut Value, call: &Call, world: &World) {
    if world.has(Quirk::TcpProxiesNull) {
        for (key, _) in call
            .prepared
            .fields
            .iter()
            .filter(|(_, name)| name == "tcpProxies")
        {
            if body["data"][key.as_str()] == json!([]) {
                body["data"][key.as_str()] = Value::Null;
            }
        }
    }
    for strike in &call.strikes {
        match &strike.kind {
            FaultKind::PartialData => partial(body, &call.prepared),
            FaultKind::UnknownDeploymentStatus { status } => {
                rename_status(&mut body["data"], status)
            }
            _ => {}
        }
    }
}

fn partial(body: &mut Value, prepared: &Prepared) {
    let Some((key, _)) = prepared.fields.last() else {
        return;
    };
    let error = json!({
        "message": Refusal::Problem.to_string(),
        "path": [key],
        "extensions": {"code": "INTERNAL_SERVER_ERROR"},
    });
    if prepared.fields.len() > 1 {
        body["data"][key.as_str()] = Value::Null;
    } else {
        body["data"] = Value::Null;
    }
    match body["errors"].as_array_mut() {
        Some(errors) => errors.push(error),
        None => body["errors"] = json!([error]),
    }
}

fn rename_status(value: &mut Value, status: &str) {
    match value {
        Value::Object(map) => {
            let is_deployment = map.contains_key("deploymentStopped")
                || map.contains_key("statusUpdatedAt")
                || map.contains_key("canRedeploy");
            for (key, inner) in map.iter_mut() {
                if key == "status" && is_deployment {
                    *inner = json!(status);
                } else if matches!(
                    key.as_str(),
                    "latestDeployment" | "activeDeployments" | "deployment"
                ) {
                    rename_deployments(inner, status);
                } else {
                    rename_status(inner, status);
                }
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| rename_status(item, status)),
        _ => {}
    }
}

fn rename_deployments(value: &mut Value, status: &str) {
    match value {
        Value::Object(map) => {
            if let Some(slot) = map.get_mut("status") {
                *slot = json!(status);
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| rename_deployments(item, status)),
        _ => {}
    }
}

fn refused(refusal: &Refusal) -> Value {
    let mut error = json!({"message": refusal.to_string()});
    if let Some(code) = refusal.code() {
        error["extensions"] = json!({"code": code});
    }
    json!({"errors": [error], "data": null})
}

fn plain(status: StatusCode, kind: &'static str, text: &str) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(text.to_owned()));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// An answer in JSON.
pub(crate) fn json_answer(status: StatusCode, body: &Value) -> Response<Bytes> {
    plain(status, "application/json", &body.to_string())
}

fn gateway(status: u16, empty: bool) -> Response<Bytes> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let text = if empty {
        String::new()
    } else {
        format!(
            "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>"
        )
    };
    plain(status, "text/html", &text)
}

fn set(answer: &mut Response<Bytes>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

fn with_allowance(
    mut answer: Response<Bytes>,
    world: &World,
    allowance: &Allowance,
) -> Response<Bytes> {
    let reset = world.date(allowance.resets_at);
    let reset = if world.has(Quirk::RatelimitResetIso) {
        reset.to_string()
    } else if world.has(Quirk::RatelimitResetMillis) {
        reset.as_millisecond().to_string()
    } else {
        reset.as_second().to_string()
    };
    set(
        &mut answer,
        "x-ratelimit-limit",
        &allowance.limit.to_string(),
    );
    set(
        &mut answer,
        "x-ratelimit-remaining",
        &allowance.remaining.to_string(),
    );
    set(&mut answer, "x-ratelimit-reset", &reset);
    answer
}

fn too_many(world: &World, allowance: &Allowance, wait_ms: i64) -> Response<Bytes> {
    let body = json!({"errors": [{
        "message": "Too many requests",
        "extensions": {"code": "RATE_LIMITED"},
    }]});
    let mut answer = with_allowance(
        json_answer(StatusCode::TOO_MANY_REQUESTS, &body),
        world,
        allowance,
    );
    // Whole seconds, rounded up: who waits that long is served.
    let seconds = (wait_ms + 999) / 1000;
    set(&mut answer, "retry-after", &seconds.to_string());
    answer
}

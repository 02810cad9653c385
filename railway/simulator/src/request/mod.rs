//! One GraphQL request, from headers to answer.
//!
//! In two strokes with the lock held, and waiting only in between: `admit` decides what will become of the call,
//! `perform` lets it have its effect. Held calls wait before or after the second.

mod answer;
mod caller;
mod distort;
mod strike;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

pub(crate) use answer::json_answer;
use answer::{gateway, plain, refused, too_many, with_allowance};
use caller::{Caller, caller, plan_of};
use distort::distort;
use strike::{other_world, strikes};

use crate::control;
use crate::engine::{self, Context, Engine, Invalid, Prepared};
use crate::fault::{FaultId, FaultKind, Strike, When};
use crate::lifecycle::due;
use crate::limits::Allowance;
use crate::quirk::Quirk;
use crate::record::{RequestRecord, masked};
use crate::refusal::Refusal;
use crate::simulator::{Simulator, State};
use crate::state::{Grant, World};

/// No answer: the connection broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the simulated connection broke before an answer came")]
pub struct Lost;

type Answer = Result<Response<Bytes>, Lost>;

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
        if path != "/graphql/v2" {
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
            let allowance = Allowance::uncounted();
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
                    allowance: Allowance::uncounted(),
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
        let operation = prepared.and_then(|prepared| prepared.operation.clone());
        let name = operation.as_deref().unwrap_or("anonymous");
        if mutation {
            tracing::info!(
                operation = name,
                fields = fields.join(","),
                outcome,
                "mutation"
            );
        } else {
            // A target of its own: whoever runs the simulator inside another program may not care for each look.
            tracing::info!(
                target: "mirage_railway_simulator::query",
                operation = name, fields = fields.join(","), outcome, "query"
            );
        }
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

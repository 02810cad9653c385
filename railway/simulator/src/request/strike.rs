//! Faults that strike a call: instead of its effect, or in what it gets to see.

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{gateway, json_answer, plain, refused, set, too_many};
use super::caller::Caller;
use super::{Answer, Call, Lost, Replay};
use crate::engine::Prepared;
use crate::fault::{FaultKind, Strike, When};
use crate::limits::Allowance;
use crate::refusal::Refusal;
use crate::simulator::{Simulator, State};
use crate::state::World;

/// The request-level faults that strike this call.
pub(super) fn strikes(world: &mut World, prepared: &Prepared, body: &Value) -> Vec<Strike> {
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

impl Simulator {
    /// What a fault answers instead of an effect.
    pub(super) fn struck_before(
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
}

/// The world that a fault shows instead of the real one.
pub(super) fn other_world(world: &World, call: &Call) -> Option<World> {
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

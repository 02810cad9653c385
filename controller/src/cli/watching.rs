//! Waiting for objects, while telling what happens to them.

use std::{collections::BTreeMap, io::Write, pin::pin, str::FromStr, time::Duration};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::{api::DynamicObject, runtime::watcher};
use mirage_specs::{copy::TakenBack, wake::RETRY};
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::{
    cli::{
        connection::Connection,
        failure::Failure,
        kind::Kind,
        progress::{Progress, Verdict},
    },
    exit::Exit,
};

/// How often a terminal's picture moves while nothing happens.
const FRAME: Duration = Duration::from_millis(120);

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// The condition `Ready` is true, and speaks of the newest spec.
    Ready,
    /// There is no such object.
    Deleted,
    /// A condition has a status.
    Condition {
        /// Its type.
        kind: String,
        /// `True`, `False` or `Unknown`.
        status: String,
    },
}

impl FromStr for Goal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is not a state: write ready, deleted, condition=TYPE or condition=TYPE=STATUS"
            )
        };
        match text.split_once('=') {
            None if text.eq_ignore_ascii_case("ready") => Ok(Self::Ready),
            None if ["deleted", "delete"].contains(&text) => Ok(Self::Deleted),
            Some(("condition", rest)) if !rest.is_empty() => {
                let (kind, status) = rest.split_once('=').unwrap_or((rest, "True"));
                let status = ["True", "False", "Unknown"]
                    .into_iter()
                    .find(|known| known.eq_ignore_ascii_case(status))
                    .ok_or_else(wrong)?;
                Ok(Self::Condition {
                    kind: kind.to_owned(),
                    status: status.to_owned(),
                })
            }
            _ => Err(wrong()),
        }
    }
}

/// One object that is waited for.
#[derive(Clone, Debug)]
pub(crate) struct Awaited {
    pub(crate) kind: &'static Kind,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// What was applied: an older state is not what is waited for.
    pub(crate) generation: Option<i64>,
}

impl Awaited {
    /// The object that the server just answered with.
    pub(crate) fn of(kind: &'static Kind, object: &DynamicObject, namespace: &str) -> Self {
        Self {
            kind,
            namespace: object
                .metadata
                .namespace
                .clone()
                .unwrap_or_else(|| namespace.to_owned()),
            name: object.metadata.name.clone().unwrap_or_default(),
            generation: object.metadata.generation,
        }
    }
}

/// Watches until every object reached the goal or cannot any more, or the time is up.
pub(crate) async fn watch(
    connection: &Connection,
    awaited: Vec<Awaited>,
    goal: &Goal,
    timeout: Duration,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let deadline = Instant::now() + timeout;
    let mut progress = Progress::new(out, awaited.iter().map(|one| one.name.clone()).collect());
    let mut open: BTreeMap<usize, &Awaited> = awaited.iter().enumerate().collect();
    let mut seen = vec![false; awaited.len()];
    let mut failed = false;
    let mut states = pin!(stream::select_all(awaited.iter().enumerate().map(
        |(index, one)| {
            watcher::watch_object(connection.api(one.kind, &one.namespace), &one.name)
                .map_ok(move |object| (index, object))
                .boxed()
        }
    )));
    let mut frames = interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while !open.is_empty() {
        let state = tokio::select! {
            state = states.next() => state,
            _ = frames.tick(), if progress.is_live() => {
                progress.draw()?;
                continue;
            }
            () = sleep_until(deadline) => {
                progress.end()?;
                let names: Vec<&str> = open.values().map(|one| one.name.as_str()).collect();
                eprintln!(
                    "error: not reached within {}: {}\n  help: `mirage describe {}` says what it waits for",
                    mirage_specs::duration::Span::from_secs(timeout.as_secs())
                        .map_or_else(|| "0s".to_owned(), |span| span.to_string()),
                    names.join(", "),
                    names.first().copied().unwrap_or_default(),
                );
                return Ok(Exit::NotReached);
            }
        };
        let (index, object) = match state {
            Some(Ok(state)) => state,
            Some(Err(error)) => {
                if let Some(failure) = fatal(connection, error) {
                    progress.end()?;
                    return Err(failure);
                }
                // The watcher tries again by itself; pausing keeps a server that is restarting from being hammered.
                tokio::time::sleep(Duration::from_millis(500)).await;
                continue;
            }
            None => break,
        };
        let Some(one) = open.get(&index) else {
            continue;
        };
        let verdict = judge(one, goal, object.as_ref(), seen[index]);
        seen[index] |= object.is_some();
        progress.saw(index, object.as_ref(), verdict.as_ref())?;
        if let Some(verdict) = verdict {
            failed |= matches!(verdict, Verdict::Failed(_));
            open.remove(&index);
        }
    }
    progress.end()?;
    Ok(if failed {
        Exit::NotReached
    } else {
        Exit::Success
    })
}

/// Errors that waiting does not heal.
fn fatal(connection: &Connection, error: watcher::Error) -> Option<Failure> {
    match error {
        watcher::Error::InitialListFailed(source) | watcher::Error::WatchStartFailed(source) => {
            match connection.failed(source) {
                Failure::Refused { status } if status.code == 429 || status.code >= 500 => None,
                refused @ Failure::Refused { .. } => Some(refused),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether the wait for one object is over.
fn judge(
    one: &Awaited,
    goal: &Goal,
    object: Option<&DynamicObject>,
    seen_before: bool,
) -> Option<Verdict> {
    let Some(object) = object else {
        return Some(match goal {
            Goal::Deleted => Verdict::Reached,
            _ if seen_before => Verdict::Failed("it was deleted meanwhile".to_owned()),
            _ => Verdict::Failed(format!("there is no {} of this name", one.kind.singular)),
        });
    };
    let wanted = one.generation.max(object.metadata.generation);
    let status = &object.data["status"];
    match goal {
        Goal::Deleted => None,
        Goal::Condition {
            kind,
            status: value,
        } => has_condition(status, kind, value, wanted).then_some(Verdict::Reached),
        Goal::Ready if has_condition(status, "Ready", "True", wanted) => Some(Verdict::Reached),
        // A copy that failed; its teardown would soon hide why.
        Goal::Ready if taken_back(object).is_some() => {
            let why = taken_back(object).unwrap_or_default();
            Some(Verdict::Failed(format!("it is taken back: {why}")))
        }
        Goal::Ready => {
            // What is degraded while something is still under way may yet become ready.
            let is_bad = ["Failed", "Degraded"]
                .iter()
                .any(|phase| status["phase"] == *phase);
            // Somebody had it tried again, and the controllers have not heard yet.
            let is_retried = object
                .metadata
                .annotations
                .as_ref()
                .is_some_and(|annotations| annotations.contains_key(RETRY));
            let gave_up = is_bad
                && !is_retried
                && status["observedGeneration"].as_i64() == wanted
                && !has_condition(status, "Progressing", "True", wanted);
            gave_up.then(|| {
                let why = condition(status, "Ready").and_then(|ready| ready["message"].as_str());
                Verdict::Failed(why.unwrap_or("it failed").to_owned())
            })
        }
    }
}

fn taken_back(object: &DynamicObject) -> Option<String> {
    let annotations = object.metadata.annotations.as_ref()?;
    TakenBack::of(annotations, object.metadata.uid.as_deref())
}

fn condition<'a>(status: &'a Value, kind: &str) -> Option<&'a Value> {
    status["conditions"]
        .as_array()?
        .iter()
        .find(|condition| condition["type"] == kind)
}

/// Whether a condition has the value, and not only for an older spec.
fn has_condition(status: &Value, kind: &str, value: &str, generation: Option<i64>) -> bool {
    let Some(condition) = condition(status, kind) else {
        return false;
    };
    let observed = condition["observedGeneration"]
        .as_i64()
        .or_else(|| status["observedGeneration"].as_i64());
    let is_current = match (observed, generation) {
        (Some(observed), Some(generation)) => observed >= generation,
        _ => true,
    };
    condition["status"] == value && is_current
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::kind::ENVIRONMENT;

    fn awaited() -> Awaited {
        Awaited {
            kind: &ENVIRONMENT,
            namespace: "default".into(),
            name: "shop".into(),
            generation: Some(2),
        }
    }

    fn object(status: Value) -> DynamicObject {
        serde_json::from_value(serde_json::json!({
            "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment",
            "metadata": {"name": "shop", "generation": 2}, "status": status,
        }))
        .unwrap()
    }

    fn ready(status: &str, generation: i64) -> DynamicObject {
        object(serde_json::json!({
            "observedGeneration": generation,
            "conditions": [{"type": "Ready", "status": status, "observedGeneration": generation}],
        }))
    }

    #[test]
    fn goals_parse_and_others_say_what_would_do() {
        for (text, goal) in [
            ("ready", Goal::Ready),
            ("Ready", Goal::Ready),
            ("deleted", Goal::Deleted),
            ("delete", Goal::Deleted),
            (
                "condition=Synced",
                Goal::Condition {
                    kind: "Synced".into(),
                    status: "True".into(),
                },
            ),
            (
                "condition=Drifted=false",
                Goal::Condition {
                    kind: "Drifted".into(),
                    status: "False".into(),
                },
            ),
        ] {
            assert_eq!(text.parse(), Ok(goal), "{text}");
        }
        for text in ["", "done", "condition=", "condition=Ready=maybe"] {
            assert!(
                text.parse::<Goal>().unwrap_err().contains("condition=TYPE"),
                "{text}"
            );
        }
    }

    #[test]
    fn readiness_of_an_older_spec_is_not_what_was_waited_for() {
        assert_eq!(
            judge(&awaited(), &Goal::Ready, Some(&ready("True", 1)), true),
            None
        );
        assert_eq!(
            judge(&awaited(), &Goal::Ready, Some(&ready("True", 2)), true),
            Some(Verdict::Reached)
        );
        assert_eq!(
            judge(&awaited(), &Goal::Ready, Some(&ready("False", 2)), true),
            None
        );
    }

    #[test]
    fn a_failure_of_this_spec_ends_the_wait_and_an_older_one_does_not() {
        let failed = |generation: i64| {
            object(serde_json::json!({
                "phase": "Failed", "observedGeneration": generation,
                "conditions": [
                    {"type": "Ready", "status": "False", "message": "no such image"},
                    {"type": "Progressing", "status": "False"},
                ],
            }))
        };
        assert_eq!(
            judge(&awaited(), &Goal::Ready, Some(&failed(2)), true),
            Some(Verdict::Failed("no such image".into()))
        );
        assert_eq!(
            judge(&awaited(), &Goal::Ready, Some(&failed(1)), true),
            None
        );
        let mut under_way = failed(2);
        under_way.data["status"]["phase"] = "Degraded".into();
        under_way.data["status"]["conditions"][1] =
            serde_json::json!({"type": "Progressing", "status": "True"});
        assert_eq!(
            judge(&awaited(), &Goal::Ready, Some(&under_way), true),
            None
        );
    }

    #[test]
    fn a_copy_that_is_taken_back_says_why() {
        let mut copy = ready("False", 2);
        let taken = TakenBack {
            environment_id: "uid-copy".to_owned(),
            why: "no such image".to_owned(),
        };
        let annotation = ("mirage.dev/rolled-back".to_owned(), taken.written());
        copy.metadata.uid = Some("uid-copy".to_owned());
        copy.metadata.annotations = Some([annotation].into());
        let verdict = judge(&awaited(), &Goal::Ready, Some(&copy), true);
        assert_eq!(
            verdict,
            Some(Verdict::Failed("it is taken back: no such image".into()))
        );
    }

    #[test]
    fn an_absent_object_is_the_goal_of_one_wait_and_the_end_of_the_others() {
        assert_eq!(
            judge(&awaited(), &Goal::Deleted, None, false),
            Some(Verdict::Reached)
        );
        assert!(
            matches!(judge(&awaited(), &Goal::Ready, None, false), Some(Verdict::Failed(why)) if why.contains("no environment"))
        );
        assert!(
            matches!(judge(&awaited(), &Goal::Ready, None, true), Some(Verdict::Failed(why)) if why.contains("deleted"))
        );
    }
}

//! A visit to a policy that is wanted.

mod known;
mod telling;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use kube::{Api, ResourceExt as _, api::ListParams, runtime::controller::Action as Requeue};
use mirage_github::{Error, Forge, Login, RepositoryName};
use mirage_specs::{
    Environment, PreviewPolicy,
    preview_policy::{POLICY_LABEL, PreviewStatus},
};

use super::{
    PreviewError, Previews,
    apply::{Outcome, apply},
    calm::Calm,
    child,
    diff::{Plan, Scene, diff},
    inputs::{self, Unusable},
    journal::Journal,
    life,
    observe::{Listening, listen, look},
    recent::Recent,
    refusal::Refusal,
    report::marker::Marker,
    selection, status,
    survey::{Survey, survey},
    wake::{self, Waiting},
};
use crate::{environment::condition::whole_seconds, reason::Reason};
use known::known;

type Done = (&'static str, Requeue);

/// A repository, and by whose hand.
pub(super) struct Bench {
    pub(super) forge: Arc<dyn Forge>,
    pub(super) repository: RepositoryName,
    pub(super) own: Login,
    pub(super) marker: Marker,
}

/// Look, remember, resolve, diff, apply, tell: one pass.
pub(super) async fn visit(
    policy: &Arc<PreviewPolicy>,
    namespace: &str,
    previews: &Previews,
    recent: &mut Recent,
) -> Result<Done, PreviewError> {
    let ctx = &previews.context;
    let api: Api<PreviewPolicy> = Api::namespaced(ctx.client.clone(), namespace);
    let mut journal = Journal::open(api, policy);
    if policy.spec.suspend == Some(true) {
        recent.calm = None;
        let next = status::status(
            journal.status(),
            policy,
            status::Visit::default(),
            ctx.now(),
        );
        telling::publish(policy, &mut journal, next, ctx).await?;
        return Ok(("suspended", Requeue::await_change()));
    }
    let bench = match bench(policy, namespace, previews).await {
        Ok(bench) => bench,
        Err(Unusable::Api(error)) => return Err(error.into()),
        Err(Unusable::Refused(refusal)) => {
            return refuse(policy, &mut journal, &refusal, recent, previews).await;
        }
    };
    let mut lives = remembered(journal.status());
    let children = children(policy, namespace, previews).await?;
    if recent.is_due(policy, ctx.now()) {
        recent.looked(policy, ctx.now());
        match see(policy, &bench, &mut lives, &children, recent, previews).await {
            Ok(()) => {}
            Err(error) => {
                recent.heed(&error);
                let refusal = Refusal::from(&error);
                return refuse(policy, &mut journal, &refusal, recent, previews).await;
            }
        }
    } else {
        let ttl = policy.spec.ttl;
        for (number, pull) in &recent.open {
            let fits = selection::fits(&policy.spec, &bench.repository, pull).is_ok();
            let moment = life::Moment {
                pull,
                fits,
                is_fork: pull.is_from_fork_of(&bench.repository),
                read: None,
                ttl,
                now: whole_seconds(ctx.now()),
            };
            let next = life::open(lives.get(number), moment);
            lives.insert(*number, next);
        }
    }
    // A command that was heard is written down before anything is done about it, and so is a time that is over.
    let mut heard = journal.status().clone();
    heard.previews = status::shortened(lives.values().cloned().collect());
    journal.write(heard).await?;
    let shape = match inputs::shape(&ctx.client, namespace, &policy.spec).await {
        Ok(shape) => Ok(shape),
        Err(Unusable::Refused(refusal)) => Err(refusal.message),
        Err(Unusable::Api(error)) => return Err(error.into()),
    };
    if let Ok(shape) = &shape
        && recent.calm.as_ref().is_some_and(|calm| {
            let pulls = recent.open.values();
            *calm == Calm::of(policy, pulls, &journal.status().previews, &children, shape)
        })
    {
        return Ok((
            "synced",
            Requeue::requeue(again(policy, &journal, recent, false, previews)),
        ));
    }
    recent.calm = None;

    let known = known(policy, &bench, &shape, &lives, &children, recent).await;
    let taken = taken(policy, namespace, previews);
    let plan = diff(Scene {
        policy,
        lives: &lives,
        known: &known.known,
        children: &children,
        taken: &taken,
    });
    let (plan, children) = carry_out(policy, namespace, plan, children, previews).await?;
    take_in(&mut lives, &plan, &children);

    let told = telling::tell(
        policy, namespace, &bench, &mut lives, &known, &children, recent, previews,
    )
    .await?;
    telling::part_with_what_is_over(&mut lives, &children, &told, ctx);
    let now = ctx.now();
    recent.tidy(&lives.keys().copied().collect(), now);
    let survey = known.survey.clone().unwrap_or_default();
    let context = format!("mirage/{}", policy.name_any());
    let visit = status::Visit {
        identity: Some(bench.own.to_string()),
        previews: Some(lives.values().cloned().collect()),
        refusal: None,
        unsaid: recent.unsaid().or(survey.obstacle()),
        warning: survey.warning(&context),
    };
    let next = status::status(journal.status(), policy, visit, now);
    telling::publish(policy, &mut journal, next, ctx).await?;
    ctx.metrics
        .previews(namespace, &policy.name_any(), &journal.status().previews);
    let is_unfinished = told.is_unfinished || known.is_unfinished;
    let is_settled = plan.actions.is_empty()
        && !is_unfinished
        && recent.unsaid().is_none()
        && recent.unread.is_empty();
    if let (true, Ok(shape)) = (is_settled, &shape) {
        let pulls = recent.open.values();
        let calm = Calm::of(policy, pulls, &journal.status().previews, &children, shape);
        recent.calm = calm.is_complete().then_some(calm);
    }
    let again = again(policy, &journal, recent, is_unfinished, previews);
    let outcome = if plan.actions.is_empty() {
        "synced"
    } else {
        "changed"
    };
    Ok((outcome, Requeue::requeue(again)))
}

/// How long until the next visit.
fn again(
    policy: &PreviewPolicy,
    journal: &Journal,
    recent: &Recent,
    is_unfinished: bool,
    previews: &Previews,
) -> Duration {
    let now = previews.context.now();
    let waiting = Waiting {
        until_due: recent.until_due(policy, now),
        barred: recent.barred(now),
        rising: recent.next_rising(now),
        is_unfinished,
    };
    wake::after_visit(&journal.status().previews, waiting, now)
}

/// The credential and the repository, ready to work with.
pub(super) async fn bench(
    policy: &PreviewPolicy,
    namespace: &str,
    previews: &Previews,
) -> Result<Bench, Unusable> {
    let repository: RepositoryName =
        policy.spec.repository.parse().map_err(|error| {
            Refusal::new(Reason::InvalidSpec, format!("spec.repository: {error}"))
        })?;
    let access = inputs::access(&previews.context.client, namespace, &policy.spec).await?;
    let refused = |error: &Error| Unusable::Refused(Refusal::from(error));
    let forge = previews
        .github
        .open(&access)
        .map_err(|error| refused(&error))?;
    let identity = forge.identity().await.map_err(|error| refused(&error))?;
    Ok(Bench {
        forge,
        repository,
        own: identity.login(),
        marker: Marker::new(namespace, &policy.name_any()),
    })
}

fn remembered(status: &mirage_specs::PreviewPolicyStatus) -> BTreeMap<u64, PreviewStatus> {
    let previews = status.previews.iter();
    previews
        .map(|preview| (preview.number, preview.clone()))
        .collect()
}

/// The policy's own Environments, those under teardown too.
pub(super) async fn children(
    policy: &PreviewPolicy,
    namespace: &str,
    previews: &Previews,
) -> Result<Vec<Environment>, kube::Error> {
    let api = previews.context.api(namespace);
    let selector = format!("{POLICY_LABEL}={}", policy.name_any());
    let list = api.list(&ListParams::default().labels(&selector)).await?;
    Ok(list
        .items
        .into_iter()
        .filter(|environment| child::is_of(environment, policy))
        .collect())
}

/// Names of Environments that are not the policy's own. A name that was given away since is noticed when it is applied.
fn taken(policy: &PreviewPolicy, namespace: &str, previews: &Previews) -> BTreeSet<String> {
    let all = previews.context.environments.state();
    all.iter()
        .filter(|environment| {
            environment.namespace().as_deref() == Some(namespace)
                && !child::is_of(environment, policy)
        })
        .map(|environment| environment.name_any())
        .collect()
}

/// Looks at GitHub, and takes what is there into what is remembered.
async fn see(
    policy: &PreviewPolicy,
    bench: &Bench,
    lives: &mut BTreeMap<u64, PreviewStatus>,
    children: &[Environment],
    recent: &mut Recent,
    previews: &Previews,
) -> Result<(), Error> {
    let ctx = &previews.context;
    let is_closed = |lives: &BTreeMap<u64, PreviewStatus>, number: &u64| {
        lives
            .get(number)
            .is_some_and(|life| life.closed_at.is_some())
    };
    let of_lives = lives
        .values()
        .filter(|life| is_followed(life))
        .map(|life| life.number);
    let of_children = children.iter().filter_map(child::number);
    let expected: BTreeSet<u64> = of_lives
        .chain(of_children)
        .filter(|number| !is_closed(lives, number))
        .collect();
    let closed = look(bench.forge.as_ref(), &bench.repository, &expected, recent).await?;
    let now = whole_seconds(ctx.now());
    for (number, is_merged) in closed {
        let before = lives.get(&number).cloned().unwrap_or(PreviewStatus {
            number,
            ..PreviewStatus::default()
        });
        lives.insert(number, life::closed(&before, is_merged, now));
    }
    // Nothing was ever done for these, and they are not open any more.
    lives.retain(|number, life| {
        recent.open.contains_key(number) || is_followed(life) || expected.contains(number)
    });
    let created = policy.metadata.creation_timestamp.as_ref();
    let listening = Listening {
        repository: &bench.repository,
        own: &bench.own,
        marker: &bench.marker,
        since: created.map(|time| time.0).unwrap_or_default(),
    };
    let mut is_barred = false;
    for (number, pull) in &recent.open.clone() {
        let before = lives.get(number);
        let fits = selection::fits(&policy.spec, &bench.repository, pull).is_ok();
        let is_read = before.is_some_and(|life| {
            life.closed_at.is_none() && life.read_until == Some(pull.updated_at)
        });
        let mut read = None;
        if fits && !is_read && !is_barred {
            let heard = before.and_then(|life| life.heard);
            match listen(bench.forge.as_ref(), listening, pull, heard).await {
                Ok(found) => read = Some(found),
                // A command that was not read now is read at the next look.
                Err(error) => {
                    recent.heed(&error);
                    is_barred = recent.barred(ctx.now()).is_some();
                    tracing::debug!(%error, number, "comments could not be read");
                }
            }
        }
        let next = life::open(
            before,
            life::Moment {
                pull,
                fits,
                is_fork: pull.is_from_fork_of(&bench.repository),
                read: read.as_ref(),
                ttl: policy.spec.ttl,
                now,
            },
        );
        count_commands(read.as_ref(), before, previews);
        lives.insert(*number, next);
    }
    Ok(())
}

/// Whether anything was done or said for a pull request, so that its end matters.
fn is_followed(life: &PreviewStatus) -> bool {
    life.environment.is_some()
        || life.comment.is_some()
        || life.deployment.is_some()
        || life.asked_at.is_some()
        || life.ended.is_some()
        || life.closed_at.is_some()
}

fn count_commands(read: Option<&life::Read>, before: Option<&PreviewStatus>, previews: &Previews) {
    let last = before.and_then(|life| life.heard);
    for heard in read.into_iter().flat_map(|read| &read.heard) {
        if last.is_none_or(|last| heard.comment > last) {
            let word = heard
                .said
                .as_ref()
                .map_or("unknown", super::command::Command::word);
            let outcome = if heard.is_allowed {
                "obeyed"
            } else {
                "refused"
            };
            previews.context.metrics.command(word, outcome);
        }
    }
}

/// Carries a plan out. What is refused turns into the verdict of its pull request.
async fn carry_out(
    policy: &PreviewPolicy,
    namespace: &str,
    mut plan: Plan,
    mut children: Vec<Environment>,
    previews: &Previews,
) -> Result<(Plan, Vec<Environment>), PreviewError> {
    let ctx = &previews.context;
    let api = ctx.api(namespace);
    for action in &plan.actions {
        match apply(&api, policy, action).await? {
            Outcome::Done(made) => {
                telling::tell_action(policy, action, ctx).await;
                if let Some(made) = made {
                    children.retain(|child| child.name_any() != made.name_any());
                    children.push(*made);
                }
            }
            Outcome::Refused(verdict) => {
                plan.verdicts.insert(action.number(), verdict);
            }
        }
    }
    Ok((plan, children))
}

/// Takes what was decided, and where the Environments stand, into what is remembered.
fn take_in(lives: &mut BTreeMap<u64, PreviewStatus>, plan: &Plan, children: &[Environment]) {
    for (number, life) in lives {
        let environment = telling::environment_of(children, *number);
        if let Some(verdict) = plan.verdicts.get(number) {
            life.state = verdict.state;
            life.message.clone_from(&verdict.message);
            life.place = verdict.place;
        }
        life.environment = environment.map(|environment| environment.name_any());
        life.url = environment
            .and_then(|environment| environment.status.as_ref())
            .and_then(|status| status.url.clone());
    }
}

/// Says on the policy why nothing could be done.
async fn refuse(
    policy: &Arc<PreviewPolicy>,
    journal: &mut Journal,
    refusal: &Refusal,
    recent: &mut Recent,
    previews: &Previews,
) -> Result<Done, PreviewError> {
    let ctx = &previews.context;
    recent.calm = None;
    let visit = status::Visit {
        refusal: Some(refusal),
        ..status::Visit::default()
    };
    let next = status::status(journal.status(), policy, visit, ctx.now());
    telling::publish(policy, journal, next, ctx).await?;
    let now = ctx.now();
    let interval = super::recent::interval(policy);
    let barred = recent
        .barred(now)
        .map(|until| Duration::try_from(until.duration_since(now)).unwrap_or_default());
    Ok((
        "held",
        Requeue::requeue(barred.unwrap_or(interval).max(ctx.intervals.soon)),
    ))
}

/// The state of the repository as a whole, asked for once and again when the policy changes.
pub(super) async fn surveyed(
    policy: &PreviewPolicy,
    bench: &Bench,
    recent: &mut Recent,
) -> Option<Survey> {
    if let Some(known) = recent.survey_of(policy) {
        return Some(known);
    }
    let context = format!("mirage/{}", policy.name_any());
    match survey(
        bench.forge.as_ref(),
        &bench.repository,
        &policy.spec.base_branches,
        &context,
    )
    .await
    {
        Ok(found) => {
            recent.surveyed(policy, found.clone());
            Some(found)
        }
        Err(error) => {
            // Not asked again and again: what matters shows in the first thing that is refused.
            recent.heed(&error);
            recent.surveyed(policy, Survey::default());
            tracing::debug!(%error, "the repository could not be read");
            None
        }
    }
}

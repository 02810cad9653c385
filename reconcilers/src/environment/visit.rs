//! A visit to an Environment that is wanted.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use kube::{
    ResourceExt,
    api::{Patch, PatchParams},
    runtime::events::EventType,
};
use mirage_railway::{budget::Priority, snapshot::Presence};
use mirage_specs::{
    Environment,
    status::{Applied, TemplateStatus},
};
use serde_json::json;

use super::{
    ReconcileError,
    apply::{Applier, ApplyError, Outcome, apply},
    approval::{APPROVE, Gate, RETRY, gate},
    copies,
    diff::Memory,
    effective::{Effective, ProjectTarget},
    follow::{self, Revision},
    identity::{Ownership, ownership},
    import, inputs,
    journal::Journal,
    ledger,
    observe::{Observed, needed, observe},
    pending,
    plan::{Action as PlanAction, Hold, Plan},
    refusal::Refusal,
    request::Requests,
    resolve, rival,
    rollout::survey::Survey,
    sources, status,
    uses::{Taken, uses},
    wake,
};
use crate::{
    accounts::{Account, Standing, missing},
    context::Context,
};

/// Resolve, observe, diff, apply, tell: one pass. Says what came of it, and when to come back.
pub(super) async fn visit(
    environment: &Arc<Environment>,
    namespace: &str,
    ctx: &Arc<Context>,
) -> Result<(&'static str, Duration), ReconcileError> {
    let mut journal = Journal::open(ctx.api(namespace), environment);
    let mut revision = None;
    let (effective, account, taken) = match wanted(environment, namespace, &mut revision, ctx).await
    {
        Ok(both) => both,
        Err(Unwanted::Refusal(refusal)) => {
            if let Some(revision) = revision.filter(|_| refusal.is_a_fault()) {
                let taken = follow::taken(&revision, environment);
                journal
                    .write(|status| status.template = Some(taken))
                    .await?;
            }
            return refuse(environment, &mut journal, refusal, ctx).await;
        }
        Err(Unwanted::Error(error)) => return Err(error),
        // A process that has just started says nothing before it has tried: what is known stays told.
        Err(Unwanted::NotYet) => return Ok(("waiting", ctx.intervals.soon)),
    };
    let observed = match look(environment, &effective, &account, &mut journal, ctx).await? {
        Ok(observed) => observed,
        Err(error) => {
            let unseen = Observed::nothing(error.to_string(), ctx.intervals.patience);
            let gate = Gate::Open;
            let plan = Plan::default();
            let visit = status::Visit {
                effective: &effective,
                observed: &unseen,
                plan: &plan,
                gate: &gate,
                changed: false,
                error: Some(&error),
                now: ctx.now(),
            };
            let next = status::status(journal.status(), &visit);
            publish(environment, &mut journal, next, ctx).await?;
            return Ok(("waiting", wake::after_error(&error, &ctx.intervals)));
        }
    };
    let now = ctx.now();
    let requests = Requests::of(environment, journal.status());
    let mut plan = decide(
        environment,
        &effective,
        &observed,
        journal.status(),
        &requests,
        &account,
        now,
    );
    let followed = follow_template(revision.as_ref(), environment, &mut plan, ctx);
    journal.write(|status| status.template = followed).await?;
    let annotation = environment.annotations().get(APPROVE).map(String::as_str);
    let approved = journal.status().approved.clone();
    let importing = import::wanted(environment, &journal.status().ledger);
    let adoption = import::adoption(
        importing.as_ref(),
        &plan,
        &observed,
        &journal.status().ledger,
        now,
    );
    let is_untouchable = importing.is_some() && adoption.is_none();
    let gate = if is_untouchable {
        // Nothing is done whatever anybody approves.
        Gate::Open
    } else {
        gate(
            &plan,
            effective.approval,
            effective.generation,
            annotation,
            approved.as_ref(),
        )
    };
    let nothing = Applied::default();
    let due = uses(
        environment,
        &taken,
        &effective,
        &plan,
        journal.status().applied.as_ref().unwrap_or(&nothing),
        gate != Gate::Closed && !is_untouchable,
    );
    ctx.uses.record(due).await?;
    let outcome = if gate == Gate::Closed || plan.entries.is_empty() || is_untouchable {
        Outcome::Nothing
    } else {
        // Ours first, marked then: a process that dies in between goes on with the mark.
        if let Some(adopted) = adoption {
            journal.write(|status| status.ledger = adopted).await?;
        }
        tell_plan(environment, &plan, ctx).await;
        let applier = Applier {
            account: &account,
            effective: &effective,
            observed: &observed,
            journal: &mut journal,
            plan: &plan.hash,
            restart: requests.restart.as_ref(),
            now,
        };
        match apply(applier, &plan).await {
            Ok(outcome) => outcome,
            Err(ApplyError::Ledger(error)) => return Err(error.into()),
        }
    };
    release_project(&effective, &account);
    let (changed, error) = match &outcome {
        Outcome::Nothing => (false, None),
        Outcome::Changed => (true, None),
        Outcome::Failed(error) => (false, Some(error)),
    };
    let visit = status::Visit {
        effective: &effective,
        observed: &observed,
        plan: &plan,
        gate: &gate,
        changed,
        error,
        now: ctx.now(),
    };
    let mut next = status::status(journal.status(), &visit);
    if error.is_none() && !observed.in_grace && gate != Gate::Closed {
        requests.remember(&mut next, &plan, changed);
    }
    let counted = count(&plan, changed, journal.status(), ctx);
    let in_transition = wake::is_in_transition(&next);
    publish(environment, &mut journal, next, ctx).await?;
    forget_retry(environment, namespace, ctx).await?;
    if let Some(project) = project_id(&journal, &observed) {
        account.follow(&project, effective.id.as_str(), in_transition);
    }
    tracing::Span::current().record("actions", plan.entries.len());
    let again = wake::after_visit(
        &effective,
        &plan,
        changed,
        error,
        in_transition,
        &ctx.intervals,
        ctx.now(),
    );
    let again = again.min(wake::when_believed(
        journal.status(),
        &observed,
        &ctx.intervals,
    ));
    let again = wake::when_judged(journal.status(), ctx.now()).map_or(again, |at| again.min(at));
    Ok((counted, again))
}

enum Unwanted {
    Refusal(Refusal),
    Error(ReconcileError),
    /// The credential is there and was not tried yet.
    NotYet,
}

impl From<inputs::InputsError> for Unwanted {
    fn from(error: inputs::InputsError) -> Self {
        match error {
            inputs::InputsError::Resolve(error) => Self::Refusal(Refusal::from(&error)),
            error @ inputs::InputsError::Api { .. } => Self::Error(error.into()),
        }
    }
}

impl From<resolve::ResolveError> for Unwanted {
    fn from(error: resolve::ResolveError) -> Self {
        Self::Refusal(Refusal::from(&error))
    }
}

/// What is wanted, and who may bring it about.
#[tracing::instrument(name = "resolve", skip_all)]
async fn wanted(
    environment: &Arc<Environment>,
    namespace: &str,
    revision: &mut Option<Revision>,
    ctx: &Arc<Context>,
) -> Result<(Effective, Arc<Account>, Taken), Unwanted> {
    let others = ctx.environments.state();
    if let Some(other) = rival::rival(environment, others.iter().map(AsRef::as_ref)) {
        return Err(Unwanted::Refusal(Refusal::conflict(&other)));
    }
    *revision = inputs::revision(&ctx.client, namespace, environment).await?;
    let template = revision.as_ref().map(|revision| &revision.spec);
    let spec = resolve::layered(environment, template)?;
    // Before they are read: what changes meanwhile wakes again.
    ctx.references.note(environment, &spec);
    let inputs = sources::values(&ctx.client, &*ctx.vault, namespace, &spec).await?;
    let taken = Taken::of(&spec, &inputs);
    let effective = resolve::resolve(environment, &spec, &inputs, &ctx.key)?.at(ctx.now());
    match ctx.accounts.get(namespace, &effective.account) {
        Standing::Ready(account) => Ok((effective, account, taken)),
        Standing::Refused(why) => Err(Unwanted::Refusal(Refusal::account(why))),
        Standing::Untried => {
            match inputs::account(&ctx.client, namespace, &effective.account).await? {
                Some(_) => Err(Unwanted::NotYet),
                None => Err(Unwanted::Refusal(Refusal::account(missing(
                    namespace,
                    &effective.account,
                )))),
            }
        }
    }
}

/// What there is, with the ledger balanced against it.
async fn look(
    asker: &Environment,
    effective: &Effective,
    account: &Account,
    journal: &mut Journal,
    ctx: &Context,
) -> Result<Result<Observed, mirage_railway::error::Error>, ReconcileError> {
    if let Some(error) = pending::follow(journal, account, ctx).await? {
        return Ok(Err(error));
    }
    // Once known, the project is found by id: a project of the same name made later is another one.
    let known = journal
        .status()
        .railway
        .as_ref()
        .and_then(|railway| railway.project_id.clone());
    let target = known.map_or_else(
        || effective.project.clone(),
        |id| ProjectTarget::Id(mirage_railway::id::ProjectId::new(id)),
    );
    if let (ProjectTarget::Id(project), Some(at)) = (&target, wake::wished_at(asker)) {
        account.observer.look_since(project, at);
    }
    let mut observed = match observe(
        &account.observer,
        &target,
        needed(effective, &journal.status().ledger),
        Priority::Convergence,
        ctx.intervals.patience,
    )
    .await
    {
        Ok(observed) => observed,
        Err(error) => return Ok(Err(error)),
    };
    if let Presence::Present(project) = &observed.project {
        let ledger = &journal.status().ledger;
        let ours = match ownership(&effective.id, &effective.environment_name, ledger, project) {
            Ownership::Ours(environment) | Ownership::Unmarked(environment) => Some(environment),
            Ownership::Foreign(..) | Ownership::Absent | Ownership::Unknown(_) => None,
        };
        if let Some(environment) = ours {
            let balanced = ledger::balance(
                ledger,
                effective,
                project,
                environment,
                &observed,
                ctx.now(),
            );
            let survey = Survey {
                effective,
                environment,
                observed: &observed,
                retry: asker.annotations().contains_key(RETRY),
                now: ctx.now(),
            };
            let (rollout, good) = survey.look(journal.status(), account).await;
            journal
                .write(|status| {
                    status.ledger = balanced;
                    status.rollout = rollout;
                    status.good = good;
                })
                .await?;
        }
    }
    let sources = copies::sources(effective, &observed, &journal.status().ledger);
    match copies::look(&account.observer, sources, Priority::Convergence).await {
        Ok(elsewhere) => observed.elsewhere = elsewhere,
        Err(error) => return Ok(Err(error)),
    }
    Ok(Ok(observed))
}

fn decide(
    environment: &Environment,
    effective: &Effective,
    observed: &Observed,
    status: &mirage_specs::EnvironmentStatus,
    requests: &Requests,
    account: &Account,
    now: Timestamp,
) -> Plan {
    let nothing = Applied::default();
    let memory = Memory {
        ledger: &status.ledger,
        applied: status.applied.as_ref().unwrap_or(&nothing),
        pending: status.pending_change.as_ref(),
        repairs: &status.repairs,
        was_suspended: status.suspended,
        retry: environment.annotations().contains_key(RETRY),
        redeploy: requests.redeploy.as_ref(),
        restart: requests.restart.as_ref(),
        restarts: status.restart.as_ref(),
        rollout: status.rollout.as_ref(),
        good: &status.good,
    };
    let importing = import::wanted(environment, &status.ledger);
    let mut plan = tracing::info_span!("diff")
        .in_scope(|| import::plan(importing.as_ref(), effective, observed, &memory, now));
    let makes_project = plan.entries.iter().find_map(|entry| match &entry.action {
        PlanAction::CreateProject { name } => Some(name.clone()),
        _ => None,
    });
    if let Some(name) = makes_project
        && !account.claim_project(&name, effective.id.as_str())
    {
        plan.entries.clear();
        plan.holds.push(Hold::AwaitingProject { name });
    }
    plan
}

/// Leaves out of the plan what a changed template brings before this environment's turn, and says what it follows.
fn follow_template(
    revision: Option<&Revision>,
    environment: &Environment,
    plan: &mut Plan,
    ctx: &Context,
) -> Option<TemplateStatus> {
    let revision = revision?;
    let is_forced = environment.annotations().contains_key(RETRY);
    let turn = follow::turn(revision, environment, &ctx.environments.state());
    follow::keep_back(plan, revision, environment, &turn, is_forced);
    follow::followed(revision, environment, plan, &turn, is_forced)
}

fn release_project(effective: &Effective, account: &Account) {
    if let ProjectTarget::Named(name) = &effective.project {
        account.release_project(name, effective.id.as_str());
    }
}

fn project_id(journal: &Journal, observed: &Observed) -> Option<mirage_railway::id::ProjectId> {
    if let Presence::Present(project) = &observed.project {
        return Some(project.id.clone());
    }
    let id = journal
        .status()
        .railway
        .as_ref()
        .and_then(|railway| railway.project_id.as_deref());
    id.map(mirage_railway::id::ProjectId::new)
}

async fn refuse(
    environment: &Arc<Environment>,
    journal: &mut Journal,
    refusal: Refusal,
    ctx: &Arc<Context>,
) -> Result<(&'static str, Duration), ReconcileError> {
    let generation = environment.metadata.generation.unwrap_or(0);
    let next = refusal.status(journal.status(), generation, ctx.now());
    publish(environment, journal, next, ctx).await?;
    Ok(("held", refusal.again(&ctx.intervals)))
}

/// Writes the status, and tells as an Event what of it is news.
#[tracing::instrument(name = "status", skip_all)]
async fn publish(
    environment: &Arc<Environment>,
    journal: &mut Journal,
    next: mirage_specs::EnvironmentStatus,
    ctx: &Arc<Context>,
) -> Result<(), ReconcileError> {
    let news = wake::news(environment.status.as_ref(), &next);
    journal.write(|status| *status = next).await?;
    for (severity, reason, note) in news {
        ctx.tell(environment.as_ref(), severity, &reason, note)
            .await;
    }
    Ok(())
}

async fn tell_plan(environment: &Arc<Environment>, plan: &Plan, ctx: &Arc<Context>) {
    let sentences: Vec<String> = plan
        .entries
        .iter()
        .map(|entry| entry.action.to_string())
        .collect();
    let note = format!("{} action(s): {}", sentences.len(), sentences.join("; "));
    ctx.tell(
        environment.as_ref(),
        EventType::Normal,
        crate::reason::Reason::Applying.into(),
        note,
    )
    .await;
}

fn count(
    plan: &Plan,
    changed: bool,
    earlier: &mirage_specs::EnvironmentStatus,
    ctx: &Context,
) -> &'static str {
    let drifted = plan
        .entries
        .iter()
        .filter(|entry| entry.reason == mirage_specs::plan::PlanReason::Drifted)
        .count() as u64;
    if changed {
        #[expect(
            clippy::cast_precision_loss,
            reason = "plans are far smaller than 2^52 actions"
        )]
        ctx.metrics.plan_actions.observe(plan.entries.len() as f64);
        ctx.metrics.drift_found.inc_by(drifted);
        ctx.metrics.drift_repaired.inc_by(drifted);
        return "changed";
    }
    let fresh = plan.reported.iter().filter(|entry| {
        !earlier
            .drift
            .iter()
            .any(|old| old.target == entry.action.target())
    });
    ctx.metrics.drift_found.inc_by(fresh.count() as u64);
    if plan.holds.is_empty() {
        "synced"
    } else {
        "held"
    }
}

/// A wish to go on is heard once.
async fn forget_retry(
    environment: &Arc<Environment>,
    namespace: &str,
    ctx: &Arc<Context>,
) -> Result<(), ReconcileError> {
    if environment.annotations().contains_key(RETRY) {
        let patch = json!({"metadata": {"annotations": {RETRY: null}}});
        ctx.api(namespace)
            .patch(
                &environment.name_any(),
                &PatchParams::default(),
                &Patch::Merge(patch),
            )
            .await?;
    }
    Ok(())
}

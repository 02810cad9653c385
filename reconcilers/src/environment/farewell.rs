//! A visit to an Environment that is being deleted: tear down, and let the object go.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams, PostParams},
    runtime::{controller::Action, events::EventType},
};
use mirage_railway::{budget::Priority, id::EnvironmentId, snapshot::Presence};
use mirage_specs::{
    Environment, EnvironmentStatus, Orphan, OrphanSpec,
    environment::{Deletion, LocalRef},
    ledger::LedgerKind,
    orphan::OrphanStatus,
};
use serde_json::json;

use super::{
    FINALIZER, ReconcileError,
    apply::{Applier, ApplyError, Outcome, apply},
    attempt,
    condition::{Finding, Truth, conditions, whole_seconds},
    effective::Effective,
    finding::told,
    identity::MirageId,
    journal::Journal,
    observe::{Observed, made, observe},
    plan::{Hold, Plan},
    resolve::DEFAULT_ACCOUNT,
    teardown::{self, Teardown, teardown},
    wake,
};
use crate::{
    accounts::{Account, Standing, missing},
    context::Context,
    reason::Reason,
};

/// One step of leaving.
pub(super) async fn visit(
    environment: &Arc<Environment>,
    namespace: &str,
    ctx: &Arc<Context>,
) -> Result<(&'static str, Action), ReconcileError> {
    let mut journal = Journal::open(ctx.api(namespace), environment);
    let now = ctx.now();
    journal
        .write(|status| {
            status.teardown_since.get_or_insert(whole_seconds(now));
            status.phase = Some("Deleting".to_owned());
        })
        .await?;
    let id = MirageId::new(environment.uid().unwrap_or_default());
    let Some(target) = teardown::project(journal.status()) else {
        return let_go(environment, namespace, None, ctx).await;
    };
    // The spec's own word, else what its template said when that was last asked.
    let declared = environment
        .spec
        .account_ref
        .as_ref()
        .map(|account| account.name.clone());
    let recorded = journal.status().account.clone();
    let account = declared
        .or(recorded)
        .unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
    let standing = ctx.accounts.get(namespace, &account);
    let unusable = match &standing {
        Standing::Ready(_) => None,
        Standing::Refused(why) => Some(why.clone()),
        Standing::Untried => Some(missing(namespace, &account)),
    };
    let (observed, account) = match standing {
        Standing::Refused(_) | Standing::Untried => (
            Observed::nothing(unusable.unwrap_or_default(), ctx.intervals.patience),
            None,
        ),
        Standing::Ready(account) => {
            match observe(
                &account.observer,
                &target,
                made(&journal.status().ledger),
                Priority::Convergence,
                ctx.intervals.patience,
            )
            .await
            {
                Ok(observed) => (observed, Some(account)),
                Err(error) => {
                    let unseen = Observed::nothing(error.to_string(), ctx.intervals.patience);
                    (unseen, Some(account))
                }
            }
        }
    };
    let deletion = if attempt::is_taken_back(environment) {
        // What was made for a copy that failed goes, whatever the copy would have kept.
        Deletion::Delete
    } else {
        let declared = environment.spec.deletion;
        declared.or(journal.status().deletion).unwrap_or_default()
    };
    let mut next = teardown(&id, journal.status(), &observed, deletion, now);
    if let (Teardown::Done { .. }, Deletion::Delete, Some(account)) = (&next, deletion, &account)
        && let Some(hold) = still_there(journal.status(), account).await
    {
        next = teardown::not_done(journal.status(), hold, &observed, now);
    }
    match (next, account) {
        (Teardown::Done { note }, account) => {
            if let Some(account) = account {
                stop_following(journal.status(), &account, &id);
            }
            let_go(environment, namespace, note, ctx).await
        }
        (Teardown::GiveUp { railway_id, why }, _) => {
            leave_orphan(
                environment,
                namespace,
                journal.status(),
                railway_id,
                &why,
                ctx,
            )
            .await?;
            let note = format!("could not be removed from Railway and is kept as an Orphan: {why}");
            ctx.tell(
                environment.as_ref(),
                EventType::Warning,
                Reason::Orphaned.into(),
                note.clone(),
            )
            .await;
            let_go(environment, namespace, Some(note), ctx).await
        }
        (Teardown::Work(plan), Some(account)) => {
            work(
                environment,
                &id,
                &target,
                &plan,
                &observed,
                &account,
                &mut journal,
                ctx,
            )
            .await
        }
        (Teardown::Work(plan), None) => {
            tell(&mut journal, environment, &plan, None, ctx).await?;
            Ok(("waiting", Action::requeue(ctx.intervals.active)))
        }
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of one visit, used once"
)]
async fn work(
    environment: &Arc<Environment>,
    id: &MirageId,
    target: &super::effective::ProjectTarget,
    plan: &Plan,
    observed: &Observed,
    account: &Account,
    journal: &mut Journal,
    ctx: &Arc<Context>,
) -> Result<(&'static str, Action), ReconcileError> {
    let entry = journal
        .status()
        .ledger
        .iter()
        .find(|entry| entry.kind == LedgerKind::Environment);
    let name = entry.map(|entry| entry.name.clone()).unwrap_or_default();
    let effective = Effective::shell(id.clone(), name, target.clone());
    let applier = Applier {
        account,
        effective: &effective,
        observed,
        journal,
        plan: &plan.hash,
        restart: None,
        now: ctx.now(),
    };
    let outcome = match apply(applier, plan).await {
        Ok(outcome) => outcome,
        Err(ApplyError::Ledger(error)) => return Err(error.into()),
    };
    if let Presence::Present(project) = &observed.project {
        account.follow(&project.id, id.as_str(), true);
    }
    match outcome {
        Outcome::Failed(error) => {
            tell(journal, environment, plan, Some(&error), ctx).await?;
            Ok((
                "failed",
                Action::requeue(
                    wake::after_error(&error, &ctx.intervals).min(ctx.intervals.resync),
                ),
            ))
        }
        Outcome::Changed | Outcome::Nothing => {
            tell(journal, environment, plan, None, ctx).await?;
            Ok(("changed", Action::requeue(ctx.intervals.soon)))
        }
    }
}

async fn tell(
    journal: &mut Journal,
    environment: &Arc<Environment>,
    plan: &Plan,
    error: Option<&mirage_railway::error::Error>,
    ctx: &Arc<Context>,
) -> Result<(), ReconcileError> {
    let message = match error {
        Some(error) => told(error).1,
        None => {
            let doing = plan.entries.iter().map(|entry| entry.action.to_string());
            let waiting = plan.holds.iter().map(ToString::to_string);
            doing.chain(waiting).collect::<Vec<_>>().join("; ")
        }
    };
    let reason = error.map_or(Reason::TearingDown, |error| told(error).0);
    let generation = environment.metadata.generation.unwrap_or(0);
    let find = |kind, truth| Finding {
        kind,
        truth,
        reason,
        message: message.clone(),
    };
    let findings = vec![
        find("Ready", Truth::False),
        find("Synced", Truth::False),
        find("Progressing", Truth::True),
    ];
    let now = ctx.now();
    journal
        .write(|status| {
            status.observed_generation = Some(generation);
            status.conditions = conditions(&status.conditions, findings, generation, now);
        })
        .await?;
    Ok(())
}

async fn let_go(
    environment: &Arc<Environment>,
    namespace: &str,
    note: Option<String>,
    ctx: &Arc<Context>,
) -> Result<(&'static str, Action), ReconcileError> {
    let note = note.unwrap_or_else(|| "nothing of it is left on Railway".to_owned());
    ctx.tell(
        environment.as_ref(),
        EventType::Normal,
        Reason::TornDown.into(),
        note,
    )
    .await;
    let left: Vec<&String> = environment
        .finalizers()
        .iter()
        .filter(|finalizer| *finalizer != FINALIZER)
        .collect();
    let patch = json!({"metadata": {"finalizers": left}});
    match ctx
        .api(namespace)
        .patch(
            &environment.name_any(),
            &PatchParams::default(),
            &Patch::Merge(patch),
        )
        .await
    {
        Ok(_) => Ok(("torn_down", Action::await_change())),
        Err(kube::Error::Api(status)) if status.code == 404 => {
            Ok(("torn_down", Action::await_change()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Lists are not enough to let go of something that was made: the environment is asked for by its id.
async fn still_there(status: &EnvironmentStatus, account: &Account) -> Option<Hold> {
    let entry = status
        .ledger
        .iter()
        .find(|entry| entry.kind == LedgerKind::Environment)?;
    let id = EnvironmentId::new(entry.railway_id.as_deref()?);
    match account.client.is_environment_there(&id).await {
        Ok(false) => None,
        Ok(true) => Some(Hold::AwaitingVisibility {
            what: format!("that environment {} is gone", entry.name),
        }),
        Err(error) => Some(Hold::Unobserved {
            why: error.to_string(),
        }),
    }
}

fn stop_following(status: &EnvironmentStatus, account: &Account, id: &MirageId) {
    if let Some(project) = status
        .railway
        .as_ref()
        .and_then(|railway| railway.project_id.as_deref())
    {
        account.follow(
            &mirage_railway::id::ProjectId::new(project),
            id.as_str(),
            false,
        );
    }
}

async fn leave_orphan(
    environment: &Arc<Environment>,
    namespace: &str,
    status: &EnvironmentStatus,
    railway_id: Option<String>,
    why: &str,
    ctx: &Arc<Context>,
) -> Result<(), ReconcileError> {
    let railway = status.railway.clone().unwrap_or_default();
    let uid = environment.uid().unwrap_or_default();
    // One Orphan per environment, however often this line runs.
    let name = format!("environment-{uid}");
    let orphan = Orphan {
        metadata: ObjectMeta { name: Some(name), namespace: Some(namespace.to_owned()), ..ObjectMeta::default() },
        spec: OrphanSpec {
            what: "environment".to_owned(),
            name: railway.environment_name.unwrap_or_else(|| environment.name_any()),
            railway_id: railway_id.or(railway.environment_id),
            project_id: railway.project_id,
            made_by: uid,
            account_ref: status.account.clone().map(|name| LocalRef { name }),
            reason: why.to_owned(),
            next_step: "Look at it in Railway's dashboard and delete it there, or delete this Orphan to forget it.".to_owned(),
        },
        status: None::<OrphanStatus>,
    };
    let api: Api<Orphan> = Api::namespaced(ctx.client.clone(), namespace);
    match api.create(&PostParams::default(), &orphan).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        Err(error) => Err(error.into()),
    }
}

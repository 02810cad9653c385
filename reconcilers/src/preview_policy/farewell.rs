//! A visit to a policy that is being deleted: its environments go, pull requests are told, and the object is let go.
//!
//! GitHub may be away for good, or the token revoked. So telling is tried for a while and then given up with an Event;
//! the environments are gone by then in any case, each with its own finalizer.

use std::sync::Arc;

use jiff::SignedDuration;
use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams},
    runtime::{controller::Action as Requeue, events::EventType},
};
use mirage_specs::{
    PreviewPolicy,
    preview_policy::{PreviewState, PreviewStatus},
};
use serde_json::json;

use super::{
    FINALIZER, PreviewError, Previews,
    apply::apply,
    child,
    diff::{Action, Removal},
    inputs::Unusable,
    journal::Journal,
    life,
    recent::Recent,
    refusal::Refusal,
    report::{Reporter, WRITES_PER_VISIT, is_settled, story::Story},
    status,
    visit::{bench, children},
};
use crate::{environment::condition::whole_seconds, reason::Reason};

/// How long it is tried to say the last thing on a pull request that is over: long enough for an hourly limit to pass.
pub(super) const CLOSING: SignedDuration = SignedDuration::from_hours(2);

/// One step of leaving.
pub(super) async fn visit(
    policy: &Arc<PreviewPolicy>,
    namespace: &str,
    previews: &Previews,
    recent: &mut Recent,
) -> Result<(&'static str, Requeue), PreviewError> {
    let ctx = &previews.context;
    let api: Api<PreviewPolicy> = Api::namespaced(ctx.client.clone(), namespace);
    let mut journal = Journal::open(api.clone(), policy);
    let own = children(policy, namespace, previews).await?;
    let environments = ctx.api(namespace);
    for environment in own
        .iter()
        .filter(|child| child.metadata.deletion_timestamp.is_none())
    {
        let action = Action::Delete {
            number: child::number(environment).unwrap_or_default(),
            name: environment.name_any(),
            uid: environment.uid().unwrap_or_default(),
            why: Removal::Unfit,
        };
        apply(&environments, policy, &action).await?;
    }
    let message = format!("{} environment(s) are being torn down", own.len());
    let going = Refusal::new(Reason::TearingDown, message);
    if !own.is_empty() {
        publish(policy, &mut journal, &going, None, previews).await?;
        return Ok(("tearing_down", Requeue::requeue(ctx.intervals.active)));
    }
    let mut lives: Vec<PreviewStatus> = journal.status().previews.clone();
    let unsaid = say_goodbye(policy, namespace, &mut lives, previews, recent).await?;
    publish(policy, &mut journal, &going, Some(lives), previews).await?;
    if let Some((why, may_pass)) = unsaid {
        let since = policy
            .metadata
            .deletion_timestamp
            .as_ref()
            .map(|time| time.0);
        let is_late = since
            .is_none_or(|since| ctx.now().duration_since(since) > ctx.intervals.patience.teardown);
        if may_pass && !is_late {
            return Ok(("waiting", Requeue::requeue(ctx.intervals.active)));
        }
        let note = format!("the policy is gone, and some pull requests were not told: {why}");
        ctx.tell(
            policy.as_ref(),
            EventType::Warning,
            Reason::NotReported.into(),
            note,
        )
        .await;
    }
    let left: Vec<&str> = policy
        .finalizers()
        .iter()
        .map(String::as_str)
        .filter(|finalizer| *finalizer != FINALIZER)
        .collect();
    let patch = json!({"metadata": {"finalizers": left, "resourceVersion": policy_version(&api, policy).await?}});
    match api
        .patch(
            &policy.name_any(),
            &PatchParams::default(),
            &Patch::Merge(patch),
        )
        .await
    {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        Err(error) => return Err(error.into()),
    }
    previews.forget(&policy.uid().unwrap_or_default());
    ctx.metrics.forget_previews(namespace, &policy.name_any());
    Ok(("gone", Requeue::await_change()))
}

/// The version to take the finalizer from: our own status write has moved it on.
async fn policy_version(
    api: &Api<PreviewPolicy>,
    policy: &PreviewPolicy,
) -> Result<Option<String>, kube::Error> {
    let current = api.get_opt(&policy.name_any()).await?;
    Ok(current.and_then(|current| current.resource_version()))
}

/// Tells every pull request that its preview is gone. Returns why that is not done yet, and whether waiting may help.
async fn say_goodbye(
    policy: &Arc<PreviewPolicy>,
    namespace: &str,
    lives: &mut [PreviewStatus],
    previews: &Previews,
    recent: &mut Recent,
) -> Result<Option<(String, bool)>, PreviewError> {
    let ctx = &previews.context;
    let was_told = |life: &PreviewStatus| life.comment.is_some() || life.deployment.is_some();
    if !lives.iter().any(was_told) {
        return Ok(None);
    }
    let bench = match bench(policy, namespace, previews).await {
        Ok(bench) => bench,
        Err(Unusable::Api(error)) => return Err(error.into()),
        Err(Unusable::Refused(refusal)) => {
            let may_pass = matches!(
                refusal.reason,
                Reason::GitHubUnreachable | Reason::RateLimitedUntil
            );
            return Ok(Some((refusal.message, may_pass)));
        }
    };
    let name = policy.name_any();
    let mut reporter = Reporter {
        forge: bench.forge.as_ref(),
        repository: &bench.repository,
        own: &bench.own,
        recent,
        metrics: &ctx.metrics,
        now: ctx.now(),
        writes: WRITES_PER_VISIT,
        is_unfinished: false,
    };
    let mut is_settled_everywhere = true;
    for life in lives.iter_mut().filter(|life| was_told(life)) {
        let mut last = life::closed(life, life.merged, whole_seconds(ctx.now()));
        last.state = PreviewState::Closed;
        last.message = Some(format!("The preview policy {name} was deleted."));
        let story = Story {
            marker: &bench.marker,
            policy: &name,
            preview: &last.clone(),
            environment: None,
            focus: None,
            withheld: &[],
            logs: &[],
            dashboard: None,
        };
        reporter.report(&story, &mut last).await;
        is_settled_everywhere &= is_settled(&story, &last);
        *life = last;
    }
    let why = recent.unsaid().map(|refusal| refusal.message);
    Ok((!is_settled_everywhere).then(|| {
        (
            why.unwrap_or_else(|| "not everything fitted into one visit".to_owned()),
            true,
        )
    }))
}

async fn publish(
    policy: &Arc<PreviewPolicy>,
    journal: &mut Journal,
    going: &Refusal,
    previews_now: Option<Vec<PreviewStatus>>,
    previews: &Previews,
) -> Result<(), PreviewError> {
    let visit = status::Visit {
        previews: previews_now,
        refusal: Some(going),
        ..status::Visit::default()
    };
    let next = status::status(journal.status(), policy, visit, previews.context.now());
    journal.write(next).await?;
    Ok(())
}

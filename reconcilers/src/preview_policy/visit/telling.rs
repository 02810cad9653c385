//! What a visit says: on the policy, as Events, and on GitHub.

use std::{collections::BTreeMap, collections::BTreeSet, sync::Arc};

use kube::{ResourceExt as _, runtime::events::EventType};
use mirage_railway::id::DeploymentId;
use mirage_specs::{
    Environment, PreviewPolicy, PreviewPolicyStatus, ServiceState,
    preview_policy::{PreviewState, PreviewStatus},
};

use super::{Bench, known::Knowledge};
use crate::{
    accounts::Standing,
    context::Context,
    environment::{inputs, resolve, sources},
    preview_policy::{
        PreviewError, Previews, child,
        diff::{Action, Known},
        farewell::CLOSING,
        journal::Journal,
        recent::Recent,
        report::{
            Reporter, WRITES_PER_VISIT, is_settled, logs,
            story::{ServiceLog, Story},
        },
    },
    reason::Reason,
};

/// Deployments whose logs one visit asks Railway for.
const LOGS_PER_VISIT: usize = 5;

/// What came of telling.
#[derive(Default)]
pub(in crate::preview_policy) struct Told {
    /// Whether something was left for the next visit.
    pub(in crate::preview_policy) is_unfinished: bool,
    /// Pull requests of which everything has been said.
    pub(in crate::preview_policy) settled: BTreeSet<u64>,
}

/// The Environment of a pull request: the one that stays, if there are several.
pub(super) fn environment_of(children: &[Environment], number: u64) -> Option<&Environment> {
    children
        .iter()
        .filter(|environment| child::number(environment) == Some(number))
        .min_by_key(|environment| {
            (
                environment.metadata.deletion_timestamp.is_some(),
                environment.name_any(),
            )
        })
}

/// Says on GitHub what changed.
#[expect(
    clippy::too_many_arguments,
    reason = "all that a visit has learnt is told"
)]
pub(super) async fn tell(
    policy: &PreviewPolicy,
    namespace: &str,
    bench: &Bench,
    lives: &mut BTreeMap<u64, PreviewStatus>,
    knowledge: &Knowledge,
    children: &[Environment],
    recent: &mut Recent,
    previews: &Previews,
) -> Result<Told, PreviewError> {
    let ctx = &previews.context;
    let mut logs = BTreeMap::new();
    if policy.spec.logs != Some(false) {
        logs = read_logs(namespace, lives, children, recent, ctx).await?;
    }
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
    let mut settled = BTreeSet::new();
    for (number, life) in lives.iter_mut() {
        let known = knowledge.known.get(number);
        // What could not be read is not spoken about: nothing is known that was not said before.
        if matches!(known, None | Some(Known::Unread(_))) {
            continue;
        }
        let name = policy.name_any();
        let preview = life.clone();
        let dashboard = preview
            .environment
            .as_deref()
            .and_then(|name| previews.dashboard(namespace, name));
        let (focus, withheld) = match known {
            Some(Known::Wanted { preview, .. }) => {
                (preview.focus.as_ref(), preview.withheld.as_slice())
            }
            _ => (None, &[][..]),
        };
        let story = Story {
            marker: &bench.marker,
            policy: &name,
            preview: &preview,
            environment: environment_of(children, *number),
            focus,
            withheld,
            logs: logs.get(number).map(Vec::as_slice).unwrap_or_default(),
            dashboard: dashboard.as_deref(),
        };
        reporter.report(&story, life).await;
        if is_settled(&story, life) {
            settled.insert(*number);
        }
    }
    Ok(Told {
        is_unfinished: reporter.is_unfinished,
        settled,
    })
}

/// Pull requests that are closed, whose environment is gone and of which everything was said are forgotten. What could not
/// be said for long is given up: the pull request is over.
pub(super) fn part_with_what_is_over(
    lives: &mut BTreeMap<u64, PreviewStatus>,
    children: &[Environment],
    told: &Told,
    ctx: &Context,
) {
    let now = ctx.now();
    lives.retain(|number, life| {
        let Some(closed_at) = life.closed_at else {
            return true;
        };
        let is_gone = environment_of(children, *number).is_none();
        let is_late = now.duration_since(closed_at) > CLOSING;
        !(is_gone && (told.settled.contains(number) || is_late))
    });
}

/// The last lines of services that failed, blanked of the values of Secrets.
async fn read_logs(
    namespace: &str,
    lives: &BTreeMap<u64, PreviewStatus>,
    children: &[Environment],
    recent: &mut Recent,
    ctx: &Arc<Context>,
) -> Result<BTreeMap<u64, Vec<ServiceLog>>, PreviewError> {
    let mut all: BTreeMap<u64, Vec<ServiceLog>> = BTreeMap::new();
    let mut asked = 0;
    let mut shown = BTreeSet::new();
    for life in lives
        .values()
        .filter(|life| life.state == PreviewState::Failed)
    {
        let Some(environment) = environment_of(children, life.number) else {
            continue;
        };
        let Some(status) = &environment.status else {
            continue;
        };
        for (service, state) in &status.services {
            let Some(deployment) = state
                .deployment_id
                .as_ref()
                .filter(|_| state.state == ServiceState::Failed)
            else {
                continue;
            };
            if !recent.logs.contains_key(deployment) && asked < LOGS_PER_VISIT {
                asked += 1;
                let name = status
                    .account
                    .as_deref()
                    .unwrap_or(resolve::DEFAULT_ACCOUNT);
                let Standing::Ready(account) = ctx.accounts.get(namespace, name) else {
                    continue;
                };
                match logs::last_lines(&account.client, &DeploymentId::new(deployment)).await {
                    Ok(lines) => {
                        // Later, once it is known what must not be shown.
                        let Some(secrets) = secrets(namespace, environment, ctx).await? else {
                            continue;
                        };
                        recent
                            .logs
                            .insert(deployment.clone(), logs::shown(&lines, &secrets));
                    }
                    Err(error) => tracing::debug!(%error, %deployment, "logs could not be read"),
                }
            }
            if let Some(lines) = recent.logs.get(deployment) {
                shown.insert(deployment.clone());
                all.entry(life.number).or_default().push(ServiceLog {
                    service: service.clone(),
                    lines: lines.clone(),
                });
            }
        }
    }
    recent
        .logs
        .retain(|deployment, _| shown.contains(deployment));
    Ok(all)
}

/// The values that an environment was given from Secrets and secret stores; nothing when one of them cannot be read now.
async fn secrets(
    namespace: &str,
    environment: &Environment,
    ctx: &Arc<Context>,
) -> Result<Option<BTreeSet<String>>, PreviewError> {
    match sources::values(&ctx.client, &*ctx.vault, namespace, &environment.spec).await {
        Ok(found) if !found.unread.is_empty() => Ok(None),
        Ok(found) => Ok(Some(
            found
                .secrets
                .values()
                .flat_map(|secret| logs::as_printed(secret.expose()).collect::<Vec<_>>())
                .collect(),
        )),
        Err(inputs::InputsError::Api { source, .. }) => Err(source.into()),
        Err(inputs::InputsError::Resolve(_)) => Ok(None),
    }
}

/// Tells of something that was done.
pub(in crate::preview_policy) async fn tell_action(
    policy: &PreviewPolicy,
    action: &Action,
    ctx: &Arc<Context>,
) {
    let (reason, what) = match action {
        Action::Create { .. } => (Reason::PreviewCreated, "created"),
        Action::Move { .. } => (Reason::PreviewMoved, "moved"),
        Action::Delete { .. } => (Reason::PreviewRemoved, "removed"),
    };
    ctx.metrics.preview_action(what);
    ctx.tell(policy, EventType::Normal, reason.into(), action.to_string())
        .await;
}

/// Writes the status, and tells as an Event what of it is news.
pub(in crate::preview_policy) async fn publish(
    policy: &Arc<PreviewPolicy>,
    journal: &mut Journal,
    next: PreviewPolicyStatus,
    ctx: &Arc<Context>,
) -> Result<(), PreviewError> {
    let news = news(policy.status.as_ref(), &next);
    journal.write(next).await?;
    for (reason, note) in news {
        ctx.tell(policy.as_ref(), EventType::Warning, &reason, note)
            .await;
    }
    Ok(())
}

/// What somebody who watches Events wants to hear: what went wrong, once for each reason.
fn news(
    earlier: Option<&PreviewPolicyStatus>,
    next: &PreviewPolicyStatus,
) -> Vec<(String, String)> {
    let before = earlier
        .map(|status| status.conditions.as_slice())
        .unwrap_or_default();
    let mut news: Vec<(String, String)> = Vec::new();
    for condition in &next.conditions {
        let is_bad = condition.status == "False"
            && matches!(condition.type_.as_str(), "Ready" | "Synced" | "Reported");
        let is_known = before.iter().any(|old| {
            old.type_ == condition.type_
                && old.status == condition.status
                && old.reason == condition.reason
        });
        let is_quiet = condition.reason == Reason::Suspended.to_string();
        if is_bad
            && !is_known
            && !is_quiet
            && !news.iter().any(|(reason, _)| *reason == condition.reason)
        {
            news.push((condition.reason.clone(), condition.message.clone()));
        }
    }
    news
}

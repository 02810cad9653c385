//! What is told about a policy, from what was seen, decided and said. Pure.

use jiff::Timestamp;
use mirage_specs::{
    PreviewPolicy, PreviewPolicyStatus,
    preview_policy::{PreviewState, PreviewStatus},
};

use super::refusal::Refusal;
use crate::{
    environment::condition::{Finding, Truth, conditions},
    reason::Reason,
};

/// Pull requests that the policy is not for are listed up to this many, the newest first: a busy repository has thousands.
const MOST_IGNORED: usize = 100;

/// What one visit came to.
#[derive(Clone, Debug, Default)]
pub struct Visit<'a> {
    /// The account that comments come from, when it was learnt.
    pub identity: Option<String>,
    /// Every pull request; `None` when nothing new was learnt of them.
    pub previews: Option<Vec<PreviewStatus>>,
    /// Why GitHub or the credential could not be used, or the policy makes no sense.
    pub refusal: Option<&'a Refusal>,
    /// Why something could not be said on GitHub.
    pub unsaid: Option<Refusal>,
    /// What people should know although all is well.
    pub warning: Option<String>,
}

/// The status after a visit. What was not seen this time is left as it was seen last.
pub fn status(
    earlier: &PreviewPolicyStatus,
    policy: &PreviewPolicy,
    visit: Visit<'_>,
    now: Timestamp,
) -> PreviewPolicyStatus {
    let generation = policy.metadata.generation.unwrap_or(0);
    let mut next = earlier.clone();
    if let Some(previews) = visit.previews {
        next.previews = shortened(previews);
    }
    if visit.identity.is_some() {
        next.identity = visit.identity;
    }
    let counts = Counts::of(&next.previews);
    if visit.refusal.is_none() {
        next.open = Some(counts.open);
        next.ready = Some(counts.ready);
        next.queued = Some(counts.queued);
        next.failed = Some(counts.failed);
    }
    let is_suspended = policy.spec.suspend == Some(true);
    let findings = if let Some(refusal) = visit.refusal {
        refused(refusal)
    } else if is_suspended {
        refused(&Refusal::new(
            Reason::Suspended,
            "spec.suspend is set: everything stays as it is".to_owned(),
        ))
    } else {
        let mut findings = seen(&next.previews, &counts, visit.warning);
        findings.push(reported(visit.unsaid));
        findings
    };
    next.phase = Some(phase(visit.refusal, is_suspended, &counts).to_owned());
    next.observed_generation = Some(generation);
    next.conditions = conditions(&earlier.conditions, findings, generation, now);
    next
}

/// How many there are of each sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    open: u32,
    ready: u32,
    queued: u32,
    failed: u32,
    moving: u32,
}

impl Counts {
    fn of(previews: &[PreviewStatus]) -> Self {
        let mut counts = Self::default();
        for preview in previews {
            if preview.closed_at.is_none() && preview.state != PreviewState::Ignored {
                counts.open += 1;
            }
            match preview.state {
                PreviewState::Ready => counts.ready += 1,
                PreviewState::Queued => counts.queued += 1,
                PreviewState::Failed | PreviewState::Conflict | PreviewState::Invalid => {
                    counts.failed += 1;
                }
                PreviewState::Pending | PreviewState::Deploying | PreviewState::TearingDown => {
                    counts.moving += 1;
                }
                PreviewState::Ignored
                | PreviewState::Unknown
                | PreviewState::Expired
                | PreviewState::Destroyed
                | PreviewState::Closed => {}
            }
        }
        counts
    }
}

/// Those that are kept: all but the oldest of which nothing is to be known.
pub(super) fn shortened(mut previews: Vec<PreviewStatus>) -> Vec<PreviewStatus> {
    previews.sort_by_key(|preview| std::cmp::Reverse(preview.number));
    let mut ignored = 0;
    previews.retain(|preview| {
        let is_bare = preview.state == PreviewState::Ignored && preview.comment.is_none();
        ignored += usize::from(is_bare);
        !is_bare || ignored <= MOST_IGNORED
    });
    previews.sort_by_key(|preview| preview.number);
    previews
}

fn finding(kind: &'static str, truth: Truth, reason: Reason, message: String) -> Finding {
    Finding {
        kind,
        truth,
        reason,
        message,
    }
}

fn refused(refusal: &Refusal) -> Vec<Finding> {
    let tell = |kind, truth| finding(kind, truth, refusal.reason, refusal.message.clone());
    vec![
        tell("Ready", Truth::False),
        // What was brought about before is still there; whether it is still right is not known.
        tell("Synced", Truth::Unknown),
        finding(
            "Progressing",
            Truth::False,
            refusal.reason,
            "nothing is done until this is settled".to_owned(),
        ),
    ]
}

fn seen(previews: &[PreviewStatus], counts: &Counts, warning: Option<String>) -> Vec<Finding> {
    let mut message = format!(
        "{} open, {} ready, {} waiting for a place",
        counts.open, counts.ready, counts.queued
    );
    if let Some(warning) = warning {
        message = format!("{message}; {warning}");
    }
    let wrong = |preview: &&PreviewStatus| {
        matches!(
            preview.state,
            PreviewState::Conflict | PreviewState::Invalid | PreviewState::Unknown
        )
    };
    let synced = match previews.iter().find(wrong) {
        Some(preview) => {
            let reason = match preview.state {
                PreviewState::Conflict => Reason::Conflict,
                PreviewState::Unknown => Reason::Unobserved,
                _ => Reason::InvalidSpec,
            };
            let why = preview.message.as_deref().unwrap_or_default();
            finding(
                "Synced",
                Truth::False,
                reason,
                format!("#{}: {why}", preview.number),
            )
        }
        None => finding(
            "Synced",
            Truth::True,
            Reason::InSync,
            "every pull request has what it is to have".to_owned(),
        ),
    };
    let progressing = if counts.moving == 0 {
        finding(
            "Progressing",
            Truth::False,
            Reason::Settled,
            "nothing is under way".to_owned(),
        )
    } else {
        let message = format!("{} environment(s) on their way", counts.moving);
        finding("Progressing", Truth::True, Reason::Applying, message)
    };
    vec![
        finding("Ready", Truth::True, Reason::Watching, message),
        synced,
        progressing,
    ]
}

fn reported(unsaid: Option<Refusal>) -> Finding {
    match unsaid {
        Some(refusal) => finding("Reported", Truth::False, refusal.reason, refusal.message),
        None => finding(
            "Reported",
            Truth::True,
            Reason::Reported,
            "comments, deployments and statuses are up to date".to_owned(),
        ),
    }
}

fn phase(refusal: Option<&Refusal>, is_suspended: bool, counts: &Counts) -> &'static str {
    match refusal {
        Some(refusal) if refusal.reason == Reason::TearingDown => "Deleting",
        Some(refusal)
            if matches!(
                refusal.reason,
                Reason::RateLimitedUntil
                    | Reason::GitHubUnreachable
                    | Reason::WaitingForSecret
                    | Reason::WaitingForTemplate
            ) =>
        {
            "Waiting"
        }
        Some(_) => "Failed",
        None if is_suspended => "Suspended",
        None if counts.failed > 0 => "Degraded",
        None if counts.moving > 0 => "Progressing",
        None => "Ready",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview_policy::fixtures::at;

    fn policy() -> PreviewPolicy {
        let mut policy = PreviewPolicy::new("shop", mirage_specs::PreviewPolicySpec::default());
        policy.metadata.generation = Some(3);
        policy
    }

    fn preview(number: u64, state: PreviewState) -> PreviewStatus {
        PreviewStatus {
            number,
            state,
            message: Some("why".to_owned()),
            ..PreviewStatus::default()
        }
    }

    fn told(previews: Vec<PreviewStatus>) -> PreviewPolicyStatus {
        let visit = Visit {
            previews: Some(previews),
            ..Visit::default()
        };
        status(&PreviewPolicyStatus::default(), &policy(), visit, at(0))
    }

    fn condition(status: &PreviewPolicyStatus, kind: &str) -> (String, String) {
        let found = status
            .conditions
            .iter()
            .find(|found| found.type_ == kind)
            .unwrap();
        (found.status.clone(), found.reason.clone())
    }

    #[test]
    fn counts_and_phase_follow_from_the_previews() {
        use PreviewState::{Closed, Conflict, Deploying, Ignored, Queued, Ready};
        let status = told(vec![
            preview(1, Ready),
            preview(2, Queued),
            preview(3, Ignored),
        ]);
        assert_eq!(
            (status.open, status.ready, status.queued),
            (Some(2), Some(1), Some(1))
        );
        assert_eq!(status.phase.as_deref(), Some("Ready"));
        assert_eq!(
            told(vec![preview(1, Deploying)]).phase.as_deref(),
            Some("Progressing")
        );
        let conflict = told(vec![preview(1, Conflict), preview(2, Deploying)]);
        assert_eq!(conflict.phase.as_deref(), Some("Degraded"));
        assert_eq!(
            condition(&conflict, "Synced"),
            ("False".to_owned(), "Conflict".to_owned())
        );
        let mut closed = preview(1, Closed);
        closed.closed_at = Some(at(0));
        assert_eq!(told(vec![closed]).open, Some(0));
    }

    #[test]
    fn when_github_cannot_be_read_what_was_seen_stays_told() {
        let earlier = told(vec![preview(1, PreviewState::Ready)]);
        let refusal = Refusal::new(Reason::GitHubUnauthorized, "no".to_owned());
        let visit = Visit {
            refusal: Some(&refusal),
            ..Visit::default()
        };
        let status = status(&earlier, &policy(), visit, at(5));
        assert_eq!((status.previews.len(), status.ready), (1, Some(1)));
        assert_eq!(status.phase.as_deref(), Some("Failed"));
        assert_eq!(
            condition(&status, "Ready"),
            ("False".to_owned(), "GitHubUnauthorized".to_owned())
        );
        assert_eq!(condition(&status, "Synced").0, "Unknown");
    }

    #[test]
    fn of_those_that_are_ignored_only_the_newest_are_listed() {
        let many = (1..=150)
            .map(|number| preview(number, PreviewState::Ignored))
            .collect();
        let status = told(many);
        assert_eq!(status.previews.len(), MOST_IGNORED);
        assert_eq!(status.previews[0].number, 51);
    }

    #[test]
    fn the_same_visit_gives_the_same_status() {
        let once = told(vec![preview(1, PreviewState::Ready)]);
        let visit = Visit {
            previews: Some(once.previews.clone()),
            ..Visit::default()
        };
        assert_eq!(status(&once, &policy(), visit, at(60)), once);
    }
}

//! What a process remembers of a policy between visits. Losing it costs requests, never truth.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;
use mirage_github::{ChangedFiles, Error, PullRequest};
use mirage_specs::{PreviewPolicy, preview_policy::DEFAULT_INTERVAL_SECONDS};

use super::{calm::Calm, refusal::Refusal, survey::Survey};

/// The memory of one policy.
#[derive(Debug, Default)]
pub struct Recent {
    /// When the repository was last looked at, and what woke that look.
    looked: Option<(Timestamp, u64)>,
    /// Open pull requests as of then.
    pub open: BTreeMap<u64, PullRequest>,
    /// Pull requests that could not be read then, and why.
    pub unread: BTreeMap<u64, String>,
    /// Changed files by pull request and commit: they stay the same until the next push.
    pub files: BTreeMap<(u64, String), Arc<ChangedFiles>>,
    /// Last lines of failed deployments, by Railway's id.
    pub logs: BTreeMap<String, Vec<String>>,
    /// What GitHub refused, by what it is about: until when it is not asked for again, and why it was refused. Stays until
    /// it is taken.
    refused: BTreeMap<String, (Timestamp, Refusal)>,
    /// Until when GitHub is not asked at all, and why.
    barred: Option<(Timestamp, Refusal)>,
    /// What on GitHub this process wrote last, and so knows what it says: `comment 17`.
    sure: BTreeSet<String>,
    /// How things stood when nothing was left to be done.
    pub calm: Option<Calm>,
    /// The repository as a whole, and the policy's generation that asked.
    survey: Option<(Option<i64>, Survey)>,
}

impl Recent {
    /// Whether it is time to look at the repository: the interval is over, or somebody changed or annotated the policy
    /// (a webhook does that).
    pub fn is_due(&self, policy: &PreviewPolicy, now: Timestamp) -> bool {
        match self.looked {
            Some((at, woken_by)) => {
                woken_by != cause(policy) || now.duration_since(at) >= signed(interval(policy))
            }
            None => true,
        }
    }

    /// Notes a look.
    pub fn looked(&mut self, policy: &PreviewPolicy, now: Timestamp) {
        self.looked = Some((now, cause(policy)));
    }

    /// How long until the next look.
    pub fn until_due(&self, policy: &PreviewPolicy, now: Timestamp) -> Duration {
        let Some((at, _)) = self.looked else {
            return Duration::ZERO;
        };
        let passed = Duration::try_from(now.duration_since(at)).unwrap_or(Duration::ZERO);
        interval(policy).saturating_sub(passed)
    }

    /// Lets something rest that GitHub refused: asking again at once would be answered the same.
    pub fn rest(&mut self, what: impl Into<String>, until: Timestamp, why: Refusal) {
        self.refused.insert(what.into(), (until, why));
    }

    /// GitHub took something.
    pub fn was_taken(&mut self, what: &str) {
        self.refused.remove(what);
    }

    /// Whether something rests.
    pub fn rests(&self, what: &str, now: Timestamp) -> bool {
        self.refused
            .get(what)
            .is_some_and(|(until, _)| *until > now)
    }

    /// When the first of what rests may be asked for again.
    pub fn next_rising(&self, now: Timestamp) -> Option<Timestamp> {
        let all = self.refused.values().map(|(until, _)| *until);
        all.filter(|until| *until > now).min()
    }

    /// Whether this process knows what something on GitHub says.
    pub fn is_sure_of(&self, what: &str) -> bool {
        self.sure.contains(what)
    }

    /// It does.
    pub fn make_sure_of(&mut self, what: String) {
        self.sure.insert(what);
    }

    /// It does no longer: whether the last write came through is not known.
    pub fn doubt(&mut self, what: &str) {
        self.sure.remove(what);
    }

    /// Why something is not said on GitHub, as far as it was tried.
    pub fn unsaid(&self) -> Option<Refusal> {
        let barred = self.barred.as_ref().map(|(_, why)| why);
        barred
            .or_else(|| self.refused.values().map(|(_, why)| why).next())
            .cloned()
    }

    /// Takes note of what GitHub said about when to come back.
    pub fn heed(&mut self, error: &Error) {
        if let Error::RateLimited { until, .. } = error
            && self.barred.as_ref().is_none_or(|(known, _)| known < until)
        {
            self.barred = Some((*until, Refusal::from(error)));
        }
    }

    /// Until when GitHub is not asked at all.
    pub fn barred(&self, now: Timestamp) -> Option<Timestamp> {
        let until = self.barred.as_ref().map(|(until, _)| *until);
        until.filter(|until| *until > now)
    }

    /// What is known of the repository as a whole, if that was asked for this form of the policy.
    pub fn survey_of(&self, policy: &PreviewPolicy) -> Option<Survey> {
        let (generation, survey) = self.survey.as_ref()?;
        (*generation == policy.metadata.generation).then(|| survey.clone())
    }

    /// Remembers it.
    pub fn surveyed(&mut self, policy: &PreviewPolicy, survey: Survey) {
        self.survey = Some((policy.metadata.generation, survey));
    }

    /// Forgets what is over.
    pub fn tidy(&mut self, known: &BTreeSet<u64>, now: Timestamp) {
        self.refused.retain(|what, _| {
            let number = what
                .rsplit('/')
                .next()
                .and_then(|number| number.parse().ok());
            number.is_none_or(|number| known.contains(&number))
        });
        self.files.retain(|(number, _), _| known.contains(number));
        self.barred.take_if(|(until, _)| *until <= now);
    }
}

/// How often a policy's repository is looked at.
pub fn interval(policy: &PreviewPolicy) -> Duration {
    policy.spec.interval.map_or(
        Duration::from_secs(DEFAULT_INTERVAL_SECONDS),
        mirage_specs::duration::Span::duration,
    )
}

fn cause(policy: &PreviewPolicy) -> u64 {
    let mut hasher = DefaultHasher::new();
    (policy.metadata.generation, policy.annotations()).hash(&mut hasher);
    hasher.finish()
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview_policy::fixtures::at;

    #[test]
    fn a_look_is_due_when_the_interval_is_over_or_somebody_wakes_the_policy() {
        let mut policy = PreviewPolicy::new("shop", mirage_specs::PreviewPolicySpec::default());
        let mut recent = Recent::default();
        assert!(recent.is_due(&policy, at(0)));
        recent.looked(&policy, at(0));
        assert!(!recent.is_due(&policy, at(0)));
        assert_eq!(recent.until_due(&policy, at(0)), Duration::from_secs(60));
        assert!(recent.is_due(&policy, at(1)));
        policy
            .annotations_mut()
            .insert("woken".to_owned(), "1".to_owned());
        assert!(recent.is_due(&policy, at(0)));
    }

    #[test]
    fn what_rests_is_asked_for_again_later() {
        let mut recent = Recent::default();
        let why = Refusal::new(crate::reason::Reason::GitHubForbidden, "no".to_owned());
        recent.rest("comment/7", at(10), why.clone());
        assert!(recent.rests("comment/7", at(9)) && !recent.rests("comment/7", at(10)));
        assert_eq!(recent.next_rising(at(0)), Some(at(10)));
        assert_eq!(
            recent.unsaid(),
            Some(why),
            "also once it may be asked for again"
        );
        recent.tidy(&BTreeSet::new(), at(11));
        assert_eq!(recent.unsaid(), None);
    }
}

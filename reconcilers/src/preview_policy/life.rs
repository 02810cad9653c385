//! What happens to a pull request's environment over time: pushes, commands, its time being over, closing, reopening.
//! Pure: the next memory follows from the last one and from what was seen.
//!
//! The result is written down before anything is done about it. So a command counts once, however often it is read, and
//! whatever it asks for is then a state to be reached like any other.

use jiff::{SignedDuration, Timestamp};
use mirage_github::PullRequest;
use mirage_specs::{
    duration::Span,
    preview_policy::{Ending, EndingCause, PreviewStatus, Said},
};

use super::command::{Command, NotACommand};

/// A line of a comment that is meant for Mirage.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// GitHub's id of the comment; later ones are greater.
    pub comment: u64,
    /// Who wrote it.
    pub by: String,
    /// Whether they may: write access to the repository.
    pub is_allowed: bool,
    /// What it says.
    pub said: Result<Command, NotACommand>,
}

/// What the comments of a pull request hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read {
    /// Our own comment, and up to which comment commands had been carried out when it was last written.
    pub own: Option<(u64, Option<u64>)>,
    /// Lines for Mirage, oldest first.
    pub heard: Vec<Heard>,
    /// GitHub's `updated_at` that they were read at.
    pub until: Option<Timestamp>,
}

/// An open pull request at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// As GitHub shows it.
    pub pull: &'a PullRequest,
    /// Whether the policy is for it.
    pub fits: bool,
    /// Whether it comes from a fork.
    pub is_fork: bool,
    /// Its comments, when they were read this time.
    pub read: Option<&'a Read>,
    /// How long an environment lives after a push.
    pub ttl: Option<Span>,
    /// The time.
    pub now: Timestamp,
}

/// The memory of an open pull request.
pub fn open(before: Option<&PreviewStatus>, moment: Moment<'_>) -> PreviewStatus {
    let mut next = match before {
        // Reopened: only what was said on GitHub is still there.
        Some(before) if before.closed_at.is_some() => PreviewStatus {
            environment: before.environment.clone(),
            comment: before.comment.clone(),
            deployment: before.deployment.clone(),
            commit_status: before.commit_status.clone(),
            heard: before.heard,
            ..PreviewStatus::default()
        },
        Some(before) => before.clone(),
        None => PreviewStatus::default(),
    };
    let head = moment.pull.head.sha.as_str();
    next.number = moment.pull.number.get();
    next.fork = moment.is_fork;
    if let Some((id, heard)) = moment.read.and_then(|read| read.own) {
        next.comment.get_or_insert(Said {
            id,
            fingerprint: None,
        });
        next.heard = next.heard.max(heard);
    }
    if !moment.fits {
        return PreviewStatus {
            // Judged anew in each visit; the last verdict stays, so that a visit without news writes nothing.
            state: next.state,
            message: next.message,
            commit: Some(head.to_owned()),
            environment: next.environment,
            comment: next.comment,
            deployment: next.deployment,
            commit_status: next.commit_status,
            heard: next.heard,
            number: next.number,
            fork: next.fork,
            ..PreviewStatus::default()
        };
    }
    if next.commit.as_deref() != Some(head) || next.pushed_at.is_none() {
        next.commit = Some(head.to_owned());
        pushed(&mut next, moment.now);
        next.redeploy_at = None;
        next.diff_of = None;
        next.notice = None;
    }
    if let Some(read) = moment.read {
        for heard in &read.heard {
            // A comment is carried out whole or not at all, and then never again.
            if next.heard.is_none_or(|last| heard.comment > last) {
                obey(&mut next, heard, moment);
            }
        }
        let last = read.heard.iter().map(|heard| heard.comment).max();
        next.heard = next.heard.max(last);
        next.read_until = read.until;
    }
    next.expires_at = expiry(&next, moment.ttl);
    if next.ended.is_none() && next.expires_at.is_some_and(|at| at <= moment.now) {
        next.ended = Some(Ending {
            cause: EndingCause::Expired,
            by: None,
            at: moment.now,
        });
    }
    if next.ended.is_some() {
        // Whoever comes back asks anew.
        next.asked_at = None;
        next.expires_at = None;
    } else {
        next.asked_at.get_or_insert(moment.now);
    }
    next
}

/// The memory of a pull request that is no longer open.
pub fn closed(before: &PreviewStatus, is_merged: bool, now: Timestamp) -> PreviewStatus {
    PreviewStatus {
        closed_at: before.closed_at.or(Some(now)),
        merged: is_merged,
        number: before.number,
        fork: before.fork,
        commit: before.commit.clone(),
        environment: before.environment.clone(),
        comment: before.comment.clone(),
        deployment: before.deployment.clone(),
        commit_status: before.commit_status.clone(),
        heard: before.heard,
        ..PreviewStatus::default()
    }
}

/// A push, or what counts as one: its time begins anew.
fn pushed(next: &mut PreviewStatus, now: Timestamp) {
    next.pushed_at = Some(now);
    next.ended = None;
    next.extended_until = None;
}

fn expiry(preview: &PreviewStatus, ttl: Option<Span>) -> Option<Timestamp> {
    let by_push = later(preview.pushed_at?, ttl?);
    Some(
        preview
            .extended_until
            .map_or(by_push, |until| until.max(by_push)),
    )
}

fn later(from: Timestamp, span: Span) -> Timestamp {
    let span = SignedDuration::try_from(span.duration()).unwrap_or(SignedDuration::MAX);
    from.checked_add(span).unwrap_or(Timestamp::MAX)
}

fn obey(next: &mut PreviewStatus, heard: &Heard, moment: Moment<'_>) {
    let (by, now) = (&heard.by, moment.now);
    next.notice = match (&heard.said, heard.is_allowed) {
        (_, false) => Some(format!(
            "{by} cannot command Mirage here: that takes write access to the repository"
        )),
        (Err(error), true) => Some(format!("{by}: {error}")),
        (Ok(Command::Redeploy), true) if next.ended.is_some() => {
            pushed(next, now);
            Some(format!("{by} brought it back"))
        }
        (Ok(Command::Redeploy), true) => {
            next.redeploy_at = Some(now);
            Some(format!("{by} asked to deploy the same commit again"))
        }
        (Ok(Command::Extend(_)), true) if next.ended.is_some() => Some(format!(
            "{by} asked for more time, but it is torn down already: `/mirage redeploy` brings it back"
        )),
        (Ok(Command::Extend(span)), true) => match expiry(next, moment.ttl) {
            None => Some(format!(
                "{by} asked for more time, but the policy has no ttl: it stays until the pull request is closed"
            )),
            Some(expiry) => {
                next.extended_until = Some(later(expiry.max(now), *span));
                Some(format!("{by} keeps it {span} longer"))
            }
        },
        (Ok(Command::Destroy), true) => {
            next.ended = Some(Ending {
                cause: EndingCause::Destroyed,
                by: Some(by.clone()),
                at: now,
            });
            None
        }
        (Ok(Command::Diff), true) => {
            next.diff_of.clone_from(&next.commit);
            None
        }
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::preview_policy::{
        command::commands,
        fixtures::{at, pull, sha},
    };

    struct Scene {
        pull: PullRequest,
        ttl: Option<Span>,
    }

    impl Scene {
        fn new() -> Self {
            Self {
                pull: pull(7),
                ttl: Some("1h".parse().unwrap()),
            }
        }

        fn look(&self, before: Option<&PreviewStatus>, minute: i64) -> PreviewStatus {
            self.hear(before, minute, &[])
        }

        fn hear(
            &self,
            before: Option<&PreviewStatus>,
            minute: i64,
            said: &[(u64, &str, bool)],
        ) -> PreviewStatus {
            let heard = said
                .iter()
                .flat_map(|(comment, body, is_allowed)| {
                    commands(body).into_iter().map(|said| Heard {
                        comment: *comment,
                        by: "ann".to_owned(),
                        is_allowed: *is_allowed,
                        said,
                    })
                })
                .collect();
            let read = Read {
                own: None,
                heard,
                until: Some(at(minute)),
            };
            open(
                before,
                Moment {
                    pull: &self.pull,
                    fits: true,
                    is_fork: false,
                    read: (!said.is_empty()).then_some(&read),
                    ttl: self.ttl,
                    now: at(minute),
                },
            )
        }
    }

    #[test]
    fn time_counts_from_the_last_push_and_not_from_a_look() {
        let mut scene = Scene::new();
        let first = scene.look(None, 0);
        assert_eq!(first.expires_at, Some(at(60)));
        let looked = scene.look(Some(&first), 30);
        assert_eq!(
            (looked.expires_at, looked.asked_at),
            (Some(at(60)), Some(at(0)))
        );
        scene.pull.head.sha = sha(2);
        let pushed = scene.look(Some(&looked), 45);
        assert_eq!(
            (pushed.expires_at, pushed.asked_at),
            (Some(at(105)), Some(at(0)))
        );
    }

    #[test]
    fn what_expired_stays_away_until_a_push_or_a_redeploy_brings_it_back() {
        let mut scene = Scene::new();
        let expired = scene.look(Some(&scene.look(None, 0)), 60);
        assert_eq!(expired.ended.as_ref().unwrap().cause, EndingCause::Expired);
        assert_eq!(expired.asked_at, None);
        let still = scene.look(Some(&expired), 600);
        assert_eq!(still.ended, expired.ended);
        let back = scene.hear(Some(&still), 601, &[(1, "/mirage redeploy", true)]);
        assert_eq!((back.ended.clone(), back.expires_at), (None, Some(at(661))));
        assert_eq!(back.asked_at, Some(at(601)), "it queues anew");
        scene.pull.head.sha = sha(2);
        assert_eq!(scene.look(Some(&expired), 700).ended, None);
    }

    #[test]
    fn a_command_counts_once_however_often_it_is_read() {
        let scene = Scene::new();
        let said: &[_] = &[(5, "/mirage extend 24h", true)];
        let once = scene.hear(None, 0, said);
        assert_eq!(once.expires_at, Some(at(60 + 24 * 60)));
        let twice = scene.hear(Some(&once), 10, said);
        assert_eq!(twice.expires_at, once.expires_at);
        // An older comment that shows late is not news either.
        let late = scene.hear(Some(&once), 10, &[(4, "/mirage destroy", true)]);
        assert_eq!(late.ended, None);
    }

    #[test]
    fn commands_of_one_comment_are_carried_out_in_their_order() {
        let scene = Scene::new();
        let both = scene.hear(None, 0, &[(5, "/mirage destroy\n/mirage redeploy", true)]);
        assert_eq!(both.ended, None);
        let both = scene.hear(None, 0, &[(5, "/mirage redeploy\n/mirage destroy", true)]);
        assert_eq!(both.ended.unwrap().by.as_deref(), Some("ann"));
    }

    #[test]
    fn somebody_without_write_access_changes_nothing_and_is_told() {
        let scene = Scene::new();
        let before = scene.look(None, 0);
        let after = scene.hear(Some(&before), 1, &[(5, "/mirage destroy", false)]);
        assert_eq!(after.ended, None);
        assert!(after.notice.unwrap().contains("write access"));
        assert_eq!(after.heard, Some(5), "and is not asked about again");
    }

    #[test]
    fn a_reopened_one_begins_anew_but_forgets_no_comment() {
        let scene = Scene::new();
        let mut before = scene.hear(None, 0, &[(5, "/mirage destroy", true)]);
        before.comment = Some(Said {
            id: 77,
            fingerprint: None,
        });
        let gone = closed(&before, false, at(10));
        let back = scene.hear(Some(&gone), 20, &[(5, "/mirage destroy", true)]);
        assert_eq!((back.ended, back.closed_at), (None, None));
        assert_eq!((back.heard, back.comment.unwrap().id), (Some(5), 77));
        assert_eq!(back.expires_at, Some(at(80)));
    }

    #[test]
    fn what_our_own_comment_remembers_is_believed_after_everything_else_was_lost() {
        let scene = Scene::new();
        let read = Read {
            own: Some((77, Some(5))),
            heard: vec![Heard {
                comment: 5,
                by: "ann".to_owned(),
                is_allowed: true,
                said: Ok(Command::Destroy),
            }],
            until: Some(at(0)),
        };
        let moment = Moment {
            pull: &scene.pull,
            fits: true,
            is_fork: false,
            read: Some(&read),
            ttl: None,
            now: at(0),
        };
        let next = open(None, moment);
        assert_eq!((next.ended, next.comment.unwrap().id), (None, 77));
    }

    #[test]
    fn without_a_ttl_nothing_expires_and_more_time_means_nothing() {
        let scene = Scene {
            ttl: None,
            ..Scene::new()
        };
        let asked = scene.hear(None, 0, &[(5, "/mirage extend 24h", true)]);
        assert_eq!(asked.expires_at, None);
        assert!(asked.notice.unwrap().contains("no ttl"));
        assert_eq!(scene.look(None, 0).ended, None);
    }

    #[test]
    fn one_that_no_longer_fits_keeps_what_was_said_and_nothing_else() {
        let scene = Scene::new();
        let mut before = scene.look(None, 0);
        before.comment = Some(Said::default());
        let moment = Moment {
            pull: &scene.pull,
            fits: false,
            is_fork: false,
            read: None,
            ttl: scene.ttl,
            now: at(5),
        };
        let unfit = open(Some(&before), moment);
        assert!(unfit.asked_at.is_none() && unfit.expires_at.is_none() && unfit.comment.is_some());
        let back = scene.look(Some(&unfit), 9);
        assert_eq!(
            (back.asked_at, back.expires_at),
            (Some(at(9)), Some(at(69)))
        );
    }

    proptest! {
        #[test]
        fn looking_again_changes_nothing(
            minute in 0..200_i64,
            said in prop::collection::vec((1..9_u64, prop_oneof![
                Just("/mirage redeploy"), Just("/mirage destroy"), Just("/mirage extend 2h"), Just("/mirage diff"), Just("hello"),
            ], any::<bool>()), 0..5),
        ) {
            let mut said = said;
            said.sort_by_key(|(comment, ..)| *comment);
            let scene = Scene::new();
            let before = scene.look(None, 0);
            let once = scene.hear(Some(&before), minute, &said);
            prop_assert_eq!(scene.hear(Some(&once), minute, &said), once);
        }
    }
}

//! What people do in a week.

use std::time::Duration;

use rand::{RngExt as _, rngs::StdRng};

use super::SHOP;
use crate::github::{FakeGitHub, Opening};

/// Something that somebody wants to do with a pull request. Whether it can be done shows when the time has come.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Open(Opening),
    Push(u64),
    Close(u64),
    Merge(u64),
    Reopen(u64),
    Comment(u64, &'static str),
    Retarget(u64, &'static str),
}

/// A week of deeds; the numbers of pull requests follow from the order of the openings.
pub(super) fn week(
    random: &mut StdRng,
    pull_requests: u64,
    length: Duration,
) -> Vec<(Duration, Deed)> {
    let seconds = length.as_secs();
    let mut openings: Vec<u64> = (0..pull_requests)
        .map(|_| random.random_range(0..seconds * 9 / 10))
        .collect();
    openings.sort_unstable();
    let mut deeds = Vec::new();
    for (number, opened) in (1..).zip(openings) {
        deeds.push((opened, Deed::Open(opening(random, number))));
        let mut at = opened;
        for _ in 0..random.random_range(0..9) {
            // Some at once, some after days.
            at += match random.random_range(0..4) {
                0 => random.random_range(0..20),
                1 => random.random_range(0..1_800),
                _ => random.random_range(0..100_000),
            };
            if at < seconds {
                deeds.push((at, deed(random, number)));
            }
        }
    }
    deeds
        .into_iter()
        .map(|(at, deed)| (Duration::from_secs(at), deed))
        .collect()
}

fn opening(random: &mut StdRng, number: u64) -> Opening {
    let opening = Opening::of(&format!("change-{number}")).touching(&["web/index.html"]);
    match random.random_range(0..10) {
        0 => opening.from_fork("eve/shop").by("eve"),
        1 => opening.into_branch("release"),
        _ => opening,
    }
}

fn deed(random: &mut StdRng, number: u64) -> Deed {
    match random.random_range(0..20) {
        0..8 => Deed::Push(number),
        8..11 => Deed::Close(number),
        11 => Deed::Merge(number),
        12..15 => Deed::Reopen(number),
        15 => Deed::Comment(number, "/mirage redeploy"),
        16 => Deed::Retarget(number, "release"),
        17 => Deed::Retarget(number, "main"),
        _ => Deed::Comment(number, "Looks good to me."),
    }
}

impl Deed {
    /// Does it, if it can be done; what was done.
    pub(super) fn done_on(&self, github: &FakeGitHub) -> Option<String> {
        let is_open = |number: &u64| github.pull_record(SHOP, *number).open;
        let is_merged = |number: &u64| github.pull_record(SHOP, *number).merged_at.is_some();
        Some(match self {
            Self::Open(opening) => {
                let number = github.open(SHOP, opening.clone());
                format!("#{number} is opened: {opening:?}")
            }
            Self::Push(number) if is_open(number) => {
                let sha = github.push(SHOP, *number);
                format!("#{number} is pushed to: {}", &sha[..7])
            }
            Self::Close(number) if is_open(number) => {
                github.close(SHOP, *number);
                format!("#{number} is closed")
            }
            Self::Merge(number) if is_open(number) => {
                github.merge(SHOP, *number);
                format!("#{number} is merged")
            }
            Self::Reopen(number) if !is_open(number) && !is_merged(number) => {
                github.reopen(SHOP, *number);
                format!("#{number} is reopened")
            }
            Self::Comment(number, body) => {
                github.comment(SHOP, *number, "ann", body);
                format!("#{number}: {body}")
            }
            Self::Retarget(number, base) if is_open(number) => {
                github.edit(SHOP, *number, |pull| pull.base = (*base).to_owned());
                format!("#{number} now goes into {base}")
            }
            _ => return None,
        })
    }
}

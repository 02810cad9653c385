//! What goes wrong in a week.

use std::{fmt, time::Duration};

use rand::{RngExt as _, rngs::StdRng};

use super::Scene;
use crate::{
    github::{Fault, Harm},
    world::{Cut, Cutting},
};

/// Something that goes wrong.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// Mirage is killed where it is.
    Killed,
    /// Mirage is killed at one of its next effects.
    KilledAt(Cut),
    /// Requests to GitHub fail.
    GitHub(Fault),
    /// GitHub's lists show what was so many seconds ago.
    Lag(i64),
}

/// A week of them, with so many kills.
pub(super) fn week(random: &mut StdRng, kills: u64, length: Duration) -> Vec<(Duration, Trouble)> {
    let moment = |random: &mut StdRng| {
        Duration::from_secs(random.random_range(0..length.as_secs() * 9 / 10))
    };
    let mut troubles = Vec::new();
    for index in 0..kills {
        // The first for certain, the others at an effect: what is under way then is what matters.
        let kill = if index == 0 {
            Trouble::Killed
        } else {
            Trouble::KilledAt(Cut {
                at: random.random_range(1..60),
                side: if random.random_bool(0.5) {
                    Cutting::Before
                } else {
                    Cutting::After
                },
            })
        };
        troubles.push((moment(random), kill));
    }
    for _ in 0..40 {
        let fault = fault(random);
        troubles.push((moment(random), Trouble::GitHub(fault)));
    }
    for _ in 0..6 {
        let at = moment(random);
        troubles.push((at, Trouble::Lag(random.random_range(1..90))));
        let over = at + Duration::from_secs(random.random_range(60..7_200));
        troubles.push((over, Trouble::Lag(0)));
    }
    troubles
}

fn fault(random: &mut StdRng) -> Fault {
    let on = [
        "POST",
        "POST",
        "PATCH",
        "GET",
        "/comments",
        "/deployments",
        "/statuses",
        "/pulls?",
    ];
    let harm = match random.random_range(0..8) {
        0..3 => Harm::LoseAnswer,
        3 => Harm::NotSent,
        4 => Harm::ServerError(502),
        5 => Harm::ServerErrorAfterEffect(504),
        6 => Harm::SecondaryLimit {
            retry_after: Some(random.random_range(1..600)),
        },
        _ => Harm::SecondaryLimit { retry_after: None },
    };
    Fault {
        on: vec![on[random.random_range(0..on.len())].to_owned()],
        harm,
        times: random.random_range(1..4),
    }
}

impl Trouble {
    pub(super) async fn strike(&self, scene: &mut Scene) {
        match self {
            Self::Killed => scene.world.crash().await,
            Self::KilledAt(cut) => scene.world.cut(*cut),
            Self::GitHub(fault) => scene.github.inject(fault.clone()),
            Self::Lag(seconds) => scene.github.lag(*seconds),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed => f.write_str("Mirage is killed"),
            Self::KilledAt(cut) => {
                write!(
                    f,
                    "Mirage will be killed at effect {}, {:?}",
                    cut.at, cut.side
                )
            }
            Self::GitHub(fault) => write!(f, "GitHub: {fault:?}"),
            Self::Lag(seconds) => write!(f, "GitHub's lists are {seconds} s late"),
        }
    }
}

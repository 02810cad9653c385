//! Random trouble: what goes wrong at Railway, on the way there, and behind everybody's back.

use mirage_railway_simulator::{
    DashboardEdit, DeploymentEnding, Fault, FaultKind, Quirk, Quirks, When,
};
use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::json;

use super::{HAND_MADE, imagine::SERVICES, wish::Wish};

/// Peculiarities of this history's Railway. Both answers to every open question come up.
pub(super) fn quirks(random: &mut StdRng) -> Quirks {
    let mut quirks = Quirks::default();
    if random.random_bool(0.3) {
        quirks = quirks.with(Quirk::ChangeSetsUnavailable);
    }
    for quirk in [
        Quirk::CommitFlushesStaged,
        Quirk::TcpProxiesNull,
        Quirk::EtagMovesOnDeploy,
        Quirk::MaskedValuesAbsent,
        Quirk::BlockReplaceDropsKeys,
        Quirk::RatelimitResetMillis,
        Quirk::RatelimitResetIso,
    ] {
        if random.random_bool(0.15) {
            quirks = quirks.with(quirk);
        }
    }
    quirks
}

fn when(random: &mut StdRng) -> When {
    if random.random_bool(0.5) {
        When::Before
    } else {
        When::After
    }
}

/// Something goes wrong for a few calls or a while.
pub(super) fn fault(random: &mut StdRng, wishes: &[Wish]) -> Fault {
    let mutations = |fault: Fault, random: &mut StdRng| {
        fault
            .on("mutation")
            .nth(random.random_range(1..=4))
            .times(1)
    };
    match random.random_range(0..15) {
        0 => {
            let retry_after_seconds = random.random_range(5..60);
            Fault::new(FaultKind::RateLimited {
                retry_after_seconds,
            })
            .times(random.random_range(1..3))
        }
        1 => {
            let retry_after_seconds = random.random_range(5..60);
            Fault::new(FaultKind::CloudflareRateLimited {
                retry_after_seconds,
            })
            .times(1)
        }
        2 => {
            let kind = FaultKind::GatewayError {
                status: 502,
                when: when(random),
                empty: random.random_bool(0.5),
            };
            Fault::new(kind).times(random.random_range(1..4))
        }
        3 => {
            let kind = FaultKind::GatewayError {
                status: 504,
                when: when(random),
                empty: false,
            };
            mutations(Fault::new(kind), random)
        }
        4 | 5 => {
            let kind = FaultKind::AnswerLost { when: when(random) };
            mutations(Fault::new(kind), random)
        }
        6 => {
            let kind = FaultKind::EffectDelayed {
                seconds: f64::from(random.random_range(1..100)),
            };
            mutations(Fault::new(kind), random)
        }
        7 => {
            let kind = FaultKind::AnswerDelayed {
                seconds: f64::from(random.random_range(1..60)),
            };
            mutations(Fault::new(kind), random)
        }
        8 => Fault::new(FaultKind::ProblemProcessing).times(random.random_range(1..3)),
        9 => Fault::new(FaultKind::PartialData).times(random.random_range(1..4)),
        10 => Fault::new(FaultKind::CreationThrottled).times(1),
        // Reads were seen to lag by less than half a minute.
        11 => Fault::new(FaultKind::StaleReads).lasting(f64::from(random.random_range(3..25))),
        // Shorter than the pause between two reads that must agree. A longer one in the middle of a deletion is believed,
        // and leaves an environment behind: a known gap, see `a_deletion_in_a_long_blackout_leaves_nothing`.
        12 => Fault::new(FaultKind::EverythingGone).lasting(f64::from(random.random_range(1..4))),
        13 => Fault::new(FaultKind::DeleteIgnored).times(1),
        _ => match edit(random, wishes) {
            Some(edit) => mutations(Fault::new(FaultKind::Edit { edit }), random),
            None => Fault::new(FaultKind::NotAuthorized).times(1),
        },
    }
}

/// Deployments of a service end badly for a while.
pub(super) fn bad_deployments(random: &mut StdRng) -> Fault {
    let ending = [
        DeploymentEnding::BuildFails,
        DeploymentEnding::HealthcheckFails,
        DeploymentEnding::CrashesAfter { seconds: 5.0 },
        DeploymentEnding::Completes,
    ]
    .choose(random)
    .copied()
    .unwrap_or(DeploymentEnding::BuildFails);
    let service = SERVICES.choose(random).copied().unwrap_or_default();
    Fault::new(FaultKind::Deployment { ending })
        .object(service)
        .times(1)
}

/// Somebody works in the dashboard, in an environment of ours. Whether that is there yet is not known here.
pub(super) fn edit(random: &mut StdRng, wishes: &[Wish]) -> Option<DashboardEdit> {
    let wish = wishes
        .iter()
        .filter(|wish| !wish.is_refused)
        .collect::<Vec<_>>()
        .choose(random)
        .copied()?;
    let names: Vec<&String> = wish.services.keys().collect();
    let service = (*names.choose(random)?).clone();
    let environment = format!("{}/{}", wish.project, wish.railway_name);
    Some(match random.random_range(0..11) {
        0 => DashboardEdit::SetVariable {
            environment,
            service: Some(service),
            name: "LEVEL".to_owned(),
            value: "hand".to_owned(),
        },
        1 => DashboardEdit::SetVariable {
            environment,
            service: None,
            name: "HAND".to_owned(),
            value: "hand".to_owned(),
        },
        2 => DashboardEdit::DeleteVariable {
            environment,
            service: Some(service),
            name: "URL".to_owned(),
        },
        3 => DashboardEdit::SetReplicas {
            environment,
            service,
            replicas: 4,
        },
        4 => DashboardEdit::DeleteService {
            environment,
            service,
        },
        5 => DashboardEdit::Redeploy {
            environment,
            service,
        },
        6 => DashboardEdit::StopDeployment {
            environment,
            service,
        },
        7 => DashboardEdit::Crash {
            environment,
            service,
        },
        8 => DashboardEdit::StageChange {
            environment,
            patch: json!({"sharedVariables": {"HAND": {"value": "staged"}}}),
        },
        9 => DashboardEdit::DuplicateEnvironment {
            environment,
            name: format!("{HAND_MADE}-copy-{}", random.random_range(0..1000)),
        },
        _ => DashboardEdit::DeleteEnvironment { environment },
    })
}

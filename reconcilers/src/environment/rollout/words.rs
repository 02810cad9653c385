//! A rollout as people read it. Pure.

use mirage_specs::rollout::{
    RollbackWay, RolloutService, RolloutServiceState as Is, RolloutState, RolloutStatus,
};

/// What happened to a rollout that failed, and the next step; `None` for one that goes well.
pub fn message(rollout: &RolloutStatus) -> Option<String> {
    let end = match rollout.state {
        RolloutState::Progressing => return None,
        RolloutState::RollingBack => "nothing else is deployed meanwhile",
        RolloutState::Halted | RolloutState::RolledBack => {
            "nothing is deployed until you change the spec, or run `mirage retry`"
        }
    };
    let services: Vec<String> = rollout
        .services
        .iter()
        .filter_map(|(name, service)| of_service(name, service))
        .collect();
    let plan = rollout
        .plan
        .as_ref()
        .map(|plan| format!(" (plan {plan})"))
        .unwrap_or_default();
    Some(format!(
        "the rollout of generation {}{plan} failed: {}; {end}",
        rollout.generation,
        services.join("; ")
    ))
}

fn of_service(name: &str, service: &RolloutService) -> Option<String> {
    let why = service.message.as_deref().unwrap_or("it failed");
    let good = service.good.as_deref().unwrap_or("of before");
    Some(match (service.state, service.way) {
        (Is::Failed, _) => format!("{name}: {why}"),
        (Is::RollingBack, Some(RollbackWay::Configuration)) => {
            format!("{name}: {why}, and goes back to the settings of deployment {good}")
        }
        (Is::RollingBack, _) => format!("{name}: {why}, and goes back to deployment {good}"),
        (Is::RolledBack, Some(RollbackWay::Serving)) => {
            format!("{name}: {why}, and deployment {good} still serves")
        }
        (Is::RolledBack, Some(RollbackWay::Configuration)) => format!(
            "{name}: {why}, and deployment {good} serves with the settings of before and the variables of now"
        ),
        (Is::RolledBack, _) => format!("{name}: {why}, and deployment {good} serves what was good"),
        _ => return None,
    })
}

/// Which wave is under way, who is awaited until when, and who waits for whom; `None` when nobody is.
pub fn progress(rollout: &RolloutStatus) -> Option<String> {
    if rollout.state != RolloutState::Progressing {
        return None;
    }
    let under_way = |service: &&RolloutService| matches!(service.state, Is::Deploying | Is::Again);
    let current = rollout
        .services
        .values()
        .filter(under_way)
        .map(|service| service.wave)
        .min()?;
    let last = rollout.services.values().map(|one| one.wave).max()?;
    let services: Vec<String> = rollout
        .services
        .iter()
        .filter_map(|(name, service)| match (service.state, service.until) {
            (Is::Deploying, Some(until)) => {
                Some(format!("{name} has until {until} to become healthy"))
            }
            (Is::Deploying | Is::Again, _) => Some(format!("{name} is deployed")),
            (Is::Waiting, _) => Some(format!("{name} waits for {}", service.waits_for.join(", "))),
            _ => None,
        })
        .collect();
    Some(format!("wave {current} of {last}: {}", services.join("; ")))
}

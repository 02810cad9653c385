//! Rollouts: how a change reaches the services, whether each becomes healthy in time, and the way back when one does not.
//!
//! ```text
//! apply   begin    what was sent, to which services, and their newest deployment before it
//! look    survey   the three of them, and the one question to Railway between them
//!         judge    what became of it: healthy, on its way, failed            pure
//!         good     what is worth going back to                               pure
//!         way      how a service that failed goes back                       pure
//! diff             what a failed rollout holds back, and the calls of the way back
//! ```
//!
//! All of it is remembered in the status (`rollout`, `good`), written before the calls that it speaks of. A rollout that
//! failed stays so while what is declared stays the same ([`desired`]): nobody pushes again what was just taken back.

pub mod begin;
pub mod good;
pub mod judge;
pub mod survey;
pub mod way;
pub mod words;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use mirage_specs::{
    environment::RolloutStrategy,
    rollout::{RolloutService, RolloutServiceState, RolloutState, RolloutStatus},
    status::Applied,
};
use sha2::{Digest, Sha256};

use super::{applied, effective::Effective, request::Request};

/// How long a wave may take where the spec does not say.
pub const HEALTH_TIMEOUT: SignedDuration = SignedDuration::from_mins(10);

/// A fingerprint of what is declared of services and variables. Names, settings and keyed fingerprints go into it, so
/// another value of a Secret is another one, and another `ttl` is not.
pub fn desired(effective: &Effective) -> String {
    let record = Applied {
        generation: None,
        ..applied::record(effective)
    };
    let text = serde_json::to_vec(&record).expect("a record holds only what JSON can say");
    hex::encode(&Sha256::digest(text)[..8])
}

/// How long a service may take to become healthy.
pub fn timeout(effective: &Effective) -> SignedDuration {
    effective
        .rollout
        .health_timeout
        .and_then(|span| SignedDuration::try_from(span.duration()).ok())
        .unwrap_or(HEALTH_TIMEOUT)
}

/// The wave of each service, counted from 1: after everything that it depends on.
pub fn waves(effective: &Effective) -> BTreeMap<&str, u32> {
    let mut waves: BTreeMap<&str, u32> = effective
        .services
        .keys()
        .map(|name| (name.as_str(), 1))
        .collect();
    if effective.rollout.strategy != Some(RolloutStrategy::Sequential) {
        return waves;
    }
    // As often as there are services: longer than any chain, and an end even for a circle.
    for _ in 0..effective.services.len() {
        for (name, service) in &effective.services {
            let after = service
                .depends_on
                .iter()
                .filter_map(|other| waves.get(other.as_str()))
                .max();
            if let Some(wave) = after.map(|wave| wave + 1)
                && usize::try_from(wave).is_ok_and(|wave| wave <= effective.services.len())
            {
                waves.insert(name, wave);
            }
        }
    }
    waves
}

/// Whether a rollout failed, and holds back what would deploy.
pub fn has_failed(rollout: &RolloutStatus) -> bool {
    rollout.state != RolloutState::Progressing
}

/// The services for which a deployment was asked, and that did not become healthy yet.
pub fn asking<'a>(
    rollout: Option<&'a RolloutStatus>,
    asked: &'a Request,
) -> impl Iterator<Item = &'a str> {
    let services = rollout.into_iter().flat_map(|rollout| &rollout.services);
    services
        .filter(|(name, service)| {
            asked.means(name)
                && service.state == RolloutServiceState::Deploying
                && service.asked.is_some()
        })
        .map(|(name, _)| name.as_str())
}

/// Whether a service of it failed, wherever it is by now.
pub fn is_failed(service: &RolloutService) -> bool {
    matches!(
        service.state,
        RolloutServiceState::Failed
            | RolloutServiceState::RollingBack
            | RolloutServiceState::RolledBack
    )
}

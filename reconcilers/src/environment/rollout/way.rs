//! The way back of a service whose rollout failed. Pure; what Railway still has is asked before.

use mirage_railway::{
    id::DeploymentId,
    snapshot::{InstanceSnapshot, Presence, ServiceConfigSnapshot},
};
use mirage_specs::rollout::{GoodState, RollbackWay, RolloutService, RolloutServiceState};
use serde_json::{Value, json};

use crate::environment::{effective::EffectiveService, field::Field, normalize};

/// A setting on its way back: what it is, and what is sent for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Restored {
    /// The setting.
    pub field: Field,
    /// What Railway has.
    pub from: Option<Value>,
    /// What is sent; null returns it to Railway's default.
    pub to: Value,
}

/// The settings in which Railway's configuration differs from what was good.
pub fn restored(
    good: &GoodState,
    desired: &EffectiveService,
    config: &ServiceConfigSnapshot,
) -> Vec<Restored> {
    let was = |field: Field| -> Option<Value> {
        let text = good.settings.get(field.spec_path())?;
        serde_json::from_str(text).ok()
    };
    // Two spellings of one setting: what the other one says is put back by it.
    let is_spelt_otherwise = |field: Field| match field {
        Field::Replicas => was(Field::Regions).is_some(),
        Field::Regions => was(Field::Replicas).is_some(),
        _ => false,
    };
    Field::all()
        .filter(|field| {
            was(*field).is_some()
                || (desired.settings.contains_key(field) && !is_spelt_otherwise(*field))
        })
        .filter_map(|field| {
            let from = normalize::observed(field, &config.settings);
            let value = was(field);
            let wanted = value
                .as_ref()
                .and_then(|value| normalize::canonical(field, value));
            let to = value.unwrap_or_else(|| match field {
                Field::Replicas => json!(1),
                _ => Value::Null,
            });
            (from != wanted).then_some(Restored { field, from, to })
        })
        .collect()
}

/// A service that failed, and what there is to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Failed<'a> {
    /// Its place in the rollout.
    pub service: &'a RolloutService,
    /// What was good.
    pub good: Option<&'a GoodState>,
    /// What is declared.
    pub desired: &'a EffectiveService,
    /// What there is.
    pub instance: &'a InstanceSnapshot,
    /// Its configuration on Railway.
    pub config: &'a ServiceConfigSnapshot,
}

impl Failed<'_> {
    /// The deployment about which Railway must be asked before the way is known.
    pub fn question(&self) -> Option<DeploymentId> {
        let good = self.good?;
        let is_moot = self.service.refused.is_some()
            || self.still_serves(good)
            || self.service.failed.as_ref() == Some(&good.deployment_id);
        (!is_moot).then(|| DeploymentId::new(&good.deployment_id))
    }

    fn still_serves(&self, good: &GoodState) -> bool {
        let is_active = self
            .instance
            .active_deployments
            .iter()
            .any(|active| active.id.as_str() == good.deployment_id && !is_broken(active));
        is_active && self.service.failed.as_ref() != Some(&good.deployment_id)
    }

    /// The service with its way, once that is known. `restorable` is Railway's answer to [`Self::question`].
    pub fn decided(&self, restorable: &Presence<bool>) -> RolloutService {
        let mut next = self.service.clone();
        let Some(good) = self.good else {
            return nowhere(
                next,
                "nothing of it was healthy before, so there is nothing to go back to",
            );
        };
        next.good = Some(good.deployment_id.clone());
        if self.still_serves(good) {
            return going(next, RollbackWay::Serving);
        }
        let asked = self.question().is_some();
        match restorable {
            Presence::Unknown(_) if asked => return next,
            Presence::Present(true) if asked => return going(next, RollbackWay::Deployment),
            _ => {}
        }
        if !restored(good, self.desired, self.config).is_empty() {
            return going(next, RollbackWay::Configuration);
        }
        let why = match &self.service.refused {
            Some(words) => format!("Railway refused to go back to it ({words})"),
            None => "Railway no longer has it".to_owned(),
        };
        let message = if next.failed.as_ref() == Some(&good.deployment_id) {
            "the deployment that failed is the one that was healthy last".to_owned()
        } else {
            format!(
                "deployment {} was healthy last; {why}, and its settings are those of now",
                good.deployment_id
            )
        };
        nowhere(next, &message)
    }
}

fn is_broken(deployment: &mirage_railway::snapshot::DeploymentSnapshot) -> bool {
    use mirage_railway::snapshot::DeploymentStatus::{Crashed, Failed, Removed, Removing};
    matches!(deployment.status, Crashed | Failed | Removed | Removing)
}

fn going(mut service: RolloutService, way: RollbackWay) -> RolloutService {
    service.state = RolloutServiceState::RollingBack;
    service.way = Some(way);
    service.asked = None;
    service.until = None;
    service
}

fn nowhere(mut service: RolloutService, why: &str) -> RolloutService {
    let what = service.message.take().unwrap_or_default();
    service.state = RolloutServiceState::Failed;
    service.way = Some(RollbackWay::Nowhere);
    service.message = Some(if what.is_empty() {
        why.to_owned()
    } else {
        format!("{what}; {why}")
    });
    service
}

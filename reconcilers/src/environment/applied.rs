//! The record of what was last applied: names and fingerprints, for telling drift from a changed spec.

use std::collections::BTreeMap;

use mirage_specs::status::{Applied, AppliedService};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    effective::{DesiredValue, Effective, EffectiveService},
    field::Field,
    normalize,
};

/// Stands for a fingerprint while it is not known whether the change got through.
pub const UNCERTAIN: &str = "?";
/// Stands for the value of a preserved variable: declared, and not ours to remove.
pub const NOT_OURS: &str = "-";
/// Stands for a value that was generated or copied once.
pub const MADE_ONCE: &str = "+";
/// Name of a generated domain in the record.
pub const GENERATED_DOMAIN: &str = "railway";

/// The record of an effective environment that was accepted as a whole.
pub fn record(effective: &Effective) -> Applied {
    Applied {
        generation: Some(effective.generation),
        variables: variables(&effective.variables),
        services: effective
            .services
            .iter()
            .map(|(name, service)| (name.clone(), service_record(service)))
            .collect(),
    }
}

/// The record of one service.
pub fn service_record(service: &EffectiveService) -> AppliedService {
    AppliedService {
        settings: service
            .settings
            .iter()
            .map(|(field, value)| {
                (
                    field.spec_path().to_owned(),
                    setting_fingerprint(*field, value),
                )
            })
            .collect(),
        variables: variables(&service.variables),
        domains: service
            .domains
            .iter()
            .map(|domain| {
                domain
                    .name
                    .clone()
                    .unwrap_or_else(|| GENERATED_DOMAIN.to_owned())
            })
            .collect(),
        tcp_proxies: service.tcp_proxies.iter().copied().collect(),
        volumes: service.volumes.keys().cloned().collect(),
    }
}

/// The record while a change is on its way: everything that may come to be ours is in it, so that it can be removed
/// later, and nothing that changes counts as applied.
pub fn intend(applied: &Applied, effective: &Effective, services: &[&str]) -> Applied {
    let mut next = applied.clone();
    next.generation = None;
    merge_uncertain(&mut next.variables, &variables(&effective.variables));
    for name in services {
        let Some(service) = effective.services.get(*name) else {
            continue;
        };
        let wanted = service_record(service);
        let entry = next.services.entry((*name).to_owned()).or_default();
        merge_uncertain(&mut entry.settings, &wanted.settings);
        merge_uncertain(&mut entry.variables, &wanted.variables);
        union(&mut entry.domains, wanted.domains);
        union(&mut entry.tcp_proxies, wanted.tcp_proxies);
        union(&mut entry.volumes, wanted.volumes);
    }
    next
}

/// The fingerprint of a setting. Settings stand in the spec in the clear, so a plain digest hides nothing that is hidden.
pub fn setting_fingerprint(field: Field, value: &Value) -> String {
    let canonical = normalize::canonical(field, value).unwrap_or(Value::Null);
    hex::encode(&Sha256::digest(canonical.to_string().as_bytes())[..8])
}

fn variables(desired: &BTreeMap<String, DesiredValue>) -> BTreeMap<String, String> {
    desired
        .iter()
        .map(|(name, value)| {
            let fingerprint = match value {
                DesiredValue::Value { fingerprint, .. } => fingerprint.as_str(),
                DesiredValue::Preserve => NOT_OURS,
                DesiredValue::CopyFrom(_) | DesiredValue::Generate { .. } => MADE_ONCE,
            };
            (name.clone(), fingerprint.to_owned())
        })
        .collect()
}

fn merge_uncertain(into: &mut BTreeMap<String, String>, wanted: &BTreeMap<String, String>) {
    for (name, fingerprint) in wanted {
        let known = into
            .entry(name.clone())
            .or_insert_with(|| UNCERTAIN.to_owned());
        if known != fingerprint {
            UNCERTAIN.clone_into(known);
        }
    }
}

fn union<T: PartialEq>(into: &mut Vec<T>, wanted: Vec<T>) {
    for item in wanted {
        if !into.contains(&item) {
            into.push(item);
        }
    }
}

//! What becomes of a service. Pure.

use std::collections::BTreeMap;

use mirage_specs::{CopyOptions, ServiceSpec, Setting, Variable, service::Limits};
use serde_json::Value;

use super::{Remarks, domain::give_up_own_domains, naming::Naming};

/// A service as it is in the copy, with its variables as they were worked out.
pub(super) fn copied(
    name: &str,
    service: &ServiceSpec,
    options: &CopyOptions,
    naming: &Naming,
    variables: BTreeMap<String, Option<Variable>>,
    remarks: &mut Remarks,
) -> ServiceSpec {
    let mut copy = followed(name, service, naming, remarks);
    copy.variables = variables;
    copy.depends_on = match service.depends_on.clone() {
        Setting::Set(all) => Setting::Set(depends_on(name, all, naming, remarks)),
        other => other,
    };
    for domain in give_up_own_domains(&mut copy) {
        remarks.note(format!(
            "{name}: {domain} stays with the source; the copy gets a generated domain"
        ));
    }
    if copy.volumes.values().any(Option::is_some) {
        remarks.note(format!(
            "{name}: its volume begins empty, data is not copied"
        ));
    }
    if let Some(changes) = options.services.get(name) {
        resources(&mut copy, changes.replicas, changes.limits.as_ref());
    }
    copy
}

/// Every text of the service but its variables, which have rules of their own.
fn followed(
    name: &str,
    service: &ServiceSpec,
    naming: &Naming,
    remarks: &mut Remarks,
) -> ServiceSpec {
    let bare = ServiceSpec {
        variables: BTreeMap::new(),
        depends_on: Setting::Inherit,
        ..service.clone()
    };
    let mut value = serde_json::to_value(&bare).unwrap_or_default();
    follow(
        &mut value,
        &format!("spec.services.{name}"),
        naming,
        remarks,
    );
    // Texts became texts, so it is a service as before.
    serde_json::from_value(value).unwrap_or(bare)
}

fn follow(value: &mut Value, path: &str, naming: &Naming, remarks: &mut Remarks) {
    match value {
        Value::String(text) => {
            let found = naming.follow(text);
            for service in &found.left_out {
                remarks.refuse(
                    path,
                    format!("refers to {service}, which is left out; include {service}"),
                );
            }
            *text = found.text;
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                follow(item, &format!("{path}[{index}]"), naming, remarks);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                follow(item, &format!("{path}.{key}"), naming, remarks);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn depends_on(name: &str, all: Vec<String>, naming: &Naming, remarks: &mut Remarks) -> Vec<String> {
    let mut kept = Vec::with_capacity(all.len());
    for dependency in all {
        match naming.name(&dependency) {
            Some(new) => kept.push(new.to_owned()),
            None => remarks.note(format!(
                "{name} no longer waits for {dependency}, which is left out"
            )),
        }
    }
    kept
}

fn resources(service: &mut ServiceSpec, replicas: Option<u16>, limits: Option<&Limits>) {
    if let Some(replicas) = replicas {
        let deploy = service.deploy.get_or_insert_default();
        deploy.replicas = Setting::Set(replicas);
        // A number for each region says the same in another way, and both are refused together.
        deploy.regions.clear();
    }
    if let Some(limits) = limits {
        let deploy = service.deploy.get_or_insert_default();
        let own = deploy.limits.get_or_insert_default();
        if !limits.cpu.is_inherited() {
            own.cpu = limits.cpu.clone();
        }
        if !limits.memory.is_inherited() {
            own.memory = limits.memory.clone();
        }
    }
}

//! The spec that describes an environment as it is. Pure.
//!
//! What Railway fills in by itself is left out, as nobody declared it. A variable's value stays on Railway
//! (`preserve: true`) unless its text was handed in. What a spec cannot say becomes a remark: it stays as it is, since
//! what is not declared is never touched.

mod variables;
mod volumes;

use std::collections::BTreeMap;

use mirage_railway::{
    client::Disclosed,
    snapshot::{ConfigSnapshot, EnvironmentSnapshot, InstanceSnapshot, ServiceConfigSnapshot},
};
use mirage_specs::{
    duration::Span,
    name::{DomainName, ServiceName},
    quantity::format_bytes,
};
use serde_json::{Map, Value, json};

use variables::Scope;
use volumes::volumes;

use crate::environment::{field::Field, normalize};

/// A spec, and what it does not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Adopted {
    /// `services` and `variables` of an Environment's spec.
    pub spec: Value,
    /// What was left out, in sentences.
    pub remarks: Vec<String>,
}

/// Settings that a spec has no word for, with how people call them.
const UNSAID: [(&str, &str); 6] = [
    ("/configFile", "a configuration file in its repository"),
    ("/build/nixpacksPlan", "a Nixpacks plan"),
    ("/build/nixpacksConfigPath", "a Nixpacks configuration file"),
    ("/source/autoUpdates", "automatic updates of its image"),
    ("/parentServiceId", "a place in a cluster"),
    (
        "/networking/privateNetworkEndpoint",
        "a private host name of its own",
    ),
];

/// Describes an environment whose configuration was read. `texts` are the variables whose texts may stand in the spec.
pub fn adopt(
    environment: &EnvironmentSnapshot,
    config: &ConfigSnapshot,
    texts: &Disclosed,
) -> Adopted {
    let mut remarks = Vec::new();
    let mut services = Map::new();
    for instance in environment.instances.values() {
        let Some(config) = config.services.get(&instance.service_id) else {
            remarks.push(format!(
                "service {} has no configuration here and is left out",
                instance.service_name
            ));
            continue;
        };
        if let Some(why) = unfit(instance, config) {
            remarks.push(format!(
                "service {} is left out and stays as it is: {why}",
                instance.service_name
            ));
            continue;
        }
        services.insert(instance.service_name.clone(), Value::Null);
    }
    let named: Vec<String> = services.keys().cloned().collect();
    let scope = Scope {
        texts,
        services: &named,
    };
    for instance in environment.instances.values() {
        if let Some(place) = services.get_mut(&instance.service_name)
            && let Some(config) = config.services.get(&instance.service_id)
        {
            *place = service(environment, instance, config, &scope, &mut remarks);
        }
    }
    let shared = scope.variables(None, "", &config.shared_variables, &mut remarks);
    for volume in environment.volumes.values() {
        if volume.service_id.is_none() && !volume.is_pending_deletion {
            remarks.push(format!(
                "volume {} is attached to no service and is left out",
                volume.name
            ));
        }
    }
    let mut spec = json!({});
    put(&mut spec, "services", Value::Object(services));
    put(&mut spec, "variables", shared);
    Adopted { spec, remarks }
}

/// Why a service cannot stand in a spec.
fn unfit(instance: &InstanceSnapshot, config: &ServiceConfigSnapshot) -> Option<String> {
    if let Err(error) = instance.service_name.parse::<ServiceName>() {
        return Some(format!("its name cannot stand in a spec: {error}"));
    }
    let has = |field: Field| normalize::observed(field, &config.settings).is_some();
    (!has(Field::Image) && !has(Field::Repo))
        .then(|| "it has neither an image nor a repository".to_owned())
}

fn service(
    environment: &EnvironmentSnapshot,
    instance: &InstanceSnapshot,
    config: &ServiceConfigSnapshot,
    scope: &Scope<'_>,
    remarks: &mut Vec<String>,
) -> Value {
    let name = &instance.service_name;
    let mut spec = settings(name, &config.settings, remarks);
    for (pointer, what) in UNSAID {
        let is_said = config
            .settings
            .pointer(pointer)
            .is_none_or(|value| value.is_null() || *value == json!({}) || *value == json!(""));
        if !is_said {
            remarks.push(format!(
                "service {name} has {what}, which a spec cannot say; it stays as it is"
            ));
        }
    }
    let variables = scope.variables(Some(&instance.service_id), name, &config.variables, remarks);
    put(&mut spec, "variables", variables);
    put(&mut spec, "domains", domains(instance, remarks));
    put(&mut spec, "tcpProxies", tcp_proxies(&config.settings));
    put(
        &mut spec,
        "volumes",
        volumes(environment, instance, config, remarks),
    );
    spec
}

/// The settings that differ from Railway's defaults, where a spec has them.
fn settings(name: &str, config: &Value, remarks: &mut Vec<String>) -> Value {
    let mut spec = json!({});
    let is_image = normalize::observed(Field::Image, config).is_some();
    for field in Field::all() {
        let Some(value) = normalize::observed(field, config) else {
            continue;
        };
        let said = match field {
            // Railway notes the commit that it deployed last; to declare it would pin the service to it.
            Field::Commit => None,
            // What is left of an earlier source means nothing beside an image.
            Field::Repo | Field::Branch | Field::RootDirectory if is_image => None,
            Field::Replicas => replicas(config),
            Field::Regions => regions(&value),
            Field::HealthcheckTimeout | Field::Overlap | Field::Draining => value
                .as_u64()
                .and_then(Span::from_secs)
                .map(|span| json!(span.to_string())),
            Field::Memory => value
                .as_f64()
                .and_then(whole)
                .and_then(format_bytes)
                .map(Value::String),
            Field::Builder => one_of(
                &value,
                &[
                    ("RAILPACK", "railpack"),
                    ("NIXPACKS", "nixpacks"),
                    ("DOCKERFILE", "dockerfile"),
                ],
            ),
            Field::RestartPolicy => one_of(
                &value,
                &[
                    ("ON_FAILURE", "onFailure"),
                    ("ALWAYS", "always"),
                    ("NEVER", "never"),
                ],
            ),
            _ => Some(value.clone()),
        };
        match said {
            Some(said) => {
                let pointer = format!("/{}", field.spec_path().replace('.', "/"));
                crate::environment::field::put(&mut spec, &pointer, said);
            }
            None if matches!(field, Field::Builder | Field::RestartPolicy | Field::Memory) => {
                remarks.push(format!(
                    "service {name}: {} is {value}, which a spec cannot say; it stays as it is",
                    field.spec_path()
                ));
            }
            None => {}
        }
    }
    spec
}

/// A whole number of bytes; Railway gives it as a number of either kind.
fn whole(number: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a whole number that fits"
    )]
    (number.fract() == 0.0 && (0.0..9e15).contains(&number)).then_some(number as u64)
}

fn one_of(value: &Value, words: &[(&str, &str)]) -> Option<Value> {
    let text = value.as_str()?;
    let (_, word) = words.iter().find(|(theirs, _)| *theirs == text)?;
    Some(json!(word))
}

/// A plain count, where Railway keeps no count per region.
fn replicas(config: &Value) -> Option<Value> {
    let by_region = normalize::observed(Field::Regions, config);
    if by_region.is_some_and(|regions| regions.as_object().is_some_and(|map| !map.is_empty())) {
        return None;
    }
    config.pointer(Field::Replicas.pointer()).cloned()
}

/// Counts per region. One replica in one region is what Railway fills in by itself.
fn regions(value: &Value) -> Option<Value> {
    let counts: BTreeMap<&String, u64> = value
        .as_object()?
        .iter()
        .filter_map(|(region, counts)| Some((region, counts.get("numReplicas")?.as_u64()?)))
        .collect();
    let is_default = counts.len() == 1 && counts.values().all(|count| *count == 1);
    (!counts.is_empty() && !is_default).then(|| json!(counts))
}

fn domains(instance: &InstanceSnapshot, remarks: &mut Vec<String>) -> Value {
    let mut all = Vec::new();
    let shown = |name: Option<&str>, port: Option<u16>| {
        let mut domain = json!({});
        if let Some(name) = name {
            domain["name"] = json!(name);
        }
        if let Some(port) = port {
            domain["port"] = json!(port);
        }
        domain
    };
    if let Some(generated) = instance.service_domains.first() {
        all.push(shown(None, generated.target_port));
    }
    for other in instance.service_domains.iter().skip(1) {
        remarks.push(format!(
            "service {} has a second generated domain, {}, which a spec cannot say; it stays as it is",
            instance.service_name, other.domain
        ));
    }
    for own in &instance.custom_domains {
        match own.domain.parse::<DomainName>() {
            Ok(_) => all.push(shown(Some(&own.domain), own.target_port)),
            Err(error) => remarks.push(format!(
                "service {}: domain {} is left out: {error}",
                instance.service_name, own.domain
            )),
        }
    }
    Value::Array(all)
}

fn tcp_proxies(config: &Value) -> Value {
    let open = config
        .pointer("/networking/tcpProxies")
        .and_then(Value::as_object);
    let ports: Vec<u16> = open
        .into_iter()
        .flatten()
        .filter(|(_, proxy)| !proxy.is_null())
        .filter_map(|(port, _)| port.parse().ok())
        .collect();
    json!(ports)
}

/// Puts what says something.
fn put(spec: &mut Value, key: &str, value: Value) {
    let is_empty = match &value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        other => other.is_null(),
    };
    if !is_empty {
        spec[key] = value;
    }
}

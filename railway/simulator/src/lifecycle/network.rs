//! Domains, proxies and mounts: records that follow the config.

use serde_json::{Map, Value, json};
use std::collections::btree_map::Entry;

use crate::config::references::dns_label;
use crate::refusal::Refusal;
use crate::state::{Domain, Id, Instance, TcpProxy, World};

/// Domains that Railway generates end so.
pub(crate) const GENERATED: &str = ".up.railway.app";
const PROXY_HOST: &str = "shuttle.proxy.rlwy.net";

/// Who holds a domain: an environment's service.
pub(crate) fn owner(environment: &str, service: &str) -> Id {
    format!("{environment}/{service}")
}

/// A free generated domain, `<service>-<environment>.up.railway.app` while that is free.
pub(crate) fn generated_domain(world: &mut World, environment: &str, service: &str) -> String {
    let service = world
        .services
        .get(service)
        .map_or("service", |service| service.name.as_str());
    let place = world
        .environments
        .get(environment)
        .map_or("production", |environment| environment.name.as_str());
    let stem = format!("{}-{}", dns_label(service), dns_label(place));
    let plain = format!("{stem}{GENERATED}");
    if !world.domains.contains_key(&plain) {
        return plain;
    }
    loop {
        let suffix = world.random.text(4, "0123456789abcdef");
        let candidate = format!("{stem}-{suffix}{GENERATED}");
        if !world.domains.contains_key(&candidate) {
            return candidate;
        }
    }
}

/// Brings domains, proxies and volume attachments in line with the config.
pub(crate) fn follow_config(world: &mut World, environment: &str) -> Result<(), Refusal> {
    let services: Vec<Id> = world
        .environment(environment)?
        .instances_by_age()
        .iter()
        .map(|instance| instance.service.clone())
        .collect();
    for service in &services {
        service_domains(world, environment, service)?;
        custom_domains(world, environment, service)?;
        tcp_proxies(world, environment, service)?;
    }
    volume_mounts(world, environment)
}

fn wanted(
    world: &World,
    environment: &str,
    service: &str,
    kind: &str,
) -> Result<Vec<(String, Value)>, Refusal> {
    Ok(world
        .environment(environment)?
        .service_config(service)
        .get("networking")
        .and_then(|networking| networking.get(kind))
        .and_then(Value::as_object)
        .map(|map| map.iter().map(|(k, v)| (k.clone(), v.clone())).collect())
        .unwrap_or_default())
}

/// A key that is not a free generated name asks for one to be generated: the IaC front end knows the name no sooner
/// (inferred), and a duplicated config names the domains of its source.
fn service_domains(world: &mut World, environment: &str, service: &str) -> Result<(), Refusal> {
    let holder = owner(environment, service);
    let wanted = wanted(world, environment, service, "serviceDomains")?;
    let mut settled = Map::new();
    for (domain, setting) in &wanted {
        let taken = world
            .domains
            .get(domain)
            .is_some_and(|other| *other != holder);
        let name = if taken || !domain.ends_with(GENERATED) {
            generated_domain(world, environment, service)
        } else {
            domain.clone()
        };
        world.domains.insert(name.clone(), holder.clone());
        settled.insert(name, setting.clone());
    }
    let names: Vec<String> = settled.keys().cloned().collect();
    if !wanted.is_empty() {
        world.environment_mut(environment)?.config["services"][service]["networking"]["serviceDomains"] =
            Value::Object(settled);
    }
    follow_names(world, environment, service, Kind::Generated, &names)
}

fn custom_domains(world: &mut World, environment: &str, service: &str) -> Result<(), Refusal> {
    let names: Vec<String> = wanted(world, environment, service, "customDomains")?
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    follow_names(world, environment, service, Kind::Custom, &names)
}

#[derive(Clone, Copy)]
enum Kind {
    Generated,
    Custom,
}

/// Adds records for new names and drops those of names that are gone.
fn follow_names(
    world: &mut World,
    environment: &str,
    service: &str,
    kind: Kind,
    names: &[String],
) -> Result<(), Refusal> {
    let of = |instance: &mut Instance| match kind {
        Kind::Generated => std::mem::take(&mut instance.service_domains),
        Kind::Custom => std::mem::take(&mut instance.custom_domains),
    };
    let mut records = of(world.instance_mut(environment, service)?);
    let gone: Vec<String> = records
        .keys()
        .filter(|name| !names.contains(name))
        .cloned()
        .collect();
    for name in gone {
        records.remove(&name);
        world.domains.remove(&name);
    }
    let span = world.rules.timing.networking;
    for name in names {
        if !records.contains_key(name) {
            world
                .domains
                .insert(name.clone(), owner(environment, service));
            let record = Domain {
                id: world.uuid(),
                created: world.now,
                active_at: world.later(span),
            };
            records.insert(name.clone(), record);
        }
    }
    let instance = world.instance_mut(environment, service)?;
    match kind {
        Kind::Generated => instance.service_domains = records,
        Kind::Custom => instance.custom_domains = records,
    }
    Ok(())
}

fn tcp_proxies(world: &mut World, environment: &str, service: &str) -> Result<(), Refusal> {
    let ports: Vec<String> = wanted(world, environment, service, "tcpProxies")?
        .into_iter()
        .map(|(port, _)| port)
        .collect();
    let span = world.rules.timing.networking;
    let mut records = std::mem::take(&mut world.instance_mut(environment, service)?.tcp_proxies);
    records.retain(|port, _| ports.contains(port));
    for port in ports {
        if let Entry::Vacant(slot) = records.entry(port) {
            let proxy_port = world.next_proxy_port;
            world.next_proxy_port = world.next_proxy_port.wrapping_add(1).max(20_000);
            let record = TcpProxy {
                id: world.uuid(),
                created: world.now,
                active_at: world.later(span),
                proxy_port,
                domain: PROXY_HOST.to_owned(),
            };
            slot.insert(record);
        }
    }
    world.instance_mut(environment, service)?.tcp_proxies = records;
    Ok(())
}

/// A volume hangs where some service's config mounts it.
fn volume_mounts(world: &mut World, environment: &str) -> Result<(), Refusal> {
    let found = world.environment_mut(environment)?;
    let mut mounts = Vec::new();
    for (service, config) in found.config["services"].as_object().into_iter().flatten() {
        for (volume, mount) in config
            .get("volumeMounts")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let path = mount["mountPath"].as_str().unwrap_or("/data").to_owned();
            mounts.push((volume.clone(), service.clone(), path));
        }
    }
    let sizes = found.config["volumes"].clone();
    for (id, volume) in &mut found.volume_instances {
        volume.service = None;
        if let Some(size) = sizes[id.as_str()]["sizeMB"].as_i64() {
            volume.size_mb = size;
        }
        if let Some(region) = sizes[id.as_str()]["region"].as_str() {
            volume.region = region.to_owned();
        }
    }
    for (volume, service, path) in mounts {
        if let Some(instance) = found.volume_instances.get_mut(&volume) {
            instance.service = Some(service);
            instance.mount_path = path;
        }
    }
    Ok(())
}

/// A setting of a domain or proxy.
pub(crate) fn port_setting(port: Option<i64>) -> Value {
    port.map_or_else(|| json!({}), |port| json!({"port": port}))
}

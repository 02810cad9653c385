//! Domains and TCP proxies.

use serde_json::{Value, json};

use super::{Handled, absent, environment_of_project, input, optional, text};
use crate::config::patch;
use crate::engine::Context;
use crate::lifecycle::environment::generate_domain;
use crate::lifecycle::network::{GENERATED, port_setting};
use crate::objects::{Answer, Arguments, all_domains, custom_domain, service_domain, tcp_proxy};
use crate::refusal::Refusal;
use crate::state::{Id, World};

pub(super) fn query(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    let environment = text(arguments, "environmentId");
    let service = text(arguments, "serviceId");
    Some(match name {
        "domains" => environment_of_project(context, text(arguments, "projectId"), environment)
            .and_then(|()| {
                let world = context.world.borrow();
                let place = world.environment(environment)?;
                let instance = world.instance(environment, service)?;
                Ok(all_domains(&world, place, instance, place.service_config(service)).into())
            }),
        "customDomain" => one_custom(context, text(arguments, "id")),
        "tcpProxies" => proxies(context, environment, service),
        "serviceDomainAvailable" | "customDomainAvailable" => {
            let taken = context
                .world
                .borrow()
                .domains
                .contains_key(text(arguments, "domain"));
            let message = if taken {
                "Domain is taken"
            } else {
                "Domain is available"
            };
            Ok(json!({"available": !taken, "message": message}).into())
        }
        _ => return None,
    })
}

pub(super) fn mutation(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    let id = text(arguments, "id");
    let given = input(arguments);
    Some(match name {
        "serviceDomainCreate" => create_service_domain(context, &given),
        "serviceDomainUpdate" => update_service_domain(context, &given),
        "serviceDomainDelete" => delete(context, id, "serviceDomains", "ServiceDomain"),
        "customDomainCreate" => create_custom_domain(context, &given),
        "customDomainUpdate" => update_custom_domain(context, id, arguments),
        "customDomainDelete" => delete(context, id, "customDomains", "CustomDomain"),
        "tcpProxyCreate" => create_proxy(context, &given),
        "tcpProxyDelete" => delete(context, id, "tcpProxies", "TCPProxy"),
        _ => return None,
    })
}

fn port(input: &Arguments) -> Option<i64> {
    input.get("targetPort").and_then(Value::as_i64)
}

/// Which environment, service and key a record's id belongs to.
fn locate(world: &World, id: &str, kind: &str) -> Option<(Id, Id, String)> {
    for place in world.environments.values() {
        for instance in place.instances.values() {
            let key = match kind {
                "serviceDomains" => instance
                    .service_domains
                    .iter()
                    .find(|(_, record)| record.id == id)
                    .map(|(name, _)| name),
                "customDomains" => instance
                    .custom_domains
                    .iter()
                    .find(|(_, record)| record.id == id)
                    .map(|(name, _)| name),
                _ => instance
                    .tcp_proxies
                    .iter()
                    .find(|(_, record)| record.id == id)
                    .map(|(port, _)| port),
            };
            if let Some(key) = key {
                return Some((place.id.clone(), instance.service.clone(), key.clone()));
            }
        }
    }
    None
}

/// Every call makes another domain.
fn create_service_domain(context: &Context<'_>, input: &Arguments) -> Answer {
    let (environment, service) = (text(input, "environmentId"), text(input, "serviceId"));
    let mut world = context.world.borrow_mut();
    context.grant.may_environment(&world, environment)?;
    let domain = generate_domain(&mut world, environment, service, port(input))?;
    let place = world.environment(environment)?;
    let instance = world.instance(environment, service)?;
    Ok(service_domain(
        &world,
        place,
        instance,
        place.service_config(service),
        &domain,
    )?
    .into())
}

fn update_service_domain(context: &Context<'_>, input: &Arguments) -> Answer {
    let mut world = context.world.borrow_mut();
    let (environment, service, old) =
        locate(&world, text(input, "serviceDomainId"), "serviceDomains")
            .ok_or(Refusal::NotFound("ServiceDomain"))?;
    context.grant.may_environment(&world, &environment)?;
    let wanted = text(input, "domain");
    let new = if wanted.ends_with(GENERATED) {
        wanted.to_owned()
    } else {
        format!("{wanted}{GENERATED}")
    };
    if new != old && world.domains.contains_key(&new) {
        return Err(Refusal::DomainTaken(new));
    }
    let setting = port_setting(port(input));
    patch::change(&mut world, &environment, false, |config| {
        let domains = &mut config["services"][service.as_str()]["networking"]["serviceDomains"];
        if let Some(domains) = domains.as_object_mut() {
            domains.remove(&old);
            domains.insert(new, setting);
        }
    })?;
    Ok(true.into())
}

fn one_custom(context: &Context<'_>, id: &str) -> Answer {
    let world = context.world.borrow();
    let (environment, service, domain) =
        locate(&world, id, "customDomains").ok_or(Refusal::NotFound("CustomDomain"))?;
    context.grant.may_environment(&world, &environment)?;
    let place = world.environment(&environment)?;
    let instance = world.instance(&environment, &service)?;
    Ok(custom_domain(
        &world,
        place,
        instance,
        place.service_config(&service),
        &domain,
    )?
    .into())
}

fn create_custom_domain(context: &Context<'_>, input: &Arguments) -> Answer {
    let (environment, service) = (text(input, "environmentId"), text(input, "serviceId"));
    environment_of_project(context, text(input, "projectId"), environment)?;
    let mut world = context.world.borrow_mut();
    let domain = text(input, "domain").to_lowercase();
    world.instance(environment, service)?;
    if world.domains.contains_key(&domain) {
        return Err(Refusal::DomainTaken(domain));
    }
    let setting = port_setting(port(input));
    patch::change(&mut world, environment, false, |config| {
        config["services"][service]["networking"]["customDomains"][domain.as_str()] = setting;
    })?;
    let place = world.environment(environment)?;
    let instance = world.instance(environment, service)?;
    Ok(custom_domain(
        &world,
        place,
        instance,
        place.service_config(service),
        &domain,
    )?
    .into())
}

fn update_custom_domain(context: &Context<'_>, id: &str, arguments: &Arguments) -> Answer {
    let mut world = context.world.borrow_mut();
    let (environment, service, domain) =
        locate(&world, id, "customDomains").ok_or(Refusal::NotFound("CustomDomain"))?;
    context.grant.may_environment(&world, &environment)?;
    let setting = port_setting(port(arguments));
    patch::change(&mut world, &environment, false, |config| {
        config["services"][service.as_str()]["networking"]["customDomains"][domain.as_str()] =
            setting;
    })?;
    Ok(true.into())
}

fn delete(context: &Context<'_>, id: &str, kind: &'static str, thing: &'static str) -> Answer {
    let found = locate(&context.world.borrow(), id, kind);
    let (environment, service, key) =
        found.ok_or_else(|| absent(context, Refusal::NotFound(thing)))?;
    let mut world = context.world.borrow_mut();
    context.grant.may_environment(&world, &environment)?;
    patch::change(&mut world, &environment, false, |config| {
        let entries = &mut config["services"][service.as_str()]["networking"][kind];
        if let Some(entries) = entries.as_object_mut() {
            entries.remove(&key);
        }
    })?;
    Ok(true.into())
}

fn proxies(context: &Context<'_>, environment: &str, service: &str) -> Answer {
    let world = context.world.borrow();
    context.grant.may_environment(&world, environment)?;
    let place = world.environment(environment)?;
    let instance = world.instance(environment, service)?;
    let all: Vec<Value> = instance
        .tcp_proxies
        .iter()
        .filter(|(_, proxy)| proxy.active_at <= world.now)
        .filter_map(|(port, _)| tcp_proxy(&world, place, instance, port))
        .collect();
    Ok(Value::Array(all).into())
}

fn create_proxy(context: &Context<'_>, input: &Arguments) -> Answer {
    let (environment, service) = (text(input, "environmentId"), text(input, "serviceId"));
    let mut world = context.world.borrow_mut();
    context.grant.may_environment(&world, environment)?;
    world.instance(environment, service)?;
    let port = input
        .get("applicationPort")
        .and_then(Value::as_i64)
        .unwrap_or_default()
        .to_string();
    patch::change(&mut world, environment, false, |config| {
        config["services"][service]["networking"]["tcpProxies"][port.as_str()] = json!({});
    })?;
    let place = world.environment(environment)?;
    let instance = world.instance(environment, service)?;
    optional(input, "environmentId")
        .and_then(|_| tcp_proxy(&world, place, instance, &port))
        .map(Into::into)
        .ok_or(Refusal::Problem)
}

//! A service in an environment, with its domains and proxies.

use serde_json::{Map, Value, json};

use super::{Answer, unknown};
use crate::config::defaults;
use crate::engine::{Context, Entity, Resolved};
use crate::refusal::Refusal;
use crate::state::{Environment, Instance, World};

pub(super) fn instance(
    context: &Context<'_>,
    environment: &str,
    service: &str,
    name: &str,
) -> Answer {
    let world = context.world.borrow();
    let place = world.environment(environment)?;
    let found = world.instance(environment, service)?;
    let config = place.service_config(service);
    let block = |block: &str, key: &str| -> Value {
        config
            .get(block)
            .and_then(|block| block.get(key))
            .cloned()
            .unwrap_or(Value::Null)
    };
    let or = |value: Value, default: Value| if value.is_null() { default } else { value };
    Ok(match name {
        "id" => found.id.clone().into(),
        "serviceId" => service.into(),
        "serviceName" => world.service(service)?.name.clone().into(),
        "environmentId" => environment.into(),
        "service" => Resolved::Entity(Entity::Service(service.to_owned())),
        "createdAt" => world.iso(found.created).into(),
        "updatedAt" => world.iso(found.updated).into(),
        "deletedAt" | "nextCronRunAt" | "upstreamUrl" | "nixpacksPlan" => Value::Null.into(),
        "isUpdatable" => false.into(),
        "source" => match config.get("source") {
            Some(source) if source["image"].is_string() || source["repo"].is_string() => {
                json!({"image": source["image"], "repo": source["repo"]}).into()
            }
            _ => Value::Null.into(),
        },
        "builder" => match block("build", "builder").as_str() {
            Some(builder @ ("NIXPACKS" | "HEROKU" | "PAKETO")) => builder.into(),
            _ => "RAILPACK".into(),
        },
        "buildCommand" => block("build", "buildCommand").into(),
        "dockerfilePath" => block("build", "dockerfilePath").into(),
        "watchPatterns" => or(block("build", "watchPatterns"), json!([])).into(),
        "rootDirectory" => block("source", "rootDirectory").into(),
        "railwayConfigFile" => config.get("configFile").cloned().unwrap_or_default().into(),
        "region" => defaults::region(config).into(),
        "numReplicas" => defaults::replicas(config).into(),
        "restartPolicyType" => or(block("deploy", "restartPolicyType"), json!("ON_FAILURE")).into(),
        "restartPolicyMaxRetries" => {
            or(block("deploy", "restartPolicyMaxRetries"), json!(10)).into()
        }
        "startCommand" | "preDeployCommand" | "healthcheckPath" | "healthcheckTimeout"
        | "cronSchedule" | "sleepApplication" | "overlapSeconds" | "drainingSeconds"
        | "ipv6EgressEnabled" => block("deploy", name).into(),
        "latestDeployment" => match found.deployments.last() {
            Some(deployment) => Resolved::Entity(Entity::Deployment(deployment.id.clone())),
            None => Value::Null.into(),
        },
        "activeDeployments" => Resolved::List(
            found
                .deployments
                .iter()
                .filter(|deployment| deployment.status.is_active())
                .map(|deployment| Entity::Deployment(deployment.id.clone()))
                .collect(),
        ),
        "domains" => all_domains(&world, place, found, config).into(),
        _ => return unknown("ServiceInstance", name),
    })
}

/// Both kinds of domains.
pub(crate) fn all_domains(
    world: &World,
    place: &Environment,
    instance: &Instance,
    config: &Map<String, Value>,
) -> Value {
    let service: Vec<Value> = instance
        .service_domains
        .keys()
        .filter_map(|domain| service_domain(world, place, instance, config, domain).ok())
        .collect();
    let custom: Vec<Value> = instance
        .custom_domains
        .keys()
        .filter_map(|domain| custom_domain(world, place, instance, config, domain).ok())
        .collect();
    json!({"serviceDomains": service, "customDomains": custom})
}

fn port(config: &Map<String, Value>, kind: &str, domain: &str) -> Value {
    config.get("networking").map_or(Value::Null, |networking| {
        networking[kind][domain]["port"].clone()
    })
}

fn sync(world: &World, active_at: i64) -> &'static str {
    if active_at <= world.now {
        "ACTIVE"
    } else {
        "CREATING"
    }
}

pub(crate) fn service_domain(
    world: &World,
    place: &Environment,
    instance: &Instance,
    config: &Map<String, Value>,
    domain: &str,
) -> Result<Value, Refusal> {
    let record = instance
        .service_domains
        .get(domain)
        .ok_or(Refusal::NotFound("ServiceDomain"))?;
    Ok(json!({
        "id": record.id,
        "domain": domain,
        "serviceId": instance.service,
        "environmentId": place.id,
        "projectId": place.project,
        "targetPort": port(config, "serviceDomains", domain),
        "suffix": "up.railway.app",
        "syncStatus": sync(world, record.active_at),
        "createdAt": world.iso(record.created),
        "updatedAt": world.iso(record.created),
    }))
}

pub(crate) fn custom_domain(
    world: &World,
    place: &Environment,
    instance: &Instance,
    config: &Map<String, Value>,
    domain: &str,
) -> Result<Value, Refusal> {
    let record = instance
        .custom_domains
        .get(domain)
        .ok_or(Refusal::NotFound("CustomDomain"))?;
    let (host, zone) = match domain.splitn(3, '.').collect::<Vec<_>>()[..] {
        [host, domain, rest] => (host.to_owned(), format!("{domain}.{rest}")),
        _ => (String::new(), domain.to_owned()),
    };
    let required = format!("{}.up.railway.app", &record.id[..8]);
    Ok(json!({
        "id": record.id,
        "domain": domain,
        "serviceId": instance.service,
        "environmentId": place.id,
        "projectId": place.project,
        "targetPort": port(config, "customDomains", domain),
        "syncStatus": sync(world, record.active_at),
        "isRailwayDomain": false,
        "createdAt": world.iso(record.created),
        "updatedAt": world.iso(record.created),
        "cnameCheck": {"status": "WAITING", "message": "Waiting for DNS", "link": null},
        "status": {
            "certificateStatus": "CERTIFICATE_STATUS_TYPE_VALIDATING_OWNERSHIP",
            "verified": false,
            "dnsRecords": [{
                "currentValue": "",
                "fqdn": domain,
                "hostlabel": host,
                "purpose": "DNS_RECORD_PURPOSE_TRAFFIC_ROUTE",
                "recordType": "DNS_RECORD_TYPE_CNAME",
                "requiredValue": required,
                "status": "DNS_RECORD_STATUS_REQUIRES_UPDATE",
                "zone": zone,
            }],
        },
    }))
}

/// A proxy once it has its port; before that it is not listed.
pub(crate) fn tcp_proxy(
    world: &World,
    place: &Environment,
    instance: &Instance,
    port: &str,
) -> Option<Value> {
    let record = instance.tcp_proxies.get(port)?;
    Some(json!({
        "id": record.id,
        "domain": record.domain,
        "proxyPort": record.proxy_port,
        "applicationPort": port.parse::<i64>().unwrap_or(0),
        "serviceId": instance.service,
        "environmentId": place.id,
        "syncStatus": sync(world, record.active_at),
        "createdAt": world.iso(record.created),
        "updatedAt": world.iso(record.created),
    }))
}

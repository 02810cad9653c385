//! Services and their instances.

use serde_json::{Map, Value, json};

use super::{Handled, absent, environment_of_project, input, optional, text};
use crate::config::{defaults, patch};
use crate::engine::{Context, Entity, Resolved};
use crate::lifecycle::{deploy, instance};
use crate::objects::{Answer, Arguments};
use crate::quirk::Quirk;
use crate::refusal::Refusal;
use crate::state::{Id, World};

pub(super) fn query(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    let environment = text(arguments, "environmentId");
    let service = text(arguments, "serviceId");
    Some(match name {
        "service" => one(context, text(arguments, "id")),
        "serviceInstance" => one_instance(context, environment, service),
        "serviceInstanceLimits" => limits(context, environment, service, true),
        "serviceInstanceLimitOverride" => limits(context, environment, service, false),
        "serviceInstanceAutoDeployStatus" => environment_of_project(
            context,
            text(arguments, "projectId"),
            environment,
        )
        .and_then(|()| {
            let world = context.world.borrow();
            let from_repo = world
                .environment(environment)?
                .service_config(service)
                .get("source")
                .is_some_and(|source| source["repo"].is_string());
            Ok(json!({"enabled": from_repo, "canEnable": from_repo, "reason": null}).into())
        }),
        _ => return None,
    })
}

pub(super) fn mutation(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    let id = text(arguments, "id");
    let given = input(arguments);
    Some(match name {
        "serviceCreate" => create(context, &given),
        "serviceUpdate" => update(context, id, &given),
        "serviceConnect" => connect(context, id, &given),
        "serviceDisconnect" => connect(context, id, &Map::new()),
        "serviceDelete" => delete(context, id, optional(arguments, "environmentId")),
        "serviceInstanceUpdate" => update_instances(
            context,
            text(arguments, "serviceId"),
            optional(arguments, "environmentId"),
            &given,
        ),
        "serviceInstanceLimitsUpdate" => set_limits(context, &given),
        _ => return None,
    })
}

fn one(context: &Context<'_>, id: &str) -> Answer {
    let world = context.world.borrow();
    let found = world.service(id)?;
    if found.visible_at > world.now && !context.mutation {
        return Err(Refusal::NotFound("Service"));
    }
    context.grant.may_project(&world, &found.project)?;
    Ok(Resolved::Entity(Entity::Service(id.to_owned())))
}

fn one_instance(context: &Context<'_>, environment: &str, service: &str) -> Answer {
    let world = context.world.borrow();
    context.grant.may_environment(&world, environment)?;
    let found = world.instance(environment, service)?;
    if found.visible_at > world.now && !context.mutation {
        return Err(Refusal::NotFound("ServiceInstance"));
    }
    Ok(Resolved::Entity(Entity::Instance {
        environment: environment.to_owned(),
        service: service.to_owned(),
    }))
}

fn limits(context: &Context<'_>, environment: &str, service: &str, effective: bool) -> Answer {
    let world = context.world.borrow();
    context.grant.may_environment(&world, environment)?;
    world.instance(environment, service)?;
    let config = world.environment(environment)?.service_config(service);
    let set = config
        .get("deploy")
        .map_or(Value::Null, |deploy| deploy["limitOverride"].clone());
    if effective && set.is_null() {
        return Ok(json!({"containers": {"cpu": 8, "memoryBytes": 8_000_000_000_i64}}).into());
    }
    Ok(set.into())
}

/// The environments that an operation with this environment argument reaches (schema: the fork rule).
fn reached(world: &World, project: &str, environment: Option<&str>) -> Result<Vec<Id>, Refusal> {
    if let Some(id) = environment {
        let found = world.environment(id)?;
        if found.project != project {
            return Err(Refusal::NotFound("Environment"));
        }
        if found.is_fork() || !world.has(Quirk::ServiceCreateEverywhere) {
            return Ok(vec![id.to_owned()]);
        }
    }
    Ok(world
        .project(project)?
        .environments
        .iter()
        .filter(|id| {
            world
                .environments
                .get(*id)
                .is_some_and(|found| !found.is_fork() && found.deleted_at.is_none())
        })
        .cloned()
        .collect())
}

fn create(context: &Context<'_>, input: &Arguments) -> Answer {
    let mut world = context.world.borrow_mut();
    let project = text(input, "projectId").to_owned();
    world.project(&project)?;
    context.grant.may_project(&world, &project)?;
    let places = reached(&world, &project, optional(input, "environmentId"))?;
    let name = match optional(input, "name") {
        Some(name) => name.to_owned(),
        None => instance::generated_name(&mut world, &project),
    };
    let icon = optional(input, "icon").map(str::to_owned);
    let id = instance::register_service(&mut world, &project, None, &name, icon)?;
    let mut settings = json!({"isCreated": true});
    if let Some(source) = input.get("source").and_then(Value::as_object) {
        settings["source"] = Value::Object(present(source));
        if let Some(branch) = optional(input, "branch") {
            settings["source"]["branch"] = json!(branch);
        }
    }
    if let Some(credentials) = input.get("registryCredentials").filter(|c| !c.is_null()) {
        settings["deploy"]["registryCredentials"] = credentials.clone();
    }
    for (name, value) in input
        .get("variables")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        settings["variables"][name.as_str()] = json!({"value": value});
    }
    for place in places {
        let mut change = json!({});
        change["services"][id.as_str()] = settings.clone();
        patch::apply(&mut world, &place, &change, true)?;
    }
    Ok(Resolved::Entity(Entity::Service(id)))
}

fn present(map: &Map<String, Value>) -> Map<String, Value> {
    map.iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn update(context: &Context<'_>, id: &str, input: &Arguments) -> Answer {
    let mut world = context.world.borrow_mut();
    let project = world.service(id)?.project.clone();
    context.grant.may_project(&world, &project)?;
    if let Some(name) = optional(input, "name")
        && world
            .service_named(&project, name)
            .is_some_and(|other| other.id != id)
    {
        return Err(Refusal::ServiceNameTaken(name.to_owned()));
    }
    let now = world.now;
    if let Some(service) = world.services.get_mut(id) {
        service.updated = now;
        if let Some(name) = optional(input, "name") {
            service.name = name.to_owned();
        }
        if let Some(icon) = optional(input, "icon") {
            service.icon = Some(icon.to_owned());
        }
    }
    Ok(Resolved::Entity(Entity::Service(id.to_owned())))
}

/// Works on the service, so on every environment's instance (schema).
fn connect(context: &Context<'_>, id: &str, input: &Arguments) -> Answer {
    let mut world = context.world.borrow_mut();
    let project = world.service(id)?.project.clone();
    context.grant.may_project(&world, &project)?;
    let source = Value::Object(present(input));
    let places: Vec<Id> = world.project(&project)?.environments.clone();
    for place in places {
        if world.instance(&place, id).is_err() {
            continue;
        }
        let source = source.clone();
        let service = id.to_owned();
        patch::change(&mut world, &place, true, |config| {
            config["services"][service.as_str()]["source"] = source;
        })?;
    }
    Ok(Resolved::Entity(Entity::Service(id.to_owned())))
}

fn delete(context: &Context<'_>, id: &str, environment: Option<&str>) -> Answer {
    let project = {
        let world = context.world.borrow();
        world.service(id).map(|service| service.project.clone())
    };
    let project = project.map_err(|refusal| absent(context, refusal))?;
    let mut world = context.world.borrow_mut();
    context.grant.may_project(&world, &project)?;
    let fork =
        environment.is_some_and(|id| world.environment(id).is_ok_and(|found| found.is_fork()));
    let places: Vec<Id> = match environment {
        Some(place) if fork || !world.has(Quirk::ServiceCreateEverywhere) => vec![place.to_owned()],
        _ => world.project(&project)?.environments.clone(),
    };
    for place in places {
        let change = json!({"services": {id: {"isDeleted": true}}});
        if world.instance(&place, id).is_ok() {
            patch::apply(&mut world, &place, &change, true)?;
        }
    }
    Ok(true.into())
}

/// Where each input field lives in the config.
const FIELDS: [(&str, &str, &str); 19] = [
    ("builder", "build", "builder"),
    ("buildCommand", "build", "buildCommand"),
    ("dockerfilePath", "build", "dockerfilePath"),
    ("nixpacksPlan", "build", "nixpacksPlan"),
    ("watchPatterns", "build", "watchPatterns"),
    ("rootDirectory", "source", "rootDirectory"),
    ("cronSchedule", "deploy", "cronSchedule"),
    ("drainingSeconds", "deploy", "drainingSeconds"),
    ("healthcheckPath", "deploy", "healthcheckPath"),
    ("healthcheckTimeout", "deploy", "healthcheckTimeout"),
    ("ipv6EgressEnabled", "deploy", "ipv6EgressEnabled"),
    ("multiRegionConfig", "deploy", "multiRegionConfig"),
    ("overlapSeconds", "deploy", "overlapSeconds"),
    ("preDeployCommand", "deploy", "preDeployCommand"),
    ("registryCredentials", "deploy", "registryCredentials"),
    (
        "restartPolicyMaxRetries",
        "deploy",
        "restartPolicyMaxRetries",
    ),
    ("restartPolicyType", "deploy", "restartPolicyType"),
    ("sleepApplication", "deploy", "sleepApplication"),
    ("startCommand", "deploy", "startCommand"),
];

/// Applies at once, and does not deploy (observed).
fn update_instances(
    context: &Context<'_>,
    id: &str,
    environment: Option<&str>,
    input: &Arguments,
) -> Answer {
    let mut world = context.world.borrow_mut();
    let project = world.service(id)?.project.clone();
    context.grant.may_project(&world, &project)?;
    let places = reached(&world, &project, environment)?;
    let keep_nulls = !world.has(Quirk::NullDoesNotClear);
    let mut settings = json!({});
    for (field, block, key) in FIELDS {
        match input.get(field) {
            None => {}
            Some(Value::Null) if !keep_nulls => {}
            Some(Value::String(empty)) if empty.is_empty() => settings[block][key] = Value::Null,
            Some(value) => settings[block][key] = value.clone(),
        }
    }
    if let Some(file) = optional(input, "railwayConfigFile") {
        settings["configFile"] = json!(file);
    }
    if let Some(source) = input.get("source").and_then(Value::as_object) {
        for (key, value) in source.iter().filter(|(_, value)| !value.is_null()) {
            settings["source"][key.as_str()] = value.clone();
        }
    }
    let region = optional(input, "region");
    let replicas = input.get("numReplicas").and_then(Value::as_i64);
    let resets = world.has(Quirk::ReplicasResetOnInstanceUpdate);
    for place in places {
        if world.instance(&place, id).is_err() {
            continue;
        }
        let config = world.environment(&place)?.service_config(id);
        let kept = if resets {
            1
        } else {
            defaults::replicas(config)
        };
        let mut settings = settings.clone();
        if input.get("multiRegionConfig").is_none_or(Value::is_null)
            && (resets || region.is_some() || replicas.is_some())
        {
            let present = defaults::region(config);
            let wanted = region.unwrap_or(&present);
            if wanted != present {
                settings["deploy"]["multiRegionConfig"][present.as_str()] = Value::Null;
            }
            settings["deploy"]["multiRegionConfig"][wanted] =
                json!({"numReplicas": replicas.unwrap_or(kept)});
        }
        let change = json!({"services": {id: settings}});
        patch::apply(&mut world, &place, &change, false)?;
    }
    Ok(true.into())
}

fn set_limits(context: &Context<'_>, input: &Arguments) -> Answer {
    let environment = text(input, "environmentId");
    let service = text(input, "serviceId");
    let mut world = context.world.borrow_mut();
    context.grant.may_environment(&world, environment)?;
    world.instance(environment, service)?;
    let mut containers = json!({});
    if let Some(cpu) = input.get("vCPUs").filter(|v| !v.is_null()) {
        containers["cpu"] = cpu.clone();
    }
    if let Some(memory) = input.get("memoryGB").and_then(Value::as_f64) {
        containers["memoryBytes"] = json!((memory * 1e9) as i64);
    }
    let change =
        json!({"services": {service: {"deploy": {"limitOverride": {"containers": containers}}}}});
    patch::apply(&mut world, environment, &change, false)?;
    Ok(true.into())
}

/// Whether a service could be deployed at all.
pub(super) fn is_deployable(world: &World, environment: &str, service: &str) -> bool {
    world
        .environment(environment)
        .is_ok_and(|found| deploy::has_source(found.service_config(service)))
}

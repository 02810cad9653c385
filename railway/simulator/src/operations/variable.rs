//! Variables, one by one or as a collection.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use super::{Handled, environment_of_project, flag, input, optional, text};
use crate::config::patch;
use crate::config::references::{
    private_domain, render, rendered, sealed_names, shared_values, variable_values,
};
use crate::engine::{Context, Entity, Resolved};
use crate::objects::{Answer, Arguments};
use crate::refusal::Refusal;

pub(super) fn query(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    Some(match name {
        "variables" => variables(context, arguments),
        "variablesForServiceDeployment" => for_deployment(context, arguments),
        _ => return None,
    })
}

pub(super) fn mutation(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    let given = input(arguments);
    let deploys = !flag(&given, "skipDeploys");
    Some(match name {
        "variableUpsert" => {
            let mut one = Map::new();
            one.insert(
                text(&given, "name").to_owned(),
                json!({"value": text(&given, "value")}),
            );
            write(context, &given, one, deploys).map(|()| true.into())
        }
        "variableCollectionUpsert" => collection(context, &given, deploys),
        "variableDelete" => {
            let mut one = Map::new();
            one.insert(text(&given, "name").to_owned(), Value::Null);
            write(context, &given, one, deploys).map(|()| true.into())
        }
        "sharedVariableConfigure" => configure_shared(context, &given),
        _ => return None,
    })
}

fn variables(context: &Context<'_>, arguments: &Arguments) -> Answer {
    let id = text(arguments, "environmentId");
    environment_of_project(context, text(arguments, "projectId"), id)?;
    let world = context.world.borrow();
    let environment = world.environment(id)?;
    let service = optional(arguments, "serviceId");
    let raw = flag(arguments, "unrendered");
    let (mut values, sealed) = match service {
        None => {
            let mut values = shared_values(environment);
            if !raw {
                for value in values.values_mut() {
                    *value = render(&world, environment, None, value, 0);
                }
            }
            (
                values,
                sealed_names(environment.config.get("sharedVariables")),
            )
        }
        Some(service) => {
            world.instance(id, service)?;
            let config = environment.service_config(service);
            let values = if raw {
                variable_values(config)
            } else {
                rendered(&world, environment, service)
            };
            (values, sealed_names(config.get("variables")))
        }
    };
    values.retain(|name, _| !sealed.contains(name));
    Ok(json!(values).into())
}

fn for_deployment(context: &Context<'_>, arguments: &Arguments) -> Answer {
    let id = text(arguments, "environmentId");
    environment_of_project(context, text(arguments, "projectId"), id)?;
    let world = context.world.borrow();
    let environment = world.environment(id)?;
    let service = text(arguments, "serviceId");
    world.instance(id, service)?;
    let sealed = sealed_names(environment.service_config(service).get("variables"));
    let mut values: BTreeMap<String, Value> = rendered(&world, environment, service)
        .into_iter()
        .map(|(name, value)| {
            let value = if sealed.contains(&name) {
                Value::Null
            } else {
                json!(value)
            };
            (name, value)
        })
        .collect();
    values.insert(
        "RAILWAY_PRIVATE_DOMAIN".to_owned(),
        json!(private_domain(&world.service(service)?.name)),
    );
    Ok(json!(values).into())
}

/// Merges variables into a service, or into the shared ones.
fn write(
    context: &Context<'_>,
    input: &Arguments,
    variables: Map<String, Value>,
    deploys: bool,
) -> Result<(), Refusal> {
    let id = text(input, "environmentId");
    environment_of_project(context, text(input, "projectId"), id)?;
    if variables.keys().any(String::is_empty) {
        return Err(Refusal::Problem);
    }
    let mut world = context.world.borrow_mut();
    let change = match optional(input, "serviceId") {
        None => json!({"sharedVariables": variables}),
        Some(service) => {
            world.service(service)?;
            world.instance(id, service)?;
            json!({"services": {service: {"variables": variables}}})
        }
    };
    patch::apply(&mut world, id, &change, deploys)?;
    Ok(())
}

fn collection(context: &Context<'_>, input: &Arguments, deploys: bool) -> Answer {
    let given = input
        .get("variables")
        .and_then(Value::as_object)
        .ok_or(Refusal::Problem)?;
    let mut change: Map<String, Value> = given
        .iter()
        .map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            (name.clone(), json!({"value": text}))
        })
        .collect();
    if flag(input, "replace") {
        let world = context.world.borrow();
        let environment = world.environment(text(input, "environmentId"))?;
        let present = match optional(input, "serviceId") {
            Some(service) => environment.service_config(service).get("variables"),
            None => environment.config.get("sharedVariables"),
        };
        for name in present
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
        {
            change.entry(name.clone()).or_insert(Value::Null);
        }
    }
    write(context, input, change, deploys)?;
    Ok(true.into())
}

/// Adds a reference to the shared variable to some services and takes it from others.
fn configure_shared(context: &Context<'_>, input: &Arguments) -> Answer {
    let id = text(input, "environmentId");
    let name = text(input, "name");
    environment_of_project(context, text(input, "projectId"), id)?;
    let mut world = context.world.borrow_mut();
    if world.environment(id)?.config["sharedVariables"]
        .get(name)
        .is_none()
    {
        return Err(Refusal::NotFound("Variable"));
    }
    let mut change = json!({});
    let services = |key: &str| -> Vec<String> {
        input
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    for service in services("enabledServiceIds") {
        change["services"][service]["variables"][name] =
            json!({"value": format!("${{{{shared.{name}}}}}")});
    }
    for service in services("disabledServiceIds") {
        change["services"][service]["variables"][name] = Value::Null;
    }
    patch::apply(&mut world, id, &change, true)?;
    Ok(Resolved::Entity(Entity::Variable {
        environment: id.to_owned(),
        service: None,
        name: name.to_owned(),
    }))
}

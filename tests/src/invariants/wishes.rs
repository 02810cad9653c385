//! Railway has what the specs say, checked without asking Mirage.

use mirage_railway_simulator::{EnvironmentEntry, InstanceEntry, Inventory};
use mirage_specs::{environment::DriftMode, name::MARK};

use super::{Expectation, settled};
use crate::{
    history::wish::{Value, Wish, WishService},
    world::World,
};

/// Wishes that did not come true.
pub(super) async fn unfulfilled(
    world: &World,
    inventory: &Inventory,
    expected: &Expectation<'_>,
    found: &mut Vec<String>,
) -> anyhow::Result<()> {
    for wish in &expected.wishes {
        let Some(object) = world.environment(&wish.name).await? else {
            found.push(format!("{}: the object is gone", wish.name));
            continue;
        };
        if settled::is_refused(&object) != wish.is_refused {
            let why = if wish.is_refused {
                "was not refused"
            } else {
                "was refused"
            };
            found.push(format!("{}: {why}", wish.name));
            continue;
        }
        // What is suspended may never have been made, and reported drift is left.
        if settled::is_waiting(&object)
            || wish.is_refused
            || wish.suspend
            || wish.drift != DriftMode::Repair
        {
            continue;
        }
        match inventory.environment(&wish.project, &wish.railway_name) {
            None => found.push(format!(
                "{}: there is no environment {}",
                wish.name, wish.railway_name
            )),
            Some(environment) => contents(
                wish,
                environment,
                object.metadata.uid.as_deref(),
                expected,
                found,
            ),
        }
    }
    Ok(())
}

fn contents(
    wish: &Wish,
    environment: &EnvironmentEntry,
    uid: Option<&str>,
    expected: &Expectation<'_>,
    found: &mut Vec<String>,
) {
    if environment
        .shared_variables
        .get(MARK)
        .and_then(Option::as_deref)
        != uid
    {
        found.push(format!(
            "{}: the environment does not carry its mark",
            wish.name
        ));
    }
    for (name, value) in &wish.variables {
        let seen = environment
            .shared_variables
            .get(name)
            .and_then(Option::as_deref);
        if let Some(why) = differs(value, seen, expected) {
            found.push(format!("{}: shared variable {name} {why}", wish.name));
        }
    }
    for name in environment
        .shared_variables
        .keys()
        .filter(|name| *name != MARK)
    {
        if !wish.variables.contains_key(name) && !name.starts_with("HAND") {
            found.push(format!(
                "{}: nobody asks for shared variable {name}",
                wish.name
            ));
        }
    }
    for (name, service) in &wish.services {
        match environment.service(name) {
            None => found.push(format!("{}: there is no service {name}", wish.name)),
            Some(instance) => of_service(
                &format!("{}: service {name}", wish.name),
                service,
                instance,
                expected,
                found,
            ),
        }
        let volumes = environment.service(name).map_or(0, |instance| {
            environment
                .volumes
                .iter()
                .filter(|volume| volume.service_id.as_ref() == Some(&instance.service_id))
                .count()
        });
        let wanted = usize::from(service.volume.is_some() || service.engine.is_some());
        if volumes != wanted {
            found.push(format!(
                "{}: service {name} has {volumes} volumes and wants {wanted}",
                wish.name
            ));
        }
    }
}

fn of_service(
    place: &str,
    service: &WishService,
    instance: &InstanceEntry,
    expected: &Expectation<'_>,
    found: &mut Vec<String>,
) {
    if service.engine.is_none() && instance.image.as_deref() != Some(&service.image) {
        found.push(format!(
            "{place} runs {:?} and not {}",
            instance.image, service.image
        ));
    }
    if let Some(replicas) = service.replicas
        && instance.replicas != i64::from(replicas)
    {
        found.push(format!(
            "{place} has {} replicas and not {replicas}",
            instance.replicas
        ));
    }
    for (name, value) in &service.variables {
        let seen = instance.variables.get(name).and_then(Option::as_deref);
        if let Some(why) = differs(value, seen, expected) {
            found.push(format!("{place}: variable {name} {why}"));
        }
    }
    for (name, value) in &instance.variables {
        // What was never declared is somebody's own.
        let is_by_hand = value.as_deref() == Some("hand");
        if service.engine.is_none() && !service.variables.contains_key(name) && !is_by_hand {
            found.push(format!("{place}: nobody asks for variable {name}"));
        }
    }
    for domain in service
        .custom_domains
        .iter()
        .filter(|domain| !instance.custom_domains.contains(domain))
    {
        found.push(format!("{place} lacks domain {domain}"));
    }
    for domain in instance
        .custom_domains
        .iter()
        .filter(|domain| !service.custom_domains.contains(domain))
    {
        found.push(format!("{place}: nobody asks for domain {domain}"));
    }
    if service.domain == instance.service_domains.is_empty() {
        found.push(format!(
            "{place} has the generated domains {:?}",
            instance.service_domains
        ));
    }
    let ports: Vec<String> = service
        .tcp_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    if instance.tcp_proxies.keys().ne(ports.iter()) && service.engine.is_none() {
        found.push(format!(
            "{place} has TCP proxies {:?} and wants {ports:?}",
            instance.tcp_proxies
        ));
    }
}

fn differs(wanted: &Value, seen: Option<&str>, expected: &Expectation<'_>) -> Option<String> {
    let Some(seen) = seen else {
        return Some("is not there".to_owned());
    };
    let right = match wanted {
        Value::Plain(text) => text == seen,
        Value::Secret(key) => expected
            .secrets
            .get(key)
            .is_some_and(|secret| secret == seen),
        // Made once and then kept: a value that was there before it was to be generated stays.
        Value::Generated => !seen.is_empty(),
    };
    (!right).then(|| "has another value".to_owned())
}

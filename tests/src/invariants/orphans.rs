//! Nothing twice, and nothing that nobody stands for.

use std::collections::{BTreeMap, BTreeSet};

use mirage_railway_simulator::{EnvironmentEntry, Inventory, ProjectEntry};
use mirage_specs::name::MARK;

use super::Expectation;
use crate::{history::HAND_MADE, world::World};

/// Names that stand for two things.
pub(super) fn duplicates(
    inventory: &Inventory,
    expected: &Expectation<'_>,
    found: &mut Vec<String>,
) {
    let projects = inventory
        .projects
        .iter()
        .map(|project| project.name.as_str());
    twice("project", "Railway", projects, found);
    let mut domains = Vec::new();
    for project in &inventory.projects {
        let environments = project
            .environments
            .iter()
            .filter(|environment| !environment.deleting);
        twice(
            "environment",
            &project.name,
            environments.map(|environment| environment.name.as_str()),
            found,
        );
        twice(
            "service",
            &project.name,
            project.services.iter().map(|service| service.name.as_str()),
            found,
        );
        twice(
            "volume",
            &project.name,
            project.volumes.iter().map(|volume| volume.name.as_str()),
            found,
        );
        for instance in project
            .environments
            .iter()
            .flat_map(|environment| &environment.services)
        {
            domains.extend(
                instance
                    .custom_domains
                    .iter()
                    .chain(&instance.service_domains)
                    .map(String::as_str),
            );
        }
    }
    twice("domain", "Railway", domains, found);
    for wish in &expected.wishes {
        let Some(environment) = inventory.environment(&wish.project, &wish.railway_name) else {
            continue;
        };
        for (name, service) in &wish.services {
            let generated = environment
                .service(name)
                .map_or(0, |instance| instance.service_domains.len());
            if service.domain && generated > 1 {
                found.push(format!(
                    "{}: service {name} has {generated} generated domains",
                    wish.name
                ));
            }
        }
    }
}

fn twice<'a>(
    what: &str,
    place: &str,
    names: impl IntoIterator<Item = &'a str>,
    found: &mut Vec<String>,
) {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    for (name, count) in counts.into_iter().filter(|(_, count)| *count > 1) {
        found.push(format!("{what} {name} is there {count} times in {place}"));
    }
}

/// Environments without an object, and contents of ours that no spec asks for.
pub(super) async fn orphans(
    world: &World,
    inventory: &Inventory,
    expected: &Expectation<'_>,
    found: &mut Vec<String>,
) -> anyhow::Result<()> {
    let known_before: BTreeSet<&str> = expected
        .before
        .projects
        .iter()
        .flat_map(|project| &project.environments)
        .map(|environment| environment.id.as_str())
        .collect();
    let objects = world.environments().await?;
    let owned: BTreeSet<String> = objects
        .iter()
        .filter_map(|object| {
            object
                .status
                .as_ref()?
                .railway
                .as_ref()?
                .environment_id
                .clone()
        })
        .collect();
    let receipts: BTreeSet<String> = world
        .orphans()
        .await?
        .into_iter()
        .filter_map(|orphan| orphan.spec.railway_id)
        .collect();
    for project in &inventory.projects {
        for environment in project
            .environments
            .iter()
            .filter(|environment| !environment.deleting)
        {
            let excused = known_before.contains(environment.id.as_str())
                || owned.contains(&environment.id)
                || receipts.contains(&environment.id)
                || expected.retained.contains(&environment.id)
                || environment.name.starts_with(HAND_MADE)
                || came_with_project(project, environment);
            if !excused {
                found.push(format!(
                    "environment {}/{} belongs to no object",
                    project.name, environment.name
                ));
            }
        }
    }
    for wish in &expected.wishes {
        let Some(environment) = inventory.environment(&wish.project, &wish.railway_name) else {
            continue;
        };
        // A suspended environment is stopped and otherwise left as it was.
        if !owned.contains(&environment.id) || wish.suspend {
            continue;
        }
        for instance in &environment.services {
            let empty = instance.image.is_none()
                && instance.repo.is_none()
                && instance.variables.is_empty();
            let excused = instance.name.starts_with(HAND_MADE) || (expected.spills && empty);
            if !wish.services.contains_key(&instance.name) && !excused {
                found.push(format!(
                    "{}: nobody asks for service {}",
                    wish.name, instance.name
                ));
            }
        }
        for volume in &environment.volumes {
            // A service has one volume at most, so the one attached is the one asked for, whatever its name.
            let asked_for = wish.services.iter().any(|(name, service)| {
                (service.volume.is_some() || service.engine.is_some())
                    && volume.service_id.is_some()
                    && environment
                        .service(name)
                        .map(|instance| &instance.service_id)
                        == volume.service_id.as_ref()
            });
            if !asked_for {
                found.push(format!(
                    "{}: nobody asks for volume {}",
                    wish.name, volume.name
                ));
            }
        }
    }
    Ok(())
}

/// Railway gives every project a first environment; nobody asked for it, and it is empty.
fn came_with_project(project: &ProjectEntry, environment: &EnvironmentEntry) -> bool {
    project
        .environments
        .first()
        .is_some_and(|first| first.id == environment.id)
        && !environment.shared_variables.contains_key(MARK)
        && environment
            .services
            .iter()
            .all(|instance| instance.image.is_none() && instance.repo.is_none())
}

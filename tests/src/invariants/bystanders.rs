//! What is not Mirage's stays as it is, and is not even spoken to.

use std::collections::BTreeSet;

use mirage_railway_simulator::{EnvironmentEntry, Inventory};
use serde_json::Value;

use super::Expectation;
use crate::world::World;

/// Environments from before Mirage that look different.
pub(super) fn touched(inventory: &Inventory, expected: &Expectation<'_>, found: &mut Vec<String>) {
    for project in &expected.before.projects {
        for before in &project.environments {
            let after = inventory
                .projects
                .iter()
                .flat_map(|project| &project.environments)
                .find(|environment| environment.id == before.id);
            match after {
                None => found.push(format!(
                    "environment {}/{} was made by hand and is gone",
                    project.name, before.name
                )),
                Some(after) => {
                    let (before_looks, after_looks) = (
                        looks(before, expected.spills),
                        looks(after, expected.spills),
                    );
                    if before_looks != after_looks {
                        found.push(format!(
                            "environment {}/{} was made by hand and changed from {before_looks} to {after_looks}",
                            project.name, before.name
                        ));
                    }
                }
            }
        }
    }
}

/// All of an environment that somebody decided; deployments and etags move by themselves.
fn looks(environment: &EnvironmentEntry, spills: bool) -> String {
    let mut environment = environment.clone();
    environment.etag = String::new();
    for service in &mut environment.services {
        service.deployments.clear();
    }
    if spills {
        // Instances without anything: Railway makes them in every environment with a new service.
        environment.services.retain(|service| {
            service.image.is_some() || service.repo.is_some() || !service.variables.is_empty()
        });
    }
    format!("{environment:?}")
}

/// Mutations that name an environment which Mirage never wrote down as its own.
pub(super) async fn reached(
    world: &World,
    expected: &Expectation<'_>,
    found: &mut Vec<String>,
) -> anyhow::Result<()> {
    let mut own = BTreeSet::new();
    for object in world.past("environments.mirage.dev").await? {
        if let Some(id) = object["status"]["railway"]["environmentId"].as_str() {
            own.insert(id.to_owned());
        }
        for entry in object["status"]["ledger"].as_array().into_iter().flatten() {
            if entry["kind"] == "Environment" {
                own.extend(entry["railwayId"].as_str().map(str::to_owned));
            }
        }
    }
    let others: Vec<&str> = expected
        .before
        .projects
        .iter()
        .flat_map(|project| &project.environments)
        .flat_map(|environment| {
            let services = environment
                .services
                .iter()
                .map(|service| service.service_id.as_str());
            services.chain([environment.id.as_str()])
        })
        .collect();
    for request in world
        .simulator
        .log()
        .into_iter()
        .filter(|request| request.mutation)
    {
        let said = request.variables.to_string();
        for id in others.iter().filter(|id| said.contains(**id)) {
            found.push(format!(
                "{:?} speaks of {id}, which was made by hand",
                request.fields
            ));
        }
        let mut targets = Vec::new();
        targets_of(&request.variables, &mut targets);
        if request
            .fields
            .iter()
            .any(|field| field == "environmentDelete")
        {
            targets.extend(request.variables["id"].as_str().map(str::to_owned));
        }
        for id in targets.into_iter().filter(|id| !own.contains(id)) {
            found.push(format!(
                "{:?} goes to environment {id}, which is nobody's",
                request.fields
            ));
        }
    }
    Ok(())
}

fn targets_of(value: &Value, targets: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                match inner.as_str() {
                    Some(id) if key == "environmentId" => targets.push(id.to_owned()),
                    _ => targets_of(inner, targets),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| targets_of(item, targets)),
        _ => {}
    }
}

//! What must be on Railway when an environment is as declared: each thing once, nothing besides, and in the ledger.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, anyhow, ensure};
use mirage_railway_simulator::{EnvironmentEntry, Inventory, NamedEntry, ProjectEntry};
use mirage_specs::{
    Environment,
    ledger::{LedgerEntry, LedgerKind},
    name::MARK,
};
use serde_json::{Map, Value};

use super::specs::NAME;

/// Holds what there is against a manifest and its object.
///
/// # Errors
/// A duplicate, an orphan, something missing or unequal, or a ledger that does not add up; in words.
pub fn matches(inventory: &Inventory, manifest: &Value, object: &Environment) -> Result<()> {
    compare(inventory, manifest, object).map_err(|error| {
        let ledger = object.status.as_ref().map(|status| &status.ledger);
        anyhow!(
            "{error:#}\nRailway: {}\nledger: {ledger:?}",
            shown(inventory)
        )
    })
}

fn compare(inventory: &Inventory, manifest: &Value, object: &Environment) -> Result<()> {
    let project = only_project(inventory)?;
    let environment = ours(project)?;
    let declared = manifest["spec"]["services"]
        .as_object()
        .context("services")?;

    equal(
        "services of the environment",
        declared.keys().cloned(),
        environment
            .services
            .iter()
            .map(|service| service.name.clone()),
    )?;
    // What serviceCreate left in the project's own environment may outlive a service of ours; twice it may not be there.
    let spilled = spilled(project);
    let names = project.services.iter().map(|service| service.name.clone());
    let (ours, left): (Vec<_>, Vec<_>) = names.partition(|name| declared.contains_key(name));
    equal("services of the project", declared.keys().cloned(), ours)?;
    ensure!(
        left.iter().all(|name| spilled.contains(name.as_str())),
        "nobody asks for {left:?}"
    );
    equal(
        "volumes of the project and of the environment",
        ids_of(&project.volumes),
        environment
            .volumes
            .iter()
            .map(|volume| volume.volume_id.clone()),
    )?;
    let shared = keys(&manifest["spec"]["variables"]).chain([MARK.to_owned()]);
    equal(
        "shared variables",
        shared,
        environment.shared_variables.keys().cloned(),
    )?;

    for service in &environment.services {
        let spec = &declared[&service.name];
        let of = |what: &str| format!("{what} of {}", service.name);
        ensure!(
            service.image.as_deref() == spec["source"]["image"].as_str(),
            "{}: {:?}",
            of("image"),
            service.image
        );
        equal(
            &of("variables"),
            keys(&spec["variables"]),
            service.variables.keys().cloned(),
        )?;
        let (custom, generated): (Vec<_>, Vec<_>) =
            items(&spec["domains"]).partition(|domain| domain["name"].is_string());
        let custom = custom
            .iter()
            .filter_map(|domain| domain["name"].as_str().map(str::to_owned));
        equal(
            &of("custom domains"),
            custom,
            service.custom_domains.iter().cloned(),
        )?;
        ensure!(
            service.service_domains.len() == generated.len(),
            "{}: {:?}",
            of("domains"),
            service.service_domains
        );
        let ports = items(&spec["tcpProxies"]).map(ToString::to_string);
        equal(
            &of("TCP proxies"),
            ports,
            service.tcp_proxies.keys().cloned(),
        )?;
        ensure!(
            service.status() == Some("SUCCESS"),
            "{}: {:?}",
            of("deployment"),
            service.status()
        );
        let alive = service
            .deployments
            .iter()
            .filter(|deployment| deployment.status == "SUCCESS")
            .count();
        ensure!(alive == 1, "{alive} live deployments of {}", service.name);
    }
    ledger(environment, project, object, declared)
}

fn ids_of(entries: &[NamedEntry]) -> impl Iterator<Item = String> {
    entries.iter().map(|entry| entry.id.clone())
}

/// Nothing is left of the environment; the project stays, with what came with it.
///
/// # Errors
/// An orphan; in words.
pub fn is_empty(inventory: &Inventory) -> Result<()> {
    let Some(project) = inventory.project(NAME) else {
        return Ok(());
    };
    let check = || -> Result<()> {
        only_project(inventory)?;
        ensure!(
            project.environment(NAME).is_none(),
            "the environment is still there"
        );
        ensure!(
            project.volumes.is_empty(),
            "volumes are left: {:?}",
            project.volumes
        );
        bystanders(project)?;
        // What serviceCreate left in the project's own environment is gone with its last instance.
        let spilled = spilled(project);
        let left = project
            .services
            .iter()
            .find(|service| !spilled.contains(service.name.as_str()));
        ensure!(
            left.is_none(),
            "service {left:?} is in no environment and in the project"
        );
        Ok(())
    };
    check().map_err(|error| anyhow!("{error:#}\nRailway: {}", shown(inventory)))
}

/// Services with an instance in an environment that is not ours.
fn spilled(project: &ProjectEntry) -> BTreeSet<&str> {
    let others = project
        .environments
        .iter()
        .filter(|environment| environment.name != NAME);
    others
        .flat_map(|environment| &environment.services)
        .map(|service| service.name.as_str())
        .collect()
}

fn shown(inventory: &Inventory) -> String {
    serde_json::to_string(inventory).unwrap_or_default()
}

fn only_project(inventory: &Inventory) -> Result<&ProjectEntry> {
    let [project] = inventory.projects.as_slice() else {
        anyhow::bail!("{} projects instead of one", inventory.projects.len())
    };
    ensure!(
        project.name == NAME,
        "the project is called {}",
        project.name
    );
    Ok(project)
}

fn ours(project: &ProjectEntry) -> Result<&EnvironmentEntry> {
    let ours: Vec<_> = project
        .environments
        .iter()
        .filter(|environment| environment.name == NAME)
        .collect();
    let [environment] = ours.as_slice() else {
        anyhow::bail!("{} environments instead of one", ours.len())
    };
    bystanders(project)?;
    Ok(environment)
}

/// The environment that every project begins with: unmarked, and nothing runs in it.
fn bystanders(project: &ProjectEntry) -> Result<()> {
    let others: Vec<_> = project
        .environments
        .iter()
        .filter(|environment| environment.name != NAME)
        .collect();
    ensure!(
        others.len() == 1,
        "{} environments besides ours",
        others.len()
    );
    for other in others {
        ensure!(
            !other.shared_variables.contains_key(MARK),
            "{} carries our mark",
            other.name
        );
        ensure!(other.volumes.is_empty(), "{} has volumes", other.name);
        for service in &other.services {
            let is_empty = service.image.is_none()
                && service.variables.is_empty()
                && service.deployments.is_empty();
            ensure!(is_empty, "{} runs in {}", service.name, other.name);
        }
    }
    Ok(())
}

fn ledger(
    environment: &EnvironmentEntry,
    project: &ProjectEntry,
    object: &Environment,
    declared: &Map<String, Value>,
) -> Result<()> {
    let status = object.status.as_ref().context("no status")?;
    let of = |kind: LedgerKind| -> Vec<&LedgerEntry> {
        status
            .ledger
            .iter()
            .filter(|entry| entry.kind == kind)
            .collect()
    };
    let ids = |kind| {
        of(kind).into_iter().map(|entry| {
            (
                entry.name.clone(),
                entry.railway_id.clone().unwrap_or_default(),
            )
        })
    };
    let services = environment
        .services
        .iter()
        .map(|service| (service.name.clone(), service.service_id.clone()));
    equal("services in the ledger", services, ids(LedgerKind::Service))?;
    // A volume is named after it was made; killed in between, it keeps the name that Railway gave it, and serves.
    let volumes = environment
        .volumes
        .iter()
        .map(|volume| volume.volume_id.clone());
    equal(
        "volumes in the ledger",
        volumes,
        ids(LedgerKind::Volume).map(|(_, id)| id),
    )?;
    let named = declared.iter().flat_map(|(service, spec)| {
        keys(&spec["volumes"]).map(move |volume| format!("{service}-{volume}"))
    });
    equal(
        "names of volumes in the ledger",
        named,
        ids(LedgerKind::Volume).map(|(name, _)| name),
    )?;
    equal(
        "environments in the ledger",
        [environment.id.clone()],
        ids(LedgerKind::Environment).map(|(_, id)| id),
    )?;
    let projects: BTreeMap<_, _> = ids(LedgerKind::Project).collect();
    ensure!(
        projects.values().all(|id| *id == project.id),
        "projects in the ledger: {projects:?}"
    );
    let domains: usize = declared
        .values()
        .map(|service| items(&service["domains"]).count())
        .sum();
    ensure!(
        of(LedgerKind::Domain).len() == domains,
        "domains in the ledger: {:?}",
        of(LedgerKind::Domain)
    );
    Ok(())
}

/// As multisets: a thing that is there twice is a duplicate.
fn equal<T: Ord + std::fmt::Debug>(
    what: &str,
    wanted: impl IntoIterator<Item = T>,
    found: impl IntoIterator<Item = T>,
) -> Result<()> {
    let mut wanted: Vec<T> = wanted.into_iter().collect();
    let mut found: Vec<T> = found.into_iter().collect();
    wanted.sort();
    found.sort();
    ensure!(
        wanted == found,
        "{what}: wanted {wanted:?}, found {found:?}"
    );
    Ok(())
}

fn keys(value: &Value) -> impl Iterator<Item = String> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

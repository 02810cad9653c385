//! The services of an environment as a whole: their names, what they wait for, addresses no two may share.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    name::{DomainName, ServiceName},
    nearest::suggestion,
    path::FieldPath,
    validate::{Faults, node::Node},
};

/// The services that exist, when that can be known: a template may still bring some.
pub(super) struct Known<'a> {
    names: Vec<&'a str>,
    complete: bool,
}

impl<'a> Known<'a> {
    pub(super) fn of(services: &Node<'a>, complete: bool) -> Self {
        let names = services
            .entries()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        Self { names, complete }
    }

    /// For a name that is certainly not a service: what may have been meant instead, as the end of a sentence.
    pub(super) fn missing(&self, name: &str) -> Option<String> {
        (self.complete && !self.names.contains(&name))
            .then(|| suggestion(name, self.names.iter().copied()))
    }
}

/// All rules that look at more than one service.
pub(super) fn check(services: &Node<'_>, known: &Known<'_>, faults: &mut Faults) {
    check_names(services, faults);
    check_domains(services, faults);
    check_dependencies(services, known, faults);
}

fn check_names(services: &Node<'_>, faults: &mut Faults) {
    let mut seen = BTreeMap::new();
    for (name, service) in services.entries() {
        if let Err(error) = name.parse::<ServiceName>() {
            faults.name(&service.path, &error);
        }
        // Services find each other at `<name>.railway.internal`, and host names know no case.
        if let Some(other) = seen.insert(name.to_lowercase(), name) {
            faults.duplicate(
                &service.path,
                format!(
                    "differs from {other:?} in case only, and both would have one private address"
                ),
            );
        }
    }
}

fn check_domains(services: &Node<'_>, faults: &mut Faults) {
    let mut seen: BTreeMap<String, FieldPath> = BTreeMap::new();
    for (_, service) in services.entries() {
        let mut generated = 0;
        for domain in service.at("domains").items() {
            if domain.at("port").number() == Some(0) {
                faults.invalid(&domain.at("port").path, "a port is between 1 and 65535");
            }
            let name = domain.at("name");
            if !name.is_given() && domain.value.is_object() {
                generated += 1;
                if generated > 1 {
                    faults.duplicate(
                        &domain.path,
                        "one generated domain is enough for a service; give this one a name",
                    );
                }
            }
            let Some(text) = name.text() else { continue };
            if let Err(error) = text.parse::<DomainName>() {
                faults.name(&name.path, &error);
            }
            if let Some(other) = seen.get(&text.to_lowercase()) {
                faults.duplicate(&name.path, format!("{text} is already given at {other}"));
            } else {
                seen.insert(text.to_lowercase(), name.path);
            }
        }
    }
}

fn check_dependencies(services: &Node<'_>, known: &Known<'_>, faults: &mut Faults) {
    let mut edges: BTreeMap<&str, Vec<(&str, FieldPath)>> = BTreeMap::new();
    for (name, service) in services.entries() {
        let mut seen = BTreeSet::new();
        for dependency in service.at("dependsOn").items() {
            let Some(target) = dependency.text() else {
                continue;
            };
            if target == name {
                faults.invalid(&dependency.path, "a service cannot wait for itself");
            } else if !seen.insert(target) {
                faults.duplicate(&dependency.path, format!("{target:?} is named twice"));
            } else if let Some(near) = known.missing(target) {
                faults.invalid(
                    &dependency.path,
                    format!("there is no service {target:?} in spec.services{near}"),
                );
            } else {
                edges
                    .entry(name)
                    .or_default()
                    .push((target, dependency.path));
            }
        }
    }
    let mut search = Search {
        edges: &edges,
        done: BTreeSet::new(),
        trail: Vec::new(),
    };
    for name in edges.keys() {
        search.visit(name, faults);
    }
}

/// A depth-first search that reports each cycle once, at the entry that closes it.
struct Search<'e, 'a> {
    edges: &'e BTreeMap<&'a str, Vec<(&'a str, FieldPath)>>,
    done: BTreeSet<&'a str>,
    trail: Vec<&'a str>,
}

impl<'a> Search<'_, 'a> {
    fn visit(&mut self, name: &'a str, faults: &mut Faults) {
        if self.done.contains(name) {
            return;
        }
        self.trail.push(name);
        for (target, path) in self.edges.get(name).into_iter().flatten() {
            match self.trail.iter().position(|passed| passed == target) {
                Some(start) => {
                    let mut cycle = self.trail[start..].to_vec();
                    cycle.push(target);
                    faults.invalid(
                        path,
                        format!("services wait for each other: {}", cycle.join(" → ")),
                    );
                }
                None => self.visit(target, faults),
            }
        }
        self.trail.pop();
        self.done.insert(name);
    }
}

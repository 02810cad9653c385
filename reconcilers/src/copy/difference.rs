//! The copy beside its source, part by part. Never the value of a variable. Pure.

use std::collections::BTreeMap;

use mirage_specs::{
    EnvironmentSpec, ServiceSpec, Variable,
    copy::{Change, Difference},
    reference::{Reference, references},
};
use serde_json::Value;

use super::{OnRailway, Source, naming::Naming};

/// Everything that differs, every variable, and every service, in the order of their paths.
pub(super) fn difference(
    source: Source<'_>,
    copy: &EnvironmentSpec,
    naming: &Naming,
) -> Vec<Difference> {
    let mut found = Vec::new();
    let frame = |spec: &EnvironmentSpec| {
        leaves(&EnvironmentSpec {
            services: BTreeMap::new(),
            variables: BTreeMap::new(),
            template_ref: None,
            ..spec.clone()
        })
    };
    settings("", &frame(source.spec), &frame(copy), &mut found);
    let on_railway = shared_on_railway(source);
    variables(
        "variables",
        &source.spec.variables,
        on_railway,
        &copy.variables,
        &mut found,
    );
    for (name, service) in &source.spec.services {
        let Some(service) = service else { continue };
        let new_name = naming.name(name);
        let copied = new_name.and_then(|new| copy.services.get(new)?.as_ref());
        let (Some(new_name), Some(copied)) = (new_name, copied) else {
            found.push(Difference {
                path: format!("services.{name}"),
                change: Change::Removed,
                from: None,
                to: None,
            });
            continue;
        };
        let path = format!("services.{new_name}");
        let mut inside = Vec::new();
        settings(
            &format!("{path}."),
            &leaves(&bare(service)),
            &leaves(&bare(copied)),
            &mut inside,
        );
        variables(
            &format!("{path}.variables"),
            &service.variables,
            of_service_on_railway(source, name),
            &copied.variables,
            &mut inside,
        );
        let is_same = inside.iter().all(|one| one.change == Change::Unchanged) && name == new_name;
        found.push(Difference {
            path,
            change: if is_same {
                Change::Unchanged
            } else {
                Change::Changed
            },
            from: (name != new_name).then(|| format!("services.{name}")),
            to: None,
        });
        found.extend(inside);
    }
    found
}

fn bare(service: &ServiceSpec) -> ServiceSpec {
    ServiceSpec {
        variables: BTreeMap::new(),
        ..service.clone()
    }
}

/// Settings of both by path. Those that are alike are not listed: their service is.
fn settings(
    prefix: &str,
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    found: &mut Vec<Difference>,
) {
    let paths: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for path in paths {
        let (from, to) = (before.get(path), after.get(path));
        let change = match (from, to) {
            (Some(from), Some(to)) if from == to => continue,
            (Some(_), Some(_)) => Change::Changed,
            (None, _) => Change::New,
            (Some(_), None) => Change::Removed,
        };
        found.push(Difference {
            path: format!("{prefix}{path}"),
            change,
            from: from.cloned(),
            to: to.cloned(),
        });
    }
}

/// The scalars of a value by their path; a list is one.
fn leaves(value: &impl serde::Serialize) -> BTreeMap<String, String> {
    fn walk(value: &Value, path: &str, found: &mut BTreeMap<String, String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let path = if path.is_empty() {
                        key.clone()
                    } else {
                        format!("{path}.{key}")
                    };
                    walk(value, &path, found);
                }
            }
            Value::Null => {}
            Value::String(text) => drop(found.insert(path.to_owned(), text.clone())),
            other => drop(found.insert(path.to_owned(), other.to_string())),
        }
    }
    let mut found = BTreeMap::new();
    walk(
        &serde_json::to_value(value).unwrap_or_default(),
        "",
        &mut found,
    );
    found
}

fn variables<'a>(
    path: &str,
    before: &'a BTreeMap<String, Option<Variable>>,
    on_railway: Vec<&'a str>,
    after: &'a BTreeMap<String, Option<Variable>>,
    found: &mut Vec<Difference>,
) {
    let declared = |all: &'a BTreeMap<String, Option<Variable>>| {
        all.iter()
            .filter_map(|(name, variable)| Some((name.as_str(), variable.as_ref()?)))
    };
    let mut names: Vec<&str> = declared(before)
        .chain(declared(after))
        .map(|(name, _)| name)
        .chain(on_railway.iter().copied())
        .collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let from = before.get(name).and_then(Option::as_ref);
        let to = after.get(name).and_then(Option::as_ref);
        let was_there = from.is_some() || on_railway.contains(&name);
        let change = match (was_there, to) {
            (true, None) => Change::Removed,
            (false, _) => Change::New,
            (true, Some(to)) if is_same(from, to) => Change::Unchanged,
            (true, Some(_)) => Change::Changed,
        };
        found.push(Difference {
            path: format!("{path}.{name}"),
            change,
            from: match from {
                Some(variable) => Some(told(variable)),
                None => was_there.then(|| "set on Railway".to_owned()),
            },
            to: to.map(told),
        });
    }
}

/// Whether the copy's value is the source's.
fn is_same(from: Option<&Variable>, to: &Variable) -> bool {
    match (from, to) {
        // What Railway has goes from one to the other as it is.
        (None | Some(Variable::Preserve | Variable::CopyFrom(_)), Variable::CopyFrom(_)) => true,
        // The same words, and another value.
        (_, Variable::Generate(_)) => false,
        (Some(from), to) => from == to,
        (None, _) => false,
    }
}

/// Where a value comes from, in words. References are shown, because they are no values.
fn told(variable: &Variable) -> String {
    match variable {
        Variable::Plain(text) => {
            let shown: Vec<String> = references(text)
                .into_iter()
                .flatten()
                .map(|reference| match reference {
                    Reference::Own(name) => format!("${{{{{name}}}}}"),
                    Reference::Shared(name) => format!("${{{{shared.{name}}}}}"),
                    Reference::Service { service, name } => format!("${{{{{service}.{name}}}}}"),
                })
                .collect();
            if shown.is_empty() {
                "a text".to_owned()
            } else {
                format!("a text with {}", shown.join(", "))
            }
        }
        Variable::SecretRef(key) => format!("key {} of Secret {}", key.key, key.name),
        Variable::Preserve => "kept as Railway has it".to_owned(),
        Variable::CopyFrom(from) => {
            let place = from.service.as_ref().map_or_else(
                || from.name.clone(),
                |service| format!("{service}.{}", from.name),
            );
            format!("copied from {place} of {}", from.environment)
        }
        Variable::Generate(how) => format!("generated, {} characters", how.length),
    }
}

fn shared_on_railway(source: Source<'_>) -> Vec<&str> {
    match source.railway {
        OnRailway::Seen(_, environment) => environment
            .config
            .iter()
            .flat_map(|config| config.shared_variables.keys())
            .map(String::as_str)
            .filter(|name| name.parse::<mirage_specs::name::VariableName>().is_ok())
            .collect(),
        OnRailway::NeverMade | OnRailway::Unread(_) => Vec::new(),
    }
}

fn of_service_on_railway<'a>(source: Source<'a>, service: &str) -> Vec<&'a str> {
    let OnRailway::Seen(_, environment) = source.railway else {
        return Vec::new();
    };
    let config = environment.instance_named(service).and_then(|instance| {
        let config = environment.config.as_ref()?;
        config.services.get(&instance.service_id)
    });
    config
        .into_iter()
        .flat_map(|config| config.variables.keys())
        .map(String::as_str)
        .filter(|name| name.parse::<mirage_specs::name::VariableName>().is_ok())
        .collect()
}

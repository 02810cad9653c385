//! The `spec` of an Environment: rules that look at more than one value.

use serde_json::Value;

use crate::{
    duration::Span,
    environment::EnvironmentSpec,
    name::EnvironmentName,
    path::FieldPath,
    validate::{
        Faults,
        node::Node,
        paths, schemas, service,
        services::{self, Known},
        source, variables,
    },
};

/// Less than this and an environment is gone before it is ready.
const SHORTEST_TTL_SECONDS: u64 = 5 * 60;
/// More than this is not a time to live but a forgotten environment.
const LONGEST_TTL_SECONDS: u64 = 365 * 24 * 3600;

/// The rules for the spec at `spec`. `complete` says that no template will add to it.
pub(super) fn check(spec: &Node<'_>, complete: bool, faults: &mut Faults) {
    let services = spec.at("services");
    let known = Known::of(&services, complete);
    let inherited = spec.at("source").at("repo").is_given();

    check_project(&spec.at("project"), complete, faults);
    if let Some(Err(error)) = spec.at("name").text().map(str::parse::<EnvironmentName>) {
        faults.name(&spec.at("name").path, &error);
    }
    check_references(spec, faults);
    source::check(&spec.at("source"), faults);
    check_lifetime(spec, faults);
    check_drift(&spec.at("drift"), &known, faults);
    variables::check(&spec.at("variables"), &known, faults);
    services::check(&services, &known, faults);
    for (_, node) in services.entries() {
        service::check(&node, complete, inherited, faults);
        variables::check(&node.at("variables"), &known, faults);
    }
}

/// A project, by name or by id; `complete` says that nothing else can bring one.
pub(super) fn check_project(project: &Node<'_>, complete: bool, faults: &mut Faults) {
    let (name, id) = (project.at("name"), project.at("id"));
    match (name.is_given(), id.is_given()) {
        (true, true) => faults.forbidden(&id.path, "a project is given by name or by id, not both"),
        (false, false) if complete => {
            faults.required(&project.path, "the Railway project: {name: …} or {id: …}");
        }
        _ => {}
    }
    if let Some(text) = name.text()
        && (text.trim() != text || text.is_empty() || text.chars().any(char::is_control))
    {
        faults.invalid(&name.path, "not empty, and no space at either end");
    }
    if let Some(text) = id.text()
        && !is_uuid(text)
    {
        faults.invalid(&id.path, "a Railway project id is a UUID");
    }
}

pub(super) fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == lengths.len()
        && parts.iter().zip(lengths).all(|(part, length)| {
            part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit())
        })
}

/// Names of other objects, and parameters, which are scalars.
fn check_references(spec: &Node<'_>, faults: &mut Faults) {
    for name in [
        spec.at("accountRef").at("name"),
        spec.at("templateRef").at("name"),
    ] {
        if let Some(text) = name.text()
            && !is_object_name(text)
        {
            faults.invalid(
                &name.path,
                "not the name of an object: lower-case letters, digits, '-' and '.'",
            );
        }
    }
    for (_, value) in spec.at("templateRef").at("parameters").all_entries() {
        if value.value.is_object() || value.value.is_array() || !value.is_given() {
            faults.type_invalid(
                &value.path,
                "a parameter is a string, a number, true or false",
            );
        }
    }
}

/// A DNS subdomain, as Kubernetes wants for names.
pub(super) fn is_object_name(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|part| {
            !part.is_empty()
                && !part.starts_with('-')
                && !part.ends_with('-')
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
}

fn check_lifetime(spec: &Node<'_>, faults: &mut Faults) {
    let (ttl, expires_at) = (spec.at("ttl"), spec.at("expiresAt"));
    if ttl.is_given() && expires_at.is_given() {
        faults.forbidden(
            &expires_at.path,
            "either ttl or expiresAt; if one comes from a template, remove it with null",
        );
    }
    check_ttl(&ttl, faults);
}

/// A time to live.
pub(super) fn check_ttl(ttl: &Node<'_>, faults: &mut Faults) {
    if let Some(Ok(span)) = ttl.text().map(str::parse::<Span>) {
        if span.as_secs() < SHORTEST_TTL_SECONDS {
            faults.invalid(
                &ttl.path,
                "at least 5m: an environment needs time to become ready",
            );
        }
        if span.as_secs() > LONGEST_TTL_SECONDS {
            faults.invalid(
                &ttl.path,
                "at most 365d; leave ttl out for an environment that stays",
            );
        }
    }
}

fn check_drift(drift: &Node<'_>, known: &Known<'_>, faults: &mut Faults) {
    for path in drift.at("ignore").items() {
        let Some(text) = path.text() else { continue };
        let mut segments = text.split('.');
        match (segments.next(), segments.next()) {
            (Some("services"), Some(service)) => {
                if let Some(near) = known.missing(service) {
                    faults.invalid(
                        &path.path,
                        format!(
                            "names nothing: there is no service {service:?} in spec.services{near}"
                        ),
                    );
                    continue;
                }
            }
            (Some("services" | "variables"), _) => {}
            (Some("spec"), _) => {
                faults.invalid(&path.path, "paths start below spec: leave out \"spec.\"");
                continue;
            }
            _ => {
                faults.invalid(
                    &path.path,
                    "names nothing that can drift: write services.… or variables.…",
                );
                continue;
            }
        }
        if let Err(message) = paths::check(text, schemas::environment_spec()) {
            faults.invalid(&path.path, message);
        }
    }
}

/// A `null` where only the template could give something, in a field whose type cannot carry it: it would be lost
/// without a word, and what it meant to remove would stay.
pub(super) fn check_lost_nulls(spec: &Value, path: &FieldPath, faults: &mut Faults) {
    let Ok(typed) = serde_json::from_value::<EnvironmentSpec>(spec.clone()) else {
        return;
    };
    if let Ok(kept) = serde_json::to_value(&typed) {
        lost_nulls(spec, &kept, path, faults);
    }
}

fn lost_nulls(written: &Value, kept: &Value, path: &FieldPath, faults: &mut Faults) {
    let Some(map) = written.as_object() else {
        return;
    };
    for (key, value) in map {
        let at = path.key(key);
        match (value, kept.get(key)) {
            (Value::Null, None) => faults.not_supported(
                &at,
                "null removes single values, not this; give null to the values below it, or another value",
            ),
            (Value::Object(_), Some(kept)) => lost_nulls(value, kept, &at, faults),
            _ => {}
        }
    }
}

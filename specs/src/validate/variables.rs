//! Variables: names Railway takes, forms that exist, references that lead somewhere.

use serde_json::Value;

use crate::{
    name::{ServiceName, VariableName},
    nearest::suggestion,
    reference::{Reference, references},
    secret_store::is_path,
    validate::{Faults, node::Node, services::Known, spec::is_uuid},
};

const FORMS: [&str; 4] = ["secretRef", "preserve", "copyFrom", "generate"];
const EXPECTED: &str =
    "a variable is a string, or exactly one of secretRef, preserve: true, copyFrom, generate";

/// The variables at `variables`, which may refer to `known` services.
pub(super) fn check(variables: &Node<'_>, known: &Known<'_>, faults: &mut Faults) {
    for (name, variable) in variables.all_entries() {
        if let Err(error) = name.parse::<VariableName>() {
            faults.name(&variable.path, &error);
        }
        match variable.value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) if number.is_f64() => faults.invalid(
                &variable.path,
                "put a number with a fraction in quotes: YAML reads 1.10 as 1.1",
            ),
            Value::Number(_) => {}
            Value::String(text) => check_references(text, &variable, known, faults),
            Value::Object(_) => check_object(&variable, faults),
            Value::Array(_) => faults.type_invalid(&variable.path, EXPECTED),
        }
    }
}

fn check_references(text: &str, variable: &Node<'_>, known: &Known<'_>, faults: &mut Faults) {
    for reference in references(text) {
        match reference {
            Err(error) => faults.invalid(&variable.path, error.to_string()),
            // Unverified on purpose: Railway provides many, and shared ones may have been made by hand.
            Ok(Reference::Own(_) | Reference::Shared(_)) => {}
            Ok(Reference::Service {
                service: "params", ..
            }) if variable.open => {}
            Ok(Reference::Service {
                service: "params",
                name,
            }) => faults.invalid(
                &variable.path,
                format!(
                    "${{{{params.{name}}}}} is filled in by templates only; write the value here"
                ),
            ),
            Ok(Reference::Service { service, .. }) => {
                if let Some(near) = known.missing(service) {
                    faults.invalid(
                        &variable.path,
                        format!(
                            "refers to a service {service:?} that is not in spec.services{near}"
                        ),
                    );
                }
            }
        }
    }
}

fn check_object(variable: &Node<'_>, faults: &mut Faults) {
    let given: Vec<&str> = variable.entries().into_iter().map(|(key, _)| key).collect();
    for (key, entry) in variable.all_entries() {
        if !FORMS.contains(&key) {
            faults.unknown(
                &entry.path,
                format!("unknown field{}", suggestion(key, FORMS)),
            );
        }
    }
    if given.iter().filter(|key| FORMS.contains(key)).count() != 1 {
        faults.invalid(&variable.path, EXPECTED);
    }
    let preserve = variable.at("preserve");
    if preserve.is_given() && preserve.value != true {
        faults.invalid(
            &preserve.path,
            "only true means something; leave it out otherwise",
        );
    }
    if let Some(secret) = fields(
        &variable.at("secretRef"),
        &["name", "key"],
        &["store", "version"],
        faults,
    ) {
        check_secret(&secret, faults);
    }
    if let Some(copy) = fields(
        &variable.at("copyFrom"),
        &["environment", "name"],
        &["service", "projectId"],
        faults,
    ) {
        if let Some(id) = copy.at("projectId").text()
            && !is_uuid(id)
        {
            faults.invalid(
                &copy.at("projectId").path,
                "a Railway project id is a UUID; leave it out for the environment's own project",
            );
        }
        if let Some(Err(error)) = copy.at("service").text().map(str::parse::<ServiceName>) {
            faults.name(&copy.at("service").path, &error);
        }
        if let Some(Err(error)) = copy.at("name").text().map(str::parse::<VariableName>) {
            faults.name(&copy.at("name").path, &error);
        }
    }
    let generate = variable.at("generate");
    if generate.is_given() {
        fields(&generate, &[], &["length"], faults);
        let length = generate.at("length");
        match length.number() {
            Some(16..=256) => {}
            Some(_) => faults.invalid(&length.path, "between 16 and 256 characters"),
            None if length.is_open() => {}
            None if length.is_given() => {
                faults.type_invalid(&length.path, "expected a whole number")
            }
            None => faults.required(&length.path, "must be given"),
        }
    }
}

fn check_secret(secret: &Node<'_>, faults: &mut Faults) {
    for key in ["name", "key", "store"] {
        if secret.at(key).text() == Some("") {
            faults.invalid(&secret.at(key).path, "must not be empty");
        }
    }
    let (store, name, version) = (secret.at("store"), secret.at("name"), secret.at("version"));
    if store.is_given()
        && name
            .text()
            .is_some_and(|path| !path.is_empty() && !is_path(path))
    {
        faults.invalid(
            &name.path,
            "a path inside the store like shop/stripe, without slashes at its ends",
        );
    }
    if version.is_given() && !store.is_given() {
        faults.invalid(
            &version.path,
            "only what is in a store has versions; name it in `store`",
        );
    }
    match version.number() {
        Some(0) => faults.invalid(&version.path, "versions begin at 1"),
        None if version.is_given() && !version.is_open() => {
            faults.type_invalid(&version.path, "expected a whole number");
        }
        _ => {}
    }
}

/// The map at `node` when it is one, after checking that it has just the text fields it should.
fn fields<'a>(
    node: &Node<'a>,
    required: &[&str],
    optional: &[&str],
    faults: &mut Faults,
) -> Option<Node<'a>> {
    if !node.is_given() {
        return None;
    }
    if !node.value.is_object() {
        faults.type_invalid(&node.path, "expected a map");
        return None;
    }
    for (key, entry) in node.all_entries() {
        let known = || required.iter().chain(optional).copied();
        if !known().any(|field| field == key) {
            faults.unknown(
                &entry.path,
                format!("unknown field{}", suggestion(key, known())),
            );
        } else if key != "length"
            && key != "version"
            && entry.is_given()
            && !entry.value.is_string()
        {
            faults.type_invalid(&entry.path, "expected a string");
        }
    }
    for key in required {
        if !node.at(key).is_given() {
            faults.required(&node.at(key).path, "must be given");
        }
    }
    Some(node.clone())
}

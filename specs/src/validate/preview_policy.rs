//! The `spec` of a PreviewPolicy: rules that look at more than one value, and names that must lead somewhere.

use crate::{
    duration::Span,
    placeholder::{self, NAME_PLACEHOLDERS, PLACEHOLDERS},
    validate::{
        Faults,
        node::Node,
        services::Known,
        source,
        spec::{check_project, check_ttl, is_object_name},
        variables,
    },
};

/// Less than this and GitHub's limits are spent on looking.
const SHORTEST_INTERVAL_SECONDS: u64 = 10;
/// More than this and nobody would call it a preview.
const LONGEST_INTERVAL_SECONDS: u64 = 24 * 3600;
/// Longest value of a label (Kubernetes: labels and selectors).
const LABEL_LIMIT: usize = 63;

/// The rules for the spec at `spec`.
pub(super) fn check(spec: &Node<'_>, faults: &mut Faults) {
    let repository = spec.at("repository");
    if let Some(text) = repository.text() {
        source::check_repository(text, &repository.path, faults);
    }
    check_api_url(&spec.at("apiUrl"), faults);
    check_from(&spec.at("from"), faults);
    if spec.at("project").is_given() {
        check_project(&spec.at("project"), true, faults);
    }
    for reference in ["githubSecretRef", "accountRef"] {
        let name = spec.at(reference).at("name");
        check_name(&name, faults);
    }
    let webhook = spec.at("webhookSecretRef");
    check_name(&webhook.at("name"), faults);
    for list in ["baseBranches", "labels", "authors"] {
        for item in spec.at(list).items() {
            if item.text().is_some_and(|text| text.trim().is_empty()) {
                faults.invalid(&item.path, "must not be empty");
            }
        }
    }
    if webhook.at("key").text() == Some("") {
        faults.invalid(&webhook.at("key").path, "must not be empty");
    }
    check_times(spec, faults);
    // What the template or environment brings is not known here.
    let nothing = serde_json::Value::Null;
    let services = Node::new(&nothing, spec.path.key("services"), false);
    variables::check(&spec.at("variables"), &Known::of(&services, false), faults);
    for (_, variable) in spec.at("variables").entries() {
        check_placeholders(&variable, &PLACEHOLDERS, faults);
    }
    let name = spec.at("nameTemplate");
    check_placeholders(&name, &NAME_PLACEHOLDERS, faults);
    if name.text().is_some_and(|text| text.trim().is_empty()) {
        faults.invalid(&name.path, "must not be empty");
    }
}

/// The policy's own name goes into a label of its environments.
pub(super) fn check_object(object: &serde_json::Value, faults: &mut Faults) {
    let metadata = Node::new(object, crate::path::FieldPath::root(), false).at("metadata");
    let name = metadata.at("name");
    if name.text().is_some_and(|text| text.len() > LABEL_LIMIT) {
        faults.invalid(
            &name.path,
            format!("at most {LABEL_LIMIT} characters: it becomes a label of the environments"),
        );
    }
}

fn check_name(name: &Node<'_>, faults: &mut Faults) {
    if name.text().is_some_and(|text| !is_object_name(text)) {
        faults.invalid(
            &name.path,
            "not the name of an object: lower-case letters, digits, '-' and '.'",
        );
    }
}

fn check_api_url(url: &Node<'_>, faults: &mut Faults) {
    let Some(text) = url.text() else { return };
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let is_address = rest.is_some_and(|rest| {
        let host = rest.split('/').next().unwrap_or_default();
        !host.is_empty()
            && !text.contains(['@', '?', '#'])
            && !text.contains(|c: char| c.is_whitespace() || c.is_control())
    });
    if !is_address {
        faults.invalid(
            &url.path,
            "the root of GitHub's API, for example https://github.example.com/api/v3, without user, query and fragment",
        );
    }
}

fn check_from(from: &Node<'_>, faults: &mut Faults) {
    let (template, environment) = (from.at("template"), from.at("environment"));
    match (template.is_given(), environment.is_given()) {
        (true, true) => faults.forbidden(
            &environment.path,
            "either a template or an environment, not both",
        ),
        (false, false) if from.value.is_object() => faults.required(
            &from.path,
            "what the environments are made from: {template: {name: …}} or {environment: {name: …}}",
        ),
        _ => {}
    }
    check_name(&template.at("name"), faults);
    check_name(&environment.at("name"), faults);
    for (_, value) in template.at("parameters").all_entries() {
        if value.value.is_object() || value.value.is_array() || !value.is_given() {
            faults.type_invalid(
                &value.path,
                "a parameter is a string, a number, true or false",
            );
        }
        check_placeholders(&value, &PLACEHOLDERS, faults);
    }
}

fn check_times(spec: &Node<'_>, faults: &mut Faults) {
    let interval = spec.at("interval");
    if let Some(Ok(span)) = interval.text().map(str::parse::<Span>)
        && !(SHORTEST_INTERVAL_SECONDS..=LONGEST_INTERVAL_SECONDS).contains(&span.as_secs())
    {
        faults.invalid(
            &interval.path,
            "between 10s and 1d: GitHub allows 5,000 requests an hour, and webhooks are faster",
        );
    }
    check_ttl(&spec.at("ttl"), faults);
}

fn check_placeholders(node: &Node<'_>, known: &[&str], faults: &mut Faults) {
    let Some(text) = node.text() else { return };
    for mistake in placeholder::mistaken(text, known) {
        faults.invalid(&node.path, mistake);
    }
}

//! The `spec` of a GitSync: where the repository is, and what it may write.

use std::net::IpAddr;

use serde_json::Value;

use crate::{
    duration::Span,
    path::FieldPath,
    validate::{Faults, node::Node, source, spec::is_object_name},
};

/// The name stands in a label of every object that is brought, and labels are that short (Kubernetes docs: Labels and
/// Selectors, "Syntax and character set").
const NAME_LIMIT: usize = 63;
/// A forge that is asked more often soon refuses.
const SHORTEST_INTERVAL_SECONDS: u64 = 10;
const LONGEST_INTERVAL_SECONDS: u64 = 24 * 3600;

/// The rules for the object whose spec is at `spec`.
pub(super) fn check(object: &Value, spec: &Node<'_>, faults: &mut Faults) {
    let name = Node::new(object, FieldPath::root(), false)
        .at("metadata")
        .at("name");
    if name.text().is_some_and(|text| text.len() > NAME_LIMIT) {
        faults.invalid(
            &name.path,
            "at most 63 characters: it becomes a label of every object that the repository brings",
        );
    }
    check_url(&spec.at("url"), faults);
    check_revision(spec, faults);
    check_path(&spec.at("path"), faults);
    check_interval(&spec.at("interval"), faults);
    check_reference(&spec.at("secretRef"), faults);
    let webhook = spec.at("webhookSecretRef");
    check_reference(&webhook, faults);
    if webhook.at("key").text() == Some("") {
        faults.invalid(&webhook.at("key").path, "must not be empty");
    }
    check_allowed(&spec.at("allowed"), faults);
    check_variables(&spec.at("variables"), faults);
}

/// No message repeats the address: what is wrong with it may be that a token stands in it.
fn check_url(url: &Node<'_>, faults: &mut Faults) {
    let Some(text) = url.text() else { return };
    if text.contains(char::is_whitespace) || text.contains(char::is_control) {
        faults.invalid(&url.path, "an address has no spaces in it");
        return;
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        // git@host:path, as `git clone` takes it.
        let is_short = text.split_once(':').is_some_and(|(host, path)| {
            // A path that begins with a dash would be an option to the program on the other side.
            !path.is_empty()
                && !path.starts_with('-')
                && host.split_once('@').is_some_and(|(user, host)| {
                    !user.is_empty() && !host.is_empty() && !host.contains('/')
                })
        });
        if !is_short {
            faults.invalid(
                &url.path,
                "not an address of a repository: https://…, ssh://git@host/…, git@host:owner/name.git or file:///…",
            );
        }
        return;
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    match scheme {
        "https" | "http" | "ssh" if host.is_empty() || path.is_empty() => {
            faults.invalid(&url.path, "an address names a host and a repository on it");
        }
        "https" | "http" if user.is_some() => faults.forbidden(
            &url.path,
            "a user, password or token in the address could be read by everyone who may see this object: put it into \
             a Secret (keys username and password, or token) and name that in spec.secretRef",
        ),
        "http" if !is_loopback(host) => faults.forbidden(
            &url.path,
            "http would let anybody on the way change the specs: use https",
        ),
        "https" | "http" => {}
        "ssh" if user.is_some_and(|user| user.contains(':')) => faults.forbidden(
            &url.path,
            "a password in the address could be read by everyone who may see this object: put an SSH key into a \
             Secret (key identity) and name that in spec.secretRef",
        ),
        "ssh" => {}
        "file" if !authority.is_empty() => faults.invalid(
            &url.path,
            "a local repository is written with three slashes: file:///srv/git/shop.git",
        ),
        "file" => {}
        _ => faults.not_supported(&url.path, "https, ssh and file are the ways to a repository"),
    }
    if matches!(scheme, "https" | "http") && text.contains(['?', '#']) {
        faults.invalid(&url.path, "the address of a repository has no ? or #");
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost"
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn check_revision(spec: &Node<'_>, faults: &mut Faults) {
    let (branch, tag, commit) = (spec.at("branch"), spec.at("tag"), spec.at("commit"));
    for (name, what) in [(&branch, "branch"), (&tag, "tag")] {
        if name.text().is_some_and(|text| !source::is_branch(text)) {
            faults.invalid(&name.path, format!("not the name of a {what}"));
        }
    }
    if commit.text().is_some_and(|text| !source::is_commit(text)) {
        faults.invalid(&commit.path, source::COMMIT_FORM);
    }
    let given: Vec<&Node<'_>> = [&branch, &tag, &commit]
        .into_iter()
        .filter(|node| node.is_given())
        .collect();
    for more in given.iter().skip(1) {
        faults.forbidden(&more.path, "one of branch, tag and commit");
    }
}

fn check_path(path: &Node<'_>, faults: &mut Faults) {
    if let Some(text) = path.text() {
        let leaves = text.split('/').any(|part| part == "..");
        if leaves || text.starts_with('/') || text.contains('\\') || text.contains(char::is_control)
        {
            faults.invalid(
                &path.path,
                "a folder inside the repository, from its root and with forward slashes: \"environments/prod\"",
            );
        }
    }
}

fn check_interval(interval: &Node<'_>, faults: &mut Faults) {
    let Some(Ok(span)) = interval.text().map(str::parse::<Span>) else {
        return;
    };
    if span.as_secs() < SHORTEST_INTERVAL_SECONDS {
        faults.invalid(&interval.path, "at least 10s; `mirage sync` looks at once");
    }
    if span.as_secs() > LONGEST_INTERVAL_SECONDS {
        faults.invalid(&interval.path, "at most 1d; to stop looking, set suspend");
    }
}

fn check_reference(reference: &Node<'_>, faults: &mut Faults) {
    let name = reference.at("name");
    if name.text().is_some_and(|text| !is_object_name(text)) {
        faults.invalid(
            &name.path,
            "not the name of an object: lower-case letters, digits, '-' and '.'",
        );
    }
}

fn check_allowed(allowed: &Node<'_>, faults: &mut Faults) {
    for kind in allowed.at("kinds").items() {
        let is_kind = |text: &str| {
            let (kind, group) = text.split_once('.').unwrap_or((text, "mirage.dev"));
            kind.starts_with(|c: char| c.is_ascii_uppercase())
                && kind.bytes().all(|b| b.is_ascii_alphanumeric())
                && is_object_name(group)
        };
        if kind.text().is_some_and(|text| !is_kind(text)) {
            faults.invalid(
                &kind.path,
                "a kind as in a manifest, with its group unless it is Mirage's or the core one: \"Secret\" or \
                 \"Role.rbac.authorization.k8s.io\"",
            );
        }
    }
    for namespace in allowed.at("namespaces").items() {
        if namespace.text().is_some_and(|text| !is_object_name(text)) {
            faults.invalid(&namespace.path, "not the name of a namespace");
        }
    }
}

fn check_variables(variables: &Node<'_>, faults: &mut Faults) {
    check_reference(&variables.at("secretRef"), faults);
    for (name, value) in variables.at("values").all_entries() {
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_name {
            faults.invalid(
                &value.path,
                "the name of a variable has letters, digits and _, and no digit first",
            );
        }
        if value.value.is_object() || value.value.is_array() || !value.is_given() {
            faults.type_invalid(&value.path, "a value is text, a number, true or false");
        }
    }
}

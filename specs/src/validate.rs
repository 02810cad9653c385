//! Refusing, at the door and all at once, what could not come to life.
//!
//! First the shape (types, unknown fields) against the schema the CRDs carry, then the rules that look at more than one
//! value. Both read plain JSON, so that one wrong value hides none of the others. Nothing here looks at a clock or at
//! Railway: what is valid today is valid tomorrow.

mod fault;
mod git_sync;
mod node;
mod object;
mod paths;
mod preview_policy;
pub(crate) mod schemas;
mod secret_store;
mod service;
mod services;
mod shape;
mod source;
mod spec;
mod stray;
mod template;
mod variables;

#[cfg(test)]
mod tests;

use serde_json::Value;

pub(crate) use fault::Faults;
pub use fault::{Fault, FaultReason};

use crate::{nearest::suggestion, path::FieldPath};
use node::Node;

/// Kinds of the group `mirage.dev` that [`object`] knows.
pub const KINDS: [&str; 7] = [
    "Environment",
    "EnvironmentTemplate",
    "GitSync",
    "Orphan",
    "PreviewPolicy",
    "RailwayAccount",
    "SecretStore",
];

/// All faults of an Environment, given as the whole object.
pub fn environment(object: &Value) -> Vec<Fault> {
    let mut faults = Faults::default();
    if let Some(spec) = object::spec_of(object, &mut faults) {
        shape::walk(
            schemas::environment_spec(),
            spec.value,
            &spec.path,
            None,
            &mut faults,
        );
        let from_template = spec.at("templateRef").is_given();
        spec::check(&spec, !from_template, &mut faults);
        if from_template {
            spec::check_lost_nulls(spec.value, &spec.path, &mut faults);
        } else {
            stray::check(&spec, &mut faults);
        }
        object::check_railway_name(object, &mut faults);
    }
    faults.into_vec()
}

/// All faults of an EnvironmentTemplate, given as the whole object.
pub fn template(object: &Value) -> Vec<Fault> {
    let mut faults = Faults::default();
    if let Some(spec) = object::spec_of(object, &mut faults) {
        shape::walk(
            schemas::template_spec(),
            spec.value,
            &spec.path,
            None,
            &mut faults,
        );
        template::check(&spec, &mut faults);
    }
    faults.into_vec()
}

/// All faults of a RailwayAccount, given as the whole object.
pub fn account(object: &Value) -> Vec<Fault> {
    let mut faults = Faults::default();
    if let Some(spec) = object::spec_of(object, &mut faults) {
        shape::walk(
            schemas::account_spec(),
            spec.value,
            &spec.path,
            None,
            &mut faults,
        );
        let secret = spec.at("secretRef");
        for text in [secret.at("name"), secret.at("key"), spec.at("workspace")] {
            if text.text() == Some("") {
                faults.invalid(&text.path, "must not be empty");
            }
        }
    }
    faults.into_vec()
}

/// All faults of a GitSync, given as the whole object. None of them repeats `spec.url`, in which a token may stand.
pub fn git_sync(object: &Value) -> Vec<Fault> {
    let mut faults = Faults::default();
    if let Some(spec) = object::spec_of(object, &mut faults) {
        shape::walk(
            schemas::git_sync_spec(),
            spec.value,
            &spec.path,
            None,
            &mut faults,
        );
        git_sync::check(object, &spec, &mut faults);
    }
    faults.into_vec()
}

/// All faults of an Orphan, given as the whole object.
pub fn orphan(object: &Value) -> Vec<Fault> {
    let mut faults = Faults::default();
    if let Some(spec) = object::spec_of(object, &mut faults) {
        shape::walk(
            schemas::orphan_spec(),
            spec.value,
            &spec.path,
            None,
            &mut faults,
        );
    }
    faults.into_vec()
}

/// All faults of a PreviewPolicy, given as the whole object.
pub fn preview_policy(object: &Value) -> Vec<Fault> {
    let mut faults = Faults::default();
    if let Some(spec) = object::spec_of(object, &mut faults) {
        shape::walk(
            schemas::preview_policy_spec(),
            spec.value,
            &spec.path,
            None,
            &mut faults,
        );
        preview_policy::check(&spec, &mut faults);
        preview_policy::check_object(object, &mut faults);
    }
    faults.into_vec()
}

/// All faults of a SecretStore, given as the whole object.
pub fn secret_store(object: &Value) -> Vec<Fault> {
    let mut faults = Faults::default();
    if let Some(spec) = object::spec_of(object, &mut faults) {
        shape::walk(
            schemas::secret_store_spec(),
            spec.value,
            &spec.path,
            None,
            &mut faults,
        );
        secret_store::check(&spec, &mut faults);
    }
    faults.into_vec()
}

/// All faults of an object of any kind in the group `mirage.dev`.
pub fn object(kind: &str, object: &Value) -> Vec<Fault> {
    match kind {
        "Environment" => environment(object),
        "EnvironmentTemplate" => template(object),
        "GitSync" => git_sync(object),
        "RailwayAccount" => account(object),
        "Orphan" => orphan(object),
        "PreviewPolicy" => preview_policy(object),
        "SecretStore" => secret_store(object),
        unknown => {
            let mut faults = Faults::default();
            faults.not_supported(
                &FieldPath::root().key("kind"),
                format!(
                    "mirage.dev has no kind {unknown:?}{}",
                    suggestion(unknown, KINDS)
                ),
            );
            faults.into_vec()
        }
    }
}

/// All faults of a merged spec, to which nothing will be added any more.
pub(crate) fn effective_spec(spec: &Value) -> Vec<Fault> {
    let mut faults = Faults::default();
    let node = Node::new(spec, FieldPath::root().key("spec"), false);
    shape::walk(
        schemas::environment_spec(),
        spec,
        &node.path,
        None,
        &mut faults,
    );
    spec::check(&node, true, &mut faults);
    stray::check(&node, &mut faults);
    faults.into_vec()
}

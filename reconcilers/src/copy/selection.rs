//! Which services a copy gets. Pure.

use std::collections::BTreeSet;

use mirage_specs::{CopyOptions, EnvironmentSpec};

use super::Remarks;

/// Names of the services that are copied. Options that speak of others are refused.
pub(super) fn select(
    spec: &EnvironmentSpec,
    options: &CopyOptions,
    remarks: &mut Remarks,
) -> BTreeSet<String> {
    let all: BTreeSet<&String> = spec
        .services
        .iter()
        .filter(|(_, service)| service.is_some())
        .map(|(name, _)| name)
        .collect();
    let listed = || {
        all.iter()
            .map(|name| name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    for (option, names) in [("include", &options.include), ("exclude", &options.exclude)] {
        for name in names.iter().filter(|name| !all.contains(name)) {
            let message = format!("the source has no service {name:?}; it has {}", listed());
            remarks.refuse(option, message);
        }
    }
    let kept: BTreeSet<String> = all
        .iter()
        .filter(|name| options.include.is_empty() || options.include.contains(name))
        .filter(|name| !options.exclude.contains(name))
        .map(|name| (*name).clone())
        .collect();
    for name in options.services.keys() {
        let field = format!("services.{name}");
        if !all.contains(name) {
            let message = format!("the source has no service {name:?}; it has {}", listed());
            remarks.refuse(field, message);
        } else if !kept.contains(name) {
            remarks.refuse(
                field,
                format!("{name} is left out, so nothing of it can differ"),
            );
        }
    }
    if kept.is_empty() && !all.is_empty() {
        remarks.refuse("exclude", "no service is left");
    }
    kept
}

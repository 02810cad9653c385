//! The part of an effective environment that was asked for. Pure.

use std::collections::BTreeSet;

use crate::cli::failure::Failure;

use super::Answer;

/// Leaves what is of the service and at or below the field.
pub(super) fn select(
    answer: &mut Answer,
    service: Option<&str>,
    field: Option<&str>,
) -> Result<(), Failure> {
    if let Some(service) = service {
        let known: BTreeSet<&str> = answer
            .fields
            .iter()
            .filter_map(|field| Some(in_service(&field.path)?.0))
            .collect();
        if !known.contains(service) {
            let known: Vec<&str> = known.into_iter().collect();
            return Err(Failure::Usage(format!(
                "{} has no service {service:?}; it has {}",
                answer.environment,
                known.join(", ")
            )));
        }
        answer
            .fields
            .retain(|field| in_service(&field.path).is_some_and(|(name, _)| name == service));
    }
    if let Some(wanted) = field {
        let wanted = wanted.strip_prefix("spec.").unwrap_or(wanted);
        answer.fields.retain(|field| {
            let whole = field.path.strip_prefix("spec.").unwrap_or(&field.path);
            let inside = in_service(&field.path).map_or("", |(_, inside)| inside);
            covers(wanted, whole) || covers(wanted, inside)
        });
        if answer.fields.is_empty() {
            return Err(Failure::Usage(format!(
                "nothing is set at {wanted:?}; `mirage effective {}` shows what is",
                answer.environment
            )));
        }
    }
    Ok(())
}

/// The service that a path is in, and the rest of the path.
pub(super) fn in_service(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("spec.services")?;
    let (name, inside) = match rest.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => {
            let rest = rest.strip_prefix('.')?;
            rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()))
        }
    };
    Some((name, inside.strip_prefix('.').unwrap_or(inside)))
}

fn covers(wanted: &str, path: &str) -> bool {
    path.strip_prefix(wanted)
        .is_some_and(|below| below.is_empty() || below.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_found_in_a_path_however_it_is_called() {
        for (path, found) in [
            (
                "spec.services.web.deploy.replicas",
                Some(("web", "deploy.replicas")),
            ),
            (
                "spec.services[my.web].source.image",
                Some(("my.web", "source.image")),
            ),
            ("spec.services.web", Some(("web", ""))),
            ("spec.variables.LOG", None),
        ] {
            assert_eq!(in_service(path), found, "{path}");
        }
        assert!(covers("variables", "variables.LOG") && covers("variables", "variables"));
        assert!(!covers("var", "variables.LOG"));
    }
}

//! An Environment as a template for others of its kind.

use serde_json::{Value, json};

use super::{Remarks, Unreadable, entries, spec::exported};

/// A template, and what its users should know.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// The EnvironmentTemplate as a manifest.
    pub manifest: Value,
    /// What of the Environment will not be in those that are made from it.
    pub remarks: Vec<super::Remark>,
}

/// What belongs to one environment alone.
const OWN: [&str; 3] = ["name", "expiresAt", "suspend"];

/// Makes a template whose base is what the Environment says.
///
/// # Errors
/// When it inherits from a template itself: a copy of half of it would mislead.
pub fn template(environment: &Value, name: &str) -> Result<Template, Unreadable> {
    let exported = exported(environment);
    let mut base = exported["spec"].clone();
    if let Some(other) = base["templateRef"]["name"].as_str() {
        return Err(Unreadable::Meaning(format!(
            "spec.templateRef: it inherits from the template {other:?}; copy that one, or take templateRef out first"
        )));
    }
    let mut remarks = Remarks::default();
    if let Some(fields) = base.as_object_mut() {
        for field in OWN {
            if fields.remove(field).is_some() {
                remarks.say(
                    None,
                    format!("spec.{field}"),
                    "belongs to this environment alone and is left out",
                );
            }
        }
    }
    let shared =
        entries(&base["variables"]).map(|(name, value)| (format!("variables.{name}"), value));
    let of_services = entries(&base["services"]).flat_map(|(service, spec)| {
        entries(&spec["variables"])
            .map(move |(name, value)| (format!("services.{service}.variables.{name}"), value))
    });
    let preserved: Vec<String> = shared
        .chain(of_services)
        .filter(|(_, value)| value["preserve"] == true)
        .map(|(path, _)| path)
        .collect();
    for path in preserved {
        remarks.say(
            None,
            path,
            "is kept as Railway has it, and a new environment has nothing there: give it a secretRef, copyFrom or generate",
        );
    }
    for (service, spec) in entries(&base["services"]) {
        let own = spec["domains"].as_array().into_iter().flatten();
        for domain in own.filter_map(|domain| domain["name"].as_str()) {
            remarks.say(
                None,
                format!("services.{service}.domains"),
                format!("{domain} can belong to one environment only: two made from this template would both ask for it"),
            );
        }
    }
    let mut metadata = json!({"name": name});
    if environment["metadata"]["namespace"].is_string() {
        metadata["namespace"] = environment["metadata"]["namespace"].clone();
    }
    let from = environment["metadata"]["name"].as_str().unwrap_or_default();
    Ok(Template {
        manifest: json!({
            "apiVersion": "mirage.dev/v1alpha1",
            "kind": "EnvironmentTemplate",
            "metadata": metadata,
            "spec": {"description": format!("Made from the environment {from}."), "base": base},
        }),
        remarks: remarks.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_says_what_environments_have_in_common() {
        let environment = json!({
            "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment", "metadata": {"name": "shop", "namespace": "team"},
            "spec": {"name": "production", "project": {"name": "shop"}, "expiresAt": "2027-01-01T00:00:00Z",
                "services": {"web": {"source": {"image": "nginx"}, "domains": [{"name": "shop.example.com"}],
                    "variables": {"KEY": {"preserve": true}}}}},
        });
        let made = template(&environment, "shop").unwrap();
        assert_eq!(made.manifest["spec"]["base"]["project"]["name"], "shop");
        assert!(made.manifest["spec"]["base"].get("name").is_none());
        assert_eq!(made.remarks.len(), 4, "{:?}", made.remarks);
        assert!(
            crate::validate::template(&made.manifest).is_empty(),
            "{:?}",
            crate::validate::template(&made.manifest)
        );
    }

    #[test]
    fn a_copy_of_half_a_template_is_refused() {
        let environment =
            json!({"metadata": {"name": "a"}, "spec": {"templateRef": {"name": "dev"}}});
        assert!(
            template(&environment, "b")
                .unwrap_err()
                .to_string()
                .contains("dev")
        );
    }
}

//! What other programs know of the kinds: CRDs for Kubernetes, JSON Schemas for editors, a reference for people.
//!
//! All three come from the Rust types; the doc comments there are the descriptions here.

mod editor;
mod reference;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;

use crate::{
    Environment, EnvironmentTemplate, GitSync, Orphan, PreviewPolicy, RailwayAccount, SecretStore,
};

pub use editor::{any_manifest, json_schema};
pub use reference::reference_markdown;

/// The kinds as CustomResourceDefinitions, by name.
pub fn crds() -> Vec<CustomResourceDefinition> {
    let mut crds = vec![
        Environment::crd(),
        EnvironmentTemplate::crd(),
        GitSync::crd(),
        Orphan::crd(),
        PreviewPolicy::crd(),
        RailwayAccount::crd(),
        SecretStore::crd(),
    ];
    for crd in &mut crds {
        for version in &mut crd.spec.versions {
            if let Some(schema) = version
                .schema
                .as_mut()
                .and_then(|schema| schema.open_api_v3_schema.as_mut())
            {
                describe(schema, &crd.spec.names.kind);
                drop_foreign_formats(schema);
            }
        }
    }
    crds
}

/// The derive macro's own words for the object say nothing; those of its spec do.
fn describe(schema: &mut JSONSchemaProps, kind: &str) {
    let spec = schema
        .properties
        .as_ref()
        .and_then(|fields| fields.get("spec"));
    schema.description = spec
        .and_then(|spec| spec.description.clone())
        .or_else(|| Some(kind.to_owned()));
}

/// Rust's names for the width of integers mean nothing to Kubernetes, which warns about each one; the bounds say it all.
fn drop_foreign_formats(schema: &mut JSONSchemaProps) {
    schema.format.take_if(|format| format.starts_with("uint"));
    for field in schema
        .properties
        .iter_mut()
        .flat_map(|fields| fields.values_mut())
    {
        drop_foreign_formats(field);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(others)) = &mut schema.additional_properties {
        drop_foreign_formats(others);
    }
    match &mut schema.items {
        Some(JSONSchemaPropsOrArray::Schema(item)) => drop_foreign_formats(item),
        Some(JSONSchemaPropsOrArray::Schemas(items)) => {
            items.iter_mut().for_each(drop_foreign_formats)
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The rules of Kubernetes for structural schemas that a generator breaks most easily (Kubernetes docs:
    /// CustomResourceDefinitions, "Specifying a structural schema").
    fn unstructural(schema: &Value, path: &str, broken: &mut Vec<String>) {
        let free = schema["x-kubernetes-preserve-unknown-fields"] == true;
        let mut no = |what: &str| broken.push(format!("{path}: {what}"));
        if schema["type"].is_null() && !free && schema["x-kubernetes-int-or-string"] != true {
            no("no type");
        }
        for word in [
            "$ref",
            "$defs",
            "definitions",
            "oneOf",
            "anyOf",
            "allOf",
            "not",
            "const",
        ] {
            if !schema[word].is_null() {
                no(word);
            }
        }
        if schema["properties"].is_object() && schema["additionalProperties"].is_object() {
            no("properties and additionalProperties");
        }
        if schema["additionalProperties"].is_boolean() {
            no("additionalProperties is not a schema");
        }
        if schema["type"] == "array" && !schema["items"].is_object() {
            no("no items");
        }
        if let Some(format) = schema["format"].as_str()
            && !["date-time", "int32", "int64", "double"].contains(&format)
        {
            no(&format!("format {format}"));
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            unstructural(field, &format!("{path}.{name}"), broken);
        }
        for inner in ["items", "additionalProperties"] {
            if schema[inner].is_object() {
                unstructural(&schema[inner], &format!("{path}.{inner}"), broken);
            }
        }
    }

    #[test]
    fn kubernetes_would_take_every_crd() {
        let crds = crds();
        assert_eq!(crds.len(), crate::validate::KINDS.len());
        for crd in crds {
            let value = serde_json::to_value(&crd).unwrap();
            let version = &value["spec"]["versions"][0];
            let mut broken = Vec::new();
            unstructural(
                &version["schema"]["openAPIV3Schema"],
                &crd.spec.names.kind,
                &mut broken,
            );
            assert_eq!(broken, Vec::<String>::new());
            assert_eq!(
                value["metadata"]["name"],
                format!("{}.mirage.dev", crd.spec.names.plural)
            );
        }
    }

    #[test]
    fn the_crds_change_only_on_purpose() {
        for crd in crds() {
            insta::assert_snapshot!(
                format!("crd-{}", crd.spec.names.singular.as_deref().unwrap()),
                serde_yaml::to_string(&crd).unwrap()
            );
        }
    }
}

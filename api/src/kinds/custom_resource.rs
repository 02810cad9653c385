//! A kind from a CustomResourceDefinition.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use super::{Kind, Selectable};
use crate::kubernetes::table::Column;

/// The kind that the definition's storage version describes; `None` when it has none or no schema.
pub(super) fn kind(definition: &CustomResourceDefinition) -> Option<Kind> {
    let spec = &definition.spec;
    let version = spec.versions.iter().find(|version| version.storage)?;
    let document =
        serde_json::to_value(version.schema.as_ref()?.open_api_v3_schema.as_ref()?).ok()?;
    let mut kind = Kind::new(
        &spec.group,
        &version.name,
        &spec.names.kind,
        &spec.names.plural,
        described(document),
    );
    if let Some(singular) = &spec.names.singular {
        kind.singular.clone_from(singular);
    }
    kind.short_names = spec.names.short_names.clone().unwrap_or_default();
    kind.categories = spec.names.categories.clone().unwrap_or_default();
    kind.namespaced = spec.scope == "Namespaced";
    kind.has_status = version
        .subresources
        .as_ref()
        .is_some_and(|subresources| subresources.status.is_some());
    kind.has_generation = true;
    kind.update_needs_version = true;
    kind.takes_strategic_patch = false;
    kind.columns = version
        .additional_printer_columns
        .iter()
        .flatten()
        .map(|column| {
            Column::path(&column.name, &column.type_, &column.json_path)
                .described(column.description.as_deref().unwrap_or_default())
                .priority(column.priority.unwrap_or_default())
        })
        .collect();
    kind.selectable = version
        .selectable_fields
        .iter()
        .flatten()
        .map(|field| Selectable::field(field.json_path.trim_start_matches('.')))
        .collect();
    Some(kind)
}

/// What `kubectl explain` says of a kind. The derive macro describes itself at the top; what the kind is for stands at
/// its spec.
fn described(mut document: Value) -> Value {
    let of_spec = document["properties"]["spec"]["description"].clone();
    let is_generated = document["description"]
        .as_str()
        .is_none_or(|text| text.starts_with("Auto-generated derived type"));
    if is_generated && of_spec.is_string() {
        document["description"] = of_spec;
    }
    document
}

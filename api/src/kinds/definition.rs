//! apiextensions.k8s.io/v1 CustomResourceDefinition, read-only: tools such as k9s list them to learn of our kinds.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionCondition, CustomResourceDefinitionStatus,
};
use serde_json::{Value, json};

use super::{Audience, Kind, READ_VERBS};
use crate::kubernetes::table::Column;

pub(super) fn kind() -> Kind {
    let document = json!({
        "type": "object", "description": "Describes a kind.",
        "properties": {"spec": spec(), "status": status()}
    });
    let mut kind = Kind::new(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        document,
    );
    kind.short_names = vec!["crd".into(), "crds".into()];
    kind.categories = vec!["api-extensions".into()];
    kind.namespaced = false;
    kind.verbs = READ_VERBS;
    kind.audience = Audience::Readers;
    kind.columns = vec![
        Column::path("Created At", "string", ".metadata.creationTimestamp")
            .described("When it was made."),
    ];
    kind
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn texts(description: &str) -> Value {
    json!({"type": "array", "items": {"type": "string"}, "description": description})
}

fn names() -> Value {
    json!({"type": "object", "description": "What the kind is called.", "required": ["kind", "plural"], "properties": {
        "kind": text("In manifests, such as Environment."),
        "plural": text("In paths, such as environments."),
        "singular": text("On the command line, such as environment."),
        "listKind": text("The kind of its lists."),
        "shortNames": texts("Shorter, such as env."),
        "categories": texts("Groups of kinds that are listed together, such as all."),
    }})
}

fn spec() -> Value {
    let column = json!({"type": "object", "required": ["jsonPath", "name", "type"], "properties": {
        "name": text("Its heading."),
        "type": text("string, integer, number, boolean or date."),
        "jsonPath": text("Where the cell's value is."),
        "description": text("What it means."),
        "format": text("How a client may lay it out."),
        "priority": {"type": "integer", "description": "Above 0 it is shown with -o wide only."},
    }});
    let anything = |description: &str| json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "description": description});
    let flag = |description: &str| json!({"type": "boolean", "description": description});
    let version = json!({"type": "object", "required": ["name", "served", "storage"], "properties": {
        "name": text("Such as v1alpha1."),
        "served": flag("Whether it can be asked for."),
        "storage": flag("Whether objects are stored in it."),
        "deprecated": flag("Whether clients are warned."),
        "deprecationWarning": text("What they are told."),
        "schema": {"type": "object", "description": "What an object looks like.", "properties": {
            "openAPIV3Schema": anything("A structural OpenAPI v3 schema: types, defaults, validation, list types.")}},
        "subresources": anything("Which of status and scale there are."),
        "additionalPrinterColumns": {"type": "array", "items": column, "description": "What kubectl get shows."},
        "selectableFields": {"type": "array", "description": "What --field-selector may ask for.", "items":
            {"type": "object", "required": ["jsonPath"], "properties": {"jsonPath": text("Where the value is.")}}},
    }});
    json!({"type": "object", "description": "Names and schema.", "required": ["group", "names", "scope", "versions"],
    "properties": {
        "group": text("Such as mirage.dev."),
        "names": names(),
        "scope": text("Namespaced or Cluster."),
        "versions": {"type": "array", "items": version, "description": "The versions of the kind."},
        "conversion": anything("How objects get from one version to another."),
        "preserveUnknownFields": {"type": "boolean", "description": "Always false here."},
    }})
}

fn status() -> Value {
    let condition = json!({"type": "object", "required": ["status", "type"], "properties": {
        "type": text("Established, NamesAccepted."),
        "status": text("True, False or Unknown."),
        "reason": text("Why, in one word."),
        "message": text("Why."),
        "lastTransitionTime": {"type": "string", "format": "date-time", "nullable": true, "description": "Since when."},
    }});
    json!({"type": "object", "description": "Whether it is served.", "properties": {
        "acceptedNames": names(),
        "conditions": {"type": "array", "items": condition, "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"], "description": "Whether it is served."},
        "storedVersions": texts("Versions that objects may be stored in."),
    }})
}

/// A definition as one that is served, which is what `kubectl wait --for=condition=established` asks.
pub(crate) fn established(definition: &CustomResourceDefinition) -> CustomResourceDefinition {
    let condition = |type_: &str, reason: &str, message: &str| CustomResourceDefinitionCondition {
        type_: type_.to_owned(),
        status: "True".to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        ..CustomResourceDefinitionCondition::default()
    };
    let stored = definition.spec.versions.iter().filter(|it| it.storage);
    let status = CustomResourceDefinitionStatus {
        accepted_names: Some(definition.spec.names.clone()),
        conditions: Some(vec![
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "it is served"),
        ]),
        stored_versions: Some(stored.map(|version| version.name.clone()).collect()),
    };
    CustomResourceDefinition {
        status: Some(status),
        ..definition.clone()
    }
}

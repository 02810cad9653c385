//! Structural schemas: the part of OpenAPI v3 that Kubernetes lets a kind be described with.
//!
//! One schema drives four things: what is stored (defaults and pruning, [`admit`]), what is refused (validation, the
//! same walk), who owns which field (list and map types, [`crate::kubernetes::fields`]) and what `kubectl explain` says
//! (the document it was parsed from).

mod admit;
mod rules;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

pub use admit::Findings;
use rules::Rules;

/// What type a value must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum JsonType {
    /// A map.
    Object,
    /// A list.
    Array,
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
}

/// How the items of a list are told apart when parts of it belong to different owners.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ListType {
    /// Not at all: the list is replaced whole.
    #[default]
    Atomic,
    /// By value.
    Set,
    /// By the values of these fields.
    Map(Vec<String>),
}

/// A parsed structural schema.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    json_type: Option<JsonType>,
    int_or_string: bool,
    nullable: bool,
    preserve_unknown: bool,
    map_atomic: bool,
    list: ListType,
    properties: BTreeMap<String, Schema>,
    additional: Option<Box<Schema>>,
    items: Option<Box<Schema>>,
    required: Vec<String>,
    default: Option<Value>,
    rules: Rules,
}

static ANYTHING: LazyLock<Schema> = LazyLock::new(|| Schema {
    preserve_unknown: true,
    ..Schema::default()
});

/// The fields of ObjectMeta, as far as Kubernetes defines them (Kubernetes API reference, ObjectMeta).
pub fn object_meta() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let texts = |description: &str| json!({"type": "object", "additionalProperties": {"type": "string"}, "description": description});
    json!({
        "type": "object",
        "description": "What every object has: its name, its labels, who owns it and which version of it this is.",
        "properties": {
            "name": text("Unique among the objects of its kind and namespace."),
            "generateName": text("A prefix; the server appends five random characters when there is no name."),
            "namespace": text("The namespace the name is unique in."),
            "uid": text("Made by the server; never the same for two objects."),
            "resourceVersion": text("Opaque; changes with every write."),
            "selfLink": text("Unused."),
            "generation": {"type": "integer", "description": "Rises when the spec changes."},
            "creationTimestamp": {"type": "string", "nullable": true, "format": "date-time", "description": "Set by the server."},
            "deletionTimestamp": {"type": "string", "nullable": true, "format": "date-time", "description": "When deletion was asked for."},
            "deletionGracePeriodSeconds": {"type": "integer", "nullable": true, "description": "Recorded, not acted on."},
            "labels": texts("Short values to select by."),
            "annotations": texts("Anything else that tools wish to remember."),
            "finalizers": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set",
                "description": "Who still has to clean up before the object may go."},
            "ownerReferences": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["uid"],
                "description": "The objects this one goes with.",
                "items": {"type": "object", "x-kubernetes-map-type": "atomic",
                    "required": ["apiVersion", "kind", "name", "uid"],
                    "properties": {"apiVersion": text("Of the owner."), "kind": text("Of the owner."),
                        "name": text("Of the owner."), "uid": text("Of the owner."),
                        "controller": {"type": "boolean", "description": "Whether the owner manages this object."},
                        "blockOwnerDeletion": {"type": "boolean", "description": "Whether a foreground deletion of the owner waits for this object."}}}},
            "managedFields": {"type": "array", "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                "description": "Which manager owns which fields."}
        }
    })
}

impl Schema {
    /// Reads a `JSONSchemaProps`; what it does not know it ignores, as the API server does with vendor extensions.
    pub fn parse(document: &Value) -> Self {
        let flag = |name: &str| document[name].as_bool().unwrap_or(false);
        let additional = match &document["additionalProperties"] {
            Value::Object(_) => Some(Box::new(Self::parse(&document["additionalProperties"]))),
            Value::Bool(true) => Some(Box::new(ANYTHING.clone())),
            _ => None,
        };
        let list = match document["x-kubernetes-list-type"].as_str() {
            Some("set") => ListType::Set,
            Some("map") => ListType::Map(strings(&document["x-kubernetes-list-map-keys"])),
            _ => ListType::Atomic,
        };
        Self {
            json_type: document["type"].as_str().and_then(|name| name.parse().ok()),
            int_or_string: flag("x-kubernetes-int-or-string"),
            nullable: flag("nullable"),
            preserve_unknown: flag("x-kubernetes-preserve-unknown-fields"),
            map_atomic: document["x-kubernetes-map-type"] == "atomic",
            list,
            properties: document["properties"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, schema)| (name.clone(), Self::parse(schema)))
                .collect(),
            additional,
            items: document["items"]
                .is_object()
                .then(|| Box::new(Self::parse(&document["items"]))),
            required: strings(&document["required"]),
            default: document
                .get("default")
                .filter(|default| !default.is_null())
                .cloned(),
            rules: Rules::parse(document),
        }
    }

    /// The schema of a whole object: the kind's own with Kubernetes' metadata in its place.
    pub fn of_object(document: &Value) -> Self {
        let mut document = document.clone();
        if !document["properties"].is_object() {
            document["properties"] = json!({});
        }
        document["properties"]["apiVersion"] = json!({"type": "string"});
        document["properties"]["kind"] = json!({"type": "string"});
        document["properties"]["metadata"] = object_meta();
        Self::parse(&document)
    }

    /// The schema of a map's entry or an object's field; unknown ones may hold anything.
    pub fn field(&self, name: &str) -> &Self {
        self.properties
            .get(name)
            .or(self.additional.as_deref())
            .unwrap_or(&ANYTHING)
    }

    /// Whether the schema names this field, as opposed to a key that the user chose.
    pub fn declares(&self, name: &str) -> bool {
        self.properties.contains_key(name)
    }

    /// The schema of a list's items.
    pub fn item(&self) -> &Self {
        self.items.as_deref().unwrap_or(&ANYTHING)
    }

    /// How a list's items are told apart.
    pub fn list_type(&self) -> &ListType {
        &self.list
    }

    /// Whether a map is replaced whole.
    pub fn is_atomic_map(&self) -> bool {
        self.map_atomic
    }

    /// What an absent value becomes.
    pub fn default_value(&self) -> Option<&Value> {
        self.default.as_ref()
    }
}

fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

//! What the server knows of each kind. One generic handler serves them all; a kind is only this description.

mod config_map;
mod custom_resource;
mod definition;
mod environment;
mod event;
mod immutable;
mod lease;
mod namespace;
mod registry;
mod role;
mod role_binding;
mod secret;
pub(crate) mod token;

use std::fmt;

use serde_json::Value;

pub(crate) use definition::established;
pub(crate) use environment::causes;
pub(crate) use event::last_seen;
pub use registry::Registry;

use crate::error::Fault;
use crate::kubernetes::metadata;
use crate::kubernetes::request::Verb;
use crate::kubernetes::schema::{Findings, Schema};
use crate::kubernetes::table::Column;

/// All that may be done to an ordinary kind.
pub const ALL_VERBS: &[Verb] = &[
    Verb::Create,
    Verb::Delete,
    Verb::DeleteCollection,
    Verb::Get,
    Verb::List,
    Verb::Patch,
    Verb::Update,
    Verb::Watch,
];

/// For kinds that the server itself writes.
pub const READ_VERBS: &[Verb] = &[Verb::Get, Verb::List, Verb::Watch];

/// For whom a kind is, as far as the built-in roles go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Viewers read it, editors write it.
    Everyone,
    /// Viewers read it, and only a cluster's administrators write it: namespaces, definitions, and what acts with the
    /// controllers' own rights.
    Readers,
    /// Editors read and write it, viewers do not see it: secrets.
    Editors,
    /// Viewers read it, and the administrators of a namespace write it: it lets people outside act in the namespace.
    Delegators,
    /// The administrators of a namespace read and write it: its roles and their bindings.
    Administrators,
    /// Only a cluster's administrators know of it: cluster roles, tokens.
    ClusterAdministrators,
}

/// A field that `--field-selector` may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selectable {
    /// `status.railway.environmentId`
    pub label: String,
    /// Where its value stands in the stored form; the first of them that holds something counts.
    pub pointers: Vec<String>,
}

impl Selectable {
    /// The field whose label is its path.
    pub fn field(path: &str) -> Self {
        Self {
            label: path.to_owned(),
            pointers: vec![format!("/{}", path.replace('.', "/"))],
        }
    }
}

/// How objects look in the store, where that differs from how this kind shows them.
#[derive(Clone, Copy)]
pub struct Form {
    /// From the wire to the store.
    pub to_stored: fn(Value) -> Value,
    /// From the store to the wire.
    pub from_stored: fn(Value) -> Value,
}

/// A kind.
#[derive(Clone)]
pub struct Kind {
    /// Empty for the core group.
    pub group: String,
    /// `v1alpha1`
    pub version: String,
    /// `Environment`
    pub kind: String,
    /// `environments`
    pub plural: String,
    /// `environment`
    pub singular: String,
    /// `env`
    pub short_names: Vec<String>,
    /// `all`
    pub categories: Vec<String>,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// What may be done.
    pub verbs: &'static [Verb],
    /// For whom it is.
    pub audience: Audience,
    /// Whether names may be anything that fits into a path, `system:masters`, instead of RFC 1123 subdomains.
    pub has_path_names: bool,
    /// Whether `status` is written apart from the rest.
    pub has_status: bool,
    /// Whether `metadata.generation` counts changes of the spec.
    pub has_generation: bool,
    /// Whether a PUT must name the version that it replaces.
    pub update_needs_version: bool,
    /// Whether clients have the kind's Go type compiled in, and patch it by its struct tags.
    pub takes_strategic_patch: bool,
    /// Defaults, pruning, validation, ownership.
    pub schema: Schema,
    /// The schema as it was given, for OpenAPI.
    pub document: Value,
    /// What `kubectl get` shows between name and age.
    pub columns: Vec<Column>,
    /// Beyond `metadata.name` and `metadata.namespace`.
    pub selectable: Vec<Selectable>,
    /// Brings what clients may send in several ways into one, before anything else is done to it.
    pub normalize: fn(&mut Value),
    /// What the schema cannot say, of anything but `metadata` and `status`.
    pub validate: fn(&Value) -> Vec<Fault>,
    /// What may not change, beyond what holds for every kind: the object before, and after.
    pub validate_change: fn(&Value, &Value) -> Vec<Fault>,
    /// What an update that leaves it out keeps: the object before, and after.
    pub inherit: fn(&Value, &mut Value),
    /// The store's name for the resource, when another kind shares it.
    pub stored_as: Option<String>,
    /// How the stored form differs.
    pub form: Option<Form>,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({}, {})", self.api_version(), self.kind)
    }
}

impl Kind {
    /// A kind of Kubernetes' own, of this name and with this schema document; the fields say the rest.
    pub fn new(group: &str, version: &str, kind: &str, plural: &str, document: Value) -> Self {
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            singular: kind.to_lowercase(),
            short_names: Vec::new(),
            categories: Vec::new(),
            namespaced: true,
            verbs: ALL_VERBS,
            audience: Audience::Everyone,
            has_path_names: false,
            has_status: false,
            has_generation: false,
            update_needs_version: false,
            takes_strategic_patch: true,
            schema: Schema::of_object(&document),
            document,
            columns: Vec::new(),
            selectable: Vec::new(),
            normalize: |_| {},
            validate: |_| Vec::new(),
            validate_change: |_, _| Vec::new(),
            inherit: |_, _| {},
            stored_as: None,
            form: None,
        }
    }

    /// `mirage.dev/v1alpha1`, or `v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `environments.mirage.dev`, or `secrets`.
    pub fn qualified_plural(&self) -> String {
        if self.group.is_empty() {
            self.plural.clone()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// The store's name for the resource.
    pub fn resource(&self) -> String {
        self.stored_as
            .clone()
            .unwrap_or_else(|| self.qualified_plural())
    }

    /// Brings an object into the form in which it is kept (defaults filled in, unknown fields gone) and says what is wrong
    /// with it. Of two faults at one place the kind's own is kept: it knows more than the schema.
    ///
    /// What was accepted once may be refused today. Of an object that is there already (`before`), a change that is about
    /// something else must not be held up by that, or a finalizer or a status could not be written.
    pub fn admit(&self, before: Option<&Value>, object: &mut Value) -> Findings {
        let Findings {
            unknown,
            faults: mut by_schema,
        } = self.schema.admit(object);
        if before.is_some_and(|before| metadata::same_spec(before, object)) {
            by_schema.retain(|fault| {
                fault.path.starts_with("metadata") || fault.path.starts_with("status")
            });
            return Findings {
                unknown,
                faults: by_schema,
            };
        }
        let mut faults = (self.validate)(object);
        let is_new = |fault: &Fault| faults.iter().all(|known| known.path != fault.path);
        let more: Vec<Fault> = by_schema.into_iter().filter(is_new).collect();
        faults.extend(more);
        Findings { unknown, faults }
    }

    /// Whether nothing but the schema and [`validate`](Self::validate) looks into a `spec`, as of every custom resource: when a
    /// write leaves it as it is, the rest can be dealt with by itself.
    pub(crate) fn has_plain_spec(&self) -> bool {
        self.has_generation && self.form.is_none()
    }

    /// From the wire to the store.
    pub fn to_stored(&self, object: Value) -> Value {
        match self.form {
            Some(form) => (form.to_stored)(object),
            None => object,
        }
    }

    /// From the store to the wire.
    pub fn from_stored(&self, object: Value) -> Value {
        match self.form {
            Some(form) => (form.from_stored)(object),
            None => object,
        }
    }
}

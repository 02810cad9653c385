//! The schema, and the same schema with fields missing.

use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

const SOURCES: [(&str, &str); 8] = [
    ("query.graphql", include_str!("../../schema/query.graphql")),
    (
        "mutation.graphql",
        include_str!("../../schema/mutation.graphql"),
    ),
    (
        "subscription.graphql",
        include_str!("../../schema/subscription.graphql"),
    ),
    (
        "objects.graphql",
        include_str!("../../schema/objects.graphql"),
    ),
    (
        "connections.graphql",
        include_str!("../../schema/connections.graphql"),
    ),
    (
        "inputs.graphql",
        include_str!("../../schema/inputs.graphql"),
    ),
    ("enums.graphql", include_str!("../../schema/enums.graphql")),
    (
        "scalars.graphql",
        include_str!("../../schema/scalars.graphql"),
    ),
];

/// The fields behind the quirk `change-sets-unavailable`.
pub(crate) const CHANGE_SETS: [&str; 3] = [
    "Mutation.environmentApplyChangeSet",
    "Mutation.environmentPreviewChangeSet",
    "Query.environmentChangeSetApply",
];

/// Documents that were found valid, by their text.
type Documents = BTreeMap<String, Arc<Valid<ExecutableDocument>>>;

/// How many are kept; clients send few distinct ones.
const KEPT_DOCUMENTS: usize = 256;

/// A schema and the documents that are known to fit it.
pub(crate) struct Engine {
    pub(super) schema: Valid<Schema>,
    documents: Mutex<Documents>,
}

impl Engine {
    /// The engine without these `Type.field`s. Parsing takes a while, so each is built once per process.
    pub(crate) fn without(fields: &BTreeSet<String>) -> Arc<Self> {
        type Built = Mutex<BTreeMap<BTreeSet<String>, Arc<Engine>>>;
        static BUILT: OnceLock<Built> = OnceLock::new();
        let mut built = BUILT
            .get_or_init(Built::default)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = built.get(fields) {
            return Arc::clone(engine);
        }
        let engine = Arc::new(Self {
            schema: schema_without(fields),
            documents: Mutex::default(),
        });
        built.insert(fields.clone(), Arc::clone(&engine));
        engine
    }

    pub(super) fn known(&self, text: &str) -> Option<Arc<Valid<ExecutableDocument>>> {
        self.documents().get(text).cloned()
    }

    pub(super) fn keep(&self, text: &str, document: &Arc<Valid<ExecutableDocument>>) {
        let mut documents = self.documents();
        if documents.len() >= KEPT_DOCUMENTS {
            documents.clear();
        }
        documents.insert(text.to_owned(), Arc::clone(document));
    }

    fn documents(&self) -> std::sync::MutexGuard<'_, Documents> {
        self.documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn schema_without(fields: &BTreeSet<String>) -> Valid<Schema> {
    let mut builder = Schema::builder();
    for (name, source) in SOURCES {
        builder = builder.parse(source, name);
    }
    let mut schema = builder
        .build()
        .expect("the embedded schema is part of this crate and parsed by its tests");
    for field in fields {
        let Some((type_name, field_name)) = field.split_once('.') else {
            continue;
        };
        if let Some(ExtendedType::Object(object)) = schema.types.get_mut(type_name) {
            object.make_mut().fields.shift_remove(field_name);
        }
    }
    match schema.validate() {
        Ok(schema) => schema,
        // A field that the rest of the schema cannot do without stays.
        Err(_) if !fields.is_empty() => schema_without(&BTreeSet::new()),
        Err(broken) => Valid::assume_valid(broken.partial),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_valid_with_and_without_change_sets() {
        let whole = Engine::without(&BTreeSet::new());
        let fields: BTreeSet<String> = CHANGE_SETS.map(str::to_owned).into();
        let less = Engine::without(&fields);
        let count = |engine: &Engine| engine.schema.get_object("Mutation").unwrap().fields.len();
        assert_eq!(count(&whole), count(&less) + 2);
    }
}

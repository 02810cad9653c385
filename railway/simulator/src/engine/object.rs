//! What a resolver hands back, and how the engine walks it.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;
use apollo_compiler::schema::Type;
use serde_json::{Map, Value};
use std::cell::{Cell, RefCell};

use crate::objects;
use crate::refusal::Refusal;
use crate::state::{Grant, Id, World};

/// Arguments of a field.
pub(crate) type Arguments = Map<String, Value>;

/// One request's view of the world.
pub(crate) struct Context<'w> {
    pub(crate) world: RefCell<&'w mut World>,
    pub(crate) grant: Grant,
    /// The token's record, for `projectToken`.
    pub(crate) token: Id,
    /// A mutation sees its own work at once; a query sees what has become visible.
    pub(crate) mutation: bool,
    /// Requests left, and when the window ends.
    pub(crate) allowance: (u64, i64),
    /// Virtual milliseconds by which the work delays the answer.
    pub(crate) delay: Cell<i64>,
}

/// A thing with fields.
#[derive(Debug, Clone)]
pub(crate) enum Entity {
    Query,
    Mutation,
    User,
    Workspace(Id),
    Project(Id),
    Environment(Id),
    Service(Id),
    Instance {
        environment: Id,
        service: Id,
    },
    Deployment(Id),
    Volume(Id),
    VolumeInstance {
        environment: Id,
        volume: Id,
    },
    Bucket(Id),
    Variable {
        environment: Id,
        service: Option<Id>,
        name: String,
    },
    Patch {
        environment: Id,
        patch: PatchRef,
    },
    ProjectToken(String),
    Connection {
        nodes: Vec<Entity>,
        info: Value,
    },
    Edge(Box<Entity>),
    /// Plain data, keys as in the schema.
    Record(Value),
}

/// Which patch of an environment.
#[derive(Debug, Clone)]
pub(crate) enum PatchRef {
    Staged,
    Committed(Id),
}

/// The value of a field.
pub(crate) enum Resolved {
    Value(Value),
    Entity(Entity),
    List(Vec<Entity>),
    /// A page of these, by the field's pagination arguments.
    Page(Vec<Entity>),
}

impl<T: Into<Value>> From<T> for Resolved {
    fn from(value: T) -> Self {
        Self::Value(value.into())
    }
}

/// An entity under the type that the schema gives it.
pub(super) struct Object<'c, 'w> {
    pub(super) context: &'c Context<'w>,
    pub(super) type_name: String,
    pub(super) entity: Entity,
}

impl Object<'_, '_> {
    fn complete<'a>(
        &'a self,
        info: &ResolveInfo<'a>,
        resolved: Resolved,
        arguments: &Arguments,
    ) -> ResolvedValue<'a> {
        let ty = &info.field_definition().ty;
        let wrap = |entity: Entity| {
            ResolvedValue::object(Object {
                context: self.context,
                type_name: ty.inner_named_type().to_string(),
                entity,
            })
        };
        match resolved {
            Resolved::Value(value) => self.data(info, ty, value),
            Resolved::Entity(entity) => wrap(entity),
            Resolved::List(entities) => {
                ResolvedValue::list(entities.into_iter().map(wrap).collect::<Vec<_>>())
            }
            Resolved::Page(all) => {
                let rules = std::sync::Arc::clone(&self.context.world.borrow().rules);
                let (nodes, page) = objects::page::cut(all, arguments, &rules.timing);
                wrap(Entity::Connection { nodes, info: page })
            }
        }
    }

    /// JSON where the schema says object becomes a record; everywhere else it is a leaf.
    fn data<'a>(&'a self, info: &ResolveInfo<'a>, ty: &Type, value: Value) -> ResolvedValue<'a> {
        let name = ty.inner_named_type();
        let is_object = info.schema().get_object(name).is_some();
        match value {
            Value::Null => ResolvedValue::null(),
            Value::Array(items) if ty.is_list() => {
                let items: Vec<_> = items
                    .into_iter()
                    .map(|item| self.data(info, ty.item_type(), item))
                    .collect();
                ResolvedValue::list(items)
            }
            value if is_object => ResolvedValue::object(Object {
                context: self.context,
                type_name: name.to_string(),
                entity: Entity::Record(value),
            }),
            value => ResolvedValue::Leaf(leaf(value)),
        }
    }
}

fn leaf(value: Value) -> JsonValue {
    serde_json::from_value(value).unwrap_or(JsonValue::Null)
}

impl ObjectValue for Object<'_, '_> {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, FieldError> {
        let arguments: Arguments = match serde_json::to_value(info.arguments()) {
            Ok(Value::Object(map)) => map,
            _ => Map::new(),
        };
        objects::field(self.context, &self.entity, info.field_name(), &arguments)
            .map(|resolved| self.complete(info, resolved, &arguments))
            .map_err(|refusal: Refusal| FieldError {
                message: refusal.pack(),
            })
    }
}

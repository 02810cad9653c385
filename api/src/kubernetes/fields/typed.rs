//! Walking objects by their schema: which nodes they have, how two differ, how one is merged into another.
//!
//! Two ways lead from an object to a set. What somebody *applies* is the leaves they sent (an object of the schema
//! counts only through its fields). What somebody *updates* is every node that is new or different, containers
//! included. Both give the sets that Kubernetes' structured-merge-diff library gives.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Element, FieldSet, Path};
use crate::kubernetes::schema::{ListType, Schema};

/// How two objects differ.
#[derive(Debug, Default, PartialEq)]
pub struct Delta {
    /// Nodes only the new one has.
    pub added: FieldSet,
    /// Leaves whose value differs.
    pub modified: FieldSet,
    /// Nodes only the old one has.
    pub removed: FieldSet,
}

/// The children of a node, if it is one that has children of its own in managed fields.
fn children<'v>(schema: &Schema, value: &'v Value) -> Option<Vec<(Element, &'v Value)>> {
    match value {
        Value::Object(fields) if !schema.is_atomic_map() => Some(
            fields
                .iter()
                .map(|(name, value)| (Element::Field(name.as_str().into()), value))
                .collect(),
        ),
        Value::Array(items) if *schema.list_type() != ListType::Atomic => items
            .iter()
            .map(|item| Some((item_identity(schema, item)?, item)))
            .collect(),
        _ => None,
    }
}

/// The children of `value` but for fields that `other` has just the same: that is most of them, and of those nobody needs
/// the name.
fn unlike<'v>(
    schema: &Schema,
    value: &'v Value,
    other: &Value,
) -> Option<Vec<(Element, &'v Value)>> {
    match (value, other) {
        (Value::Object(fields), Value::Object(others)) if !schema.is_atomic_map() => Some(
            fields
                .iter()
                .filter(|(name, field)| others.get(*name) != Some(*field))
                .map(|(name, field)| (Element::Field(name.as_str().into()), field))
                .collect(),
        ),
        _ => children(schema, value),
    }
}

/// What tells an item of a set or a keyed list from its neighbours; `None` when it lacks its keys.
fn item_identity(schema: &Schema, item: &Value) -> Option<Element> {
    match schema.list_type() {
        ListType::Atomic => None,
        ListType::Set => {
            (!item.is_object() && !item.is_array()).then(|| Element::Item(item.to_string().into()))
        }
        ListType::Map(keys) => {
            let mut fields = BTreeMap::new();
            for key in keys {
                let value = item
                    .get(key)
                    .or_else(|| schema.item().field(key).default_value())?;
                fields.insert(key.as_str(), value);
            }
            Some(Element::key(&fields))
        }
    }
}

fn child_schema<'s>(schema: &'s Schema, element: &Element) -> &'s Schema {
    match element {
        Element::Field(name) => schema.field(name),
        _ => schema.item(),
    }
}

/// The set of an applied configuration.
pub fn applied(schema: &Schema, config: &Value) -> FieldSet {
    fn walk(schema: &Schema, value: &Value, path: &mut Path, out: &mut FieldSet) {
        let Some(children) = children(schema, value) else {
            out.insert(path);
            return;
        };
        for (element, child) in children {
            let is_own_node = match &element {
                Element::Field(name) => {
                    !schema.declares(name) || is_empty_map(child) || child.is_null()
                }
                _ => true,
            };
            let below = child_schema(schema, &element);
            path.push(element);
            if is_own_node {
                out.insert(path);
            }
            walk(below, child, path, out);
            path.pop();
        }
    }
    let mut out = FieldSet::default();
    walk(schema, config, &mut Path::new(), &mut out);
    out
}

fn is_empty_map(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

/// How `new` differs from `old`. What is below a node for which `skip` holds is not looked at.
pub fn compare(schema: &Schema, old: &Value, new: &Value, skip: fn(&[Element]) -> bool) -> Delta {
    fn every_node(schema: &Schema, value: &Value, path: &mut Path, out: &mut FieldSet) {
        out.insert(path);
        for (element, child) in children(schema, value).unwrap_or_default() {
            let below = child_schema(schema, &element);
            path.push(element);
            every_node(below, child, path, out);
            path.pop();
        }
    }
    fn walk(
        schema: &Schema,
        old: &Value,
        new: &Value,
        skip: fn(&[Element]) -> bool,
        path: &mut Path,
        delta: &mut Delta,
    ) {
        if old == new {
            return;
        }
        let (before, after) = (unlike(schema, old, new), unlike(schema, new, old));
        if before.is_none() || after.is_none() || old.is_object() != new.is_object() {
            delta.modified.insert(path);
        }
        let before: BTreeMap<Element, &Value> = before.unwrap_or_default().into_iter().collect();
        let after: BTreeMap<Element, &Value> = after.unwrap_or_default().into_iter().collect();
        for (element, child) in &before {
            let below = child_schema(schema, element);
            path.push(element.clone());
            match after.get(element) {
                _ if skip(path) => {}
                Some(now) => walk(below, child, now, skip, path, delta),
                None => every_node(below, child, path, &mut delta.removed),
            }
            path.pop();
        }
        for (element, child) in after {
            if !before.contains_key(&element) {
                let below = child_schema(schema, &element);
                path.push(element);
                if !skip(path) {
                    every_node(below, child, path, &mut delta.added);
                }
                path.pop();
            }
        }
    }
    let mut delta = Delta::default();
    walk(schema, old, new, skip, &mut Path::new(), &mut delta);
    delta
}

/// `config` laid over `live`: objects field by field, keyed lists by key, sets by value, all else replaced. The live
/// list's items keep their order and new ones come behind.
pub fn merge(schema: &Schema, live: &Value, config: &Value) -> Value {
    match (live, config) {
        (Value::Object(before), Value::Object(sent)) if !schema.is_atomic_map() => {
            let mut out = before.clone();
            for (name, value) in sent {
                let merged = match before.get(name) {
                    Some(old) => merge(schema.field(name), old, value),
                    None => value.clone(),
                };
                out.insert(name.clone(), merged);
            }
            Value::Object(out)
        }
        (Value::Array(_), Value::Array(_)) => {
            let (Some(before), Some(sent)) = (children(schema, live), children(schema, config))
            else {
                return config.clone();
            };
            let find = |items: &[(Element, &Value)], wanted: &Element| {
                items
                    .iter()
                    .find(|(element, _)| element == wanted)
                    .map(|(_, value)| (*value).clone())
            };
            let mut out: Vec<Value> = before
                .iter()
                .map(|(element, old)| match find(&sent, element) {
                    Some(new) => merge(schema.item(), old, &new),
                    None => (*old).clone(),
                })
                .collect();
            out.extend(
                sent.iter()
                    .filter(|(element, _)| find(&before, element).is_none())
                    .map(|(_, new)| (*new).clone()),
            );
            Value::Array(out)
        }
        _ => config.clone(),
    }
}

/// Takes the nodes of `gone` out of `object`, which `config` was merged into. A container stays while something in `owned`
/// lies below it; one that is left empty goes too, unless somebody owns it or `config` has it.
pub fn remove(
    schema: &Schema,
    object: &mut Value,
    gone: &FieldSet,
    owned: &FieldSet,
    config: &Value,
) {
    // Containers first: an item of a keyed list goes whole, for without its keys nobody could find the rest of it.
    for path in gone.iter() {
        if owned.has_below(path) || is_key(schema, path) {
            continue;
        }
        take(schema, object, path);
        // What held it goes when nothing is left in it, but never `metadata` or `spec` themselves.
        for depth in (2..path.len()).rev() {
            let container = &path[..depth];
            let is_left_empty = find(schema, object, container).is_some_and(|value| {
                is_empty_map(value) || value.as_array().is_some_and(Vec::is_empty)
            });
            if !is_left_empty
                || owned.contains(container)
                || find(schema, config, container).is_some()
            {
                break;
            }
            take(schema, object, container);
        }
    }
}

/// Whether the node is a field by which an item of a keyed list is found.
fn is_key(schema: &Schema, path: &[Element]) -> bool {
    let [above @ .., Element::Key(_), Element::Field(name)] = path else {
        return false;
    };
    let list = above
        .iter()
        .fold(schema, |schema, element| child_schema(schema, element));
    matches!(list.list_type(), ListType::Map(keys) if keys.iter().any(|key| **key == **name))
}

fn find<'v>(schema: &Schema, value: &'v Value, path: &[Element]) -> Option<&'v Value> {
    let Some((first, rest)) = path.split_first() else {
        return Some(value);
    };
    let below = child_schema(schema, first);
    let child = match (first, value) {
        (Element::Field(name), Value::Object(fields)) => fields.get(&**name)?,
        (Element::Index(index), Value::Array(items)) => items.get(*index)?,
        (element, Value::Array(items)) => items
            .iter()
            .find(|item| item_identity(schema, item).as_ref() == Some(element))?,
        _ => return None,
    };
    find(below, child, rest)
}

fn take(schema: &Schema, value: &mut Value, path: &[Element]) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    match (first, value) {
        (Element::Field(name), Value::Object(fields)) => {
            if rest.is_empty() {
                fields.remove(&**name);
            } else if let Some(child) = fields.get_mut(&**name) {
                take(child_schema(schema, first), child, rest);
            }
        }
        (element, Value::Array(items)) => {
            let position = items
                .iter()
                .position(|item| item_identity(schema, item).as_ref() == Some(element));
            let Some(position) = position else { return };
            if rest.is_empty() {
                items.remove(position);
            } else {
                take(child_schema(schema, first), &mut items[position], rest);
            }
        }
        _ => {}
    }
}

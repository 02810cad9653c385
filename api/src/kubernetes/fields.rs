//! Sets of field paths: the `fieldsV1` of `metadata.managedFields`.

mod typed;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Map, Value, json};

pub use typed::{Delta, applied, compare, merge, remove};

/// One step from a node to a node below it. Texts are shared: every path through a node has a copy of its step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Element {
    /// A field of an object or a key of a map: `f:name`.
    Field(Arc<str>),
    /// The item of a keyed list with these keys, as canonical JSON: `k:{"name":"api"}`.
    Key(Arc<str>),
    /// The item of a set, as JSON: `v:"red"`.
    Item(Arc<str>),
    /// The item at a position: `i:3`. We make none, but keep what others wrote.
    Index(usize),
}

/// From the root of an object to one of its nodes.
pub type Path = Vec<Element>;

/// A set of nodes of an object. A container may be in the set without its contents, and the other way round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSet(BTreeSet<Path>);

impl Element {
    /// The key of a list item, with its fields in order.
    pub fn key(fields: &BTreeMap<&str, &Value>) -> Self {
        Self::Key(json!(fields).to_string().into())
    }

    fn parse(text: &str) -> Option<Self> {
        let (tag, rest) = text.split_once(':')?;
        match tag {
            "f" => Some(Self::Field(rest.into())),
            "k" => {
                let fields: BTreeMap<String, Value> = serde_json::from_str(rest).ok()?;
                Some(Self::key(
                    &fields
                        .iter()
                        .map(|(name, value)| (name.as_str(), value))
                        .collect(),
                ))
            }
            "v" => serde_json::from_str::<Value>(rest)
                .ok()
                .map(|value| Self::Item(value.to_string().into())),
            "i" => rest.parse().ok().map(Self::Index),
            _ => None,
        }
    }

    fn render(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(keys) => format!("k:{keys}"),
            Self::Item(value) => format!("v:{value}"),
            Self::Index(index) => format!("i:{index}"),
        }
    }
}

/// `.spec.services[name="api"].image`, as conflict messages write it.
pub fn dotted(path: &[Element]) -> String {
    let mut out = String::new();
    for element in path {
        // Writing to a String cannot fail.
        let _ = match element {
            Element::Field(name) => write!(out, ".{name}"),
            Element::Key(keys) => {
                let fields: BTreeMap<String, Value> =
                    serde_json::from_str(keys).unwrap_or_default();
                let pairs: Vec<String> = fields
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                write!(out, "[{}]", pairs.join(","))
            }
            Element::Item(value) => write!(out, "[={value}]"),
            Element::Index(index) => write!(out, "[{index}]"),
        };
    }
    out
}

impl FieldSet {
    /// Adds a node.
    pub fn insert(&mut self, path: &[Element]) {
        if !path.is_empty() {
            self.0.insert(path.to_vec());
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the node itself is in the set.
    pub fn contains(&self, path: &[Element]) -> bool {
        self.0.contains(path)
    }

    /// Whether something below the node is in the set.
    pub fn has_below(&self, path: &[Element]) -> bool {
        // Paths sort by prefix, so whatever lies below comes directly after the node.
        let mut behind = self
            .0
            .range::<[Element], _>((std::ops::Bound::Excluded(path), std::ops::Bound::Unbounded));
        behind.next().is_some_and(|next| next.starts_with(path))
    }

    /// The nodes, each after the nodes that contain it.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Path> {
        self.0.iter()
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// Takes all of `other` away.
    pub fn subtract(&mut self, other: &Self) {
        self.0.retain(|path| !other.0.contains(path));
    }

    /// Keeps only the nodes for which `keep` holds.
    pub fn retain(&mut self, keep: impl Fn(&[Element]) -> bool) {
        self.0.retain(|path| keep(path));
    }

    /// The wire form: nested maps in which a leaf is `{}` and a node that has children is marked by `.`.
    pub fn to_fields_v1(&self) -> Map<String, Value> {
        let mut root = Map::new();
        // The nodes from the root to where we are. Paths sort by prefix, so that a node which was left is never met again.
        let mut open: Vec<Open<'_>> = Vec::new();
        for path in &self.0 {
            let shared = open.iter().zip(path);
            let shared = shared.take_while(|(open, step)| open.step == *step).count();
            close(&mut root, &mut open, shared);
            for step in path.iter().skip(shared) {
                if let Some(above) = open.last_mut().filter(|above| above.is_member) {
                    above.below.insert(".".into(), json!({}));
                }
                open.push(Open {
                    step,
                    is_member: false,
                    below: Map::new(),
                });
            }
            if let Some(last) = open.last_mut() {
                last.is_member = true;
            }
        }
        close(&mut root, &mut open, 0);
        root
    }

    /// Whether the node is in the set of this wire form, which [`FieldSet::to_fields_v1`] wrote: what is asked of a few
    /// nodes does not take the whole set.
    pub fn is_in_fields_v1(fields: &Map<String, Value>, path: &[Element]) -> bool {
        let node = path
            .iter()
            .try_fold(fields, |node, step| node.get(&step.render())?.as_object());
        node.is_some_and(|below| !path.is_empty() && (below.is_empty() || below.contains_key(".")))
    }

    /// Reads the wire form; `None` when it is not one.
    pub fn from_fields_v1(fields: &Map<String, Value>) -> Option<Self> {
        fn walk(children: &Map<String, Value>, path: &mut Path, out: &mut FieldSet) -> Option<()> {
            if children.is_empty() {
                out.insert(path);
            }
            for (name, child) in children {
                if name == "." {
                    out.insert(path);
                } else {
                    path.push(Element::parse(name)?);
                    walk(child.as_object()?, path, out)?;
                    path.pop();
                }
            }
            Some(())
        }
        let mut out = Self::default();
        walk(fields, &mut Path::new(), &mut out)?;
        Some(out)
    }
}

/// A node whose children are being written.
struct Open<'a> {
    step: &'a Element,
    /// Whether it is in the set itself.
    is_member: bool,
    below: Map<String, Value>,
}

/// Hangs the nodes deeper than `depth` where they belong.
fn close(root: &mut Map<String, Value>, open: &mut Vec<Open<'_>>, depth: usize) {
    while open.len() > depth
        && let Some(Open { step, below, .. }) = open.pop()
    {
        let above = open.last_mut().map_or(&mut *root, |above| &mut above.below);
        above.insert(step.render(), Value::Object(below));
    }
}

impl FromIterator<Path> for FieldSet {
    fn from_iter<I: IntoIterator<Item = Path>>(paths: I) -> Self {
        Self(paths.into_iter().filter(|path| !path.is_empty()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn element() -> impl Strategy<Value = Element> {
        prop_oneof![
            "[a-c.:]{1,2}".prop_map(|name| Element::Field(name.into())),
            "[a-c]".prop_map(|name| Element::key(&BTreeMap::from([("name", &json!(name))]))),
            (0..3i32).prop_map(|value| Element::Item(json!(value).to_string().into())),
            (0..3usize).prop_map(Element::Index),
        ]
    }

    proptest! {
        #[test]
        fn the_wire_form_loses_nothing(paths in prop::collection::vec(prop::collection::vec(element(), 1..5), 0..12)) {
            let set: FieldSet = paths.into_iter().collect();
            prop_assert_eq!(FieldSet::from_fields_v1(&set.to_fields_v1()), Some(set));
        }

        #[test]
        fn a_node_is_in_the_wire_form_when_it_is_in_the_set(
            paths in prop::collection::vec(prop::collection::vec(element(), 1..4), 0..10),
            path in prop::collection::vec(element(), 0..4),
        ) {
            let set: FieldSet = paths.iter().cloned().collect();
            let wire = set.to_fields_v1();
            prop_assert_eq!(FieldSet::is_in_fields_v1(&wire, &path), set.contains(&path));
            prop_assert!(paths.iter().all(|path| FieldSet::is_in_fields_v1(&wire, path)));
        }

        #[test]
        fn has_below_agrees_with_looking_at_every_path(
            paths in prop::collection::vec(prop::collection::vec(element(), 1..4), 0..10),
            path in prop::collection::vec(element(), 1..3),
        ) {
            let set: FieldSet = paths.into_iter().collect();
            let slow = set.iter().any(|other| other.len() > path.len() && other.starts_with(&path));
            prop_assert_eq!(set.has_below(&path), slow);
        }
    }

    #[test]
    fn a_container_that_is_itself_in_the_set_is_marked_with_a_dot() {
        let wire = json!({"f:spec": {"f:services": {"k:{\"name\":\"api\"}": {".": {}, "f:image": {}}}, "f:tags": {"v:\"red\"": {}}}});
        let set = FieldSet::from_fields_v1(wire.as_object().unwrap()).unwrap();
        assert_eq!(Value::Object(set.to_fields_v1()), wire);
        let paths: Vec<_> = set.iter().map(|path| dotted(path)).collect();
        assert_eq!(
            paths,
            [
                ".spec.services[name=\"api\"]",
                ".spec.services[name=\"api\"].image",
                ".spec.tags[=\"red\"]"
            ]
        );
    }

    #[test]
    fn garbage_is_not_a_field_set() {
        for wire in [
            json!({"spec": {}}),
            json!({"f:a": 1}),
            json!({"k:{": {}}),
            json!({"v:": {}}),
        ] {
            let fields = wire.as_object().unwrap();
            assert_eq!(FieldSet::from_fields_v1(fields), None, "{wire}");
        }
    }
}

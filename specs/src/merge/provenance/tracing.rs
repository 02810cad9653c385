//! Looking a place up in each layer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Origin, Overridden, Traced};
use crate::{
    environment::EnvironmentSpec,
    merge::{
        layers::{Layered, Leaf},
        parameters::used_parameters,
        stack::Stack,
    },
    path::FieldPath,
    template::EnvironmentTemplateSpec,
};

/// The values of a spec by their keys.
pub(super) type Leaves = BTreeMap<Vec<String>, Value>;

/// Every value of a spec; an empty map is one.
pub(super) fn leaves(spec: &EnvironmentSpec) -> Leaves {
    let value = serde_json::to_value(spec).expect("a spec is JSON");
    Layered::spec(&value)
        .leaves()
        .into_iter()
        .filter_map(|(keys, leaf)| match leaf {
            Leaf::Value(value) => Some((keys, value)),
            Leaf::Removed | Leaf::Map => None,
        })
        .collect()
}

/// One layer, to be looked into.
struct Layer<'a> {
    origin: Origin,
    tree: Layered,
    /// As written, before parameters were filled in.
    written: Option<&'a Map<String, Value>>,
}

/// Topmost first.
fn layers_of<'a>(template: Option<&'a EnvironmentTemplateSpec>, stack: &Stack) -> [Layer<'a>; 3] {
    let typed = template.and_then(|template| template.types.get(&stack.chosen));
    let base = template.and_then(|template| template.base.as_ref());
    [
        Layer {
            origin: Origin::Environment,
            tree: Layered::spec(&stack.own),
            written: None,
        },
        Layer {
            origin: Origin::TemplateType {
                environment_type: stack.chosen.clone(),
            },
            tree: Layered::spec(&stack.typed),
            written: typed.map(|layer| &layer.0),
        },
        Layer {
            origin: Origin::TemplateBase,
            tree: Layered::spec(&stack.base),
            written: base.map(|layer| &layer.0),
        },
    ]
}

/// What is looked up to trace one environment.
pub(super) struct Tracing<'a> {
    layers: [Layer<'a>; 3],
    /// The values after merging, after inheriting, and after databases were written out.
    stages: [Leaves; 3],
    spec: &'a EnvironmentSpec,
}

impl<'a> Tracing<'a> {
    /// `stages` are the values after merging, after inheriting, and after databases were written out.
    pub(super) fn new(
        template: Option<&'a EnvironmentTemplateSpec>,
        stack: &Stack,
        stages: [Leaves; 3],
        spec: &'a EnvironmentSpec,
    ) -> Self {
        Self {
            layers: layers_of(template, stack),
            stages,
            spec,
        }
    }

    /// Every place of which some layer speaks.
    pub(super) fn places(&self) -> Vec<Vec<String>> {
        let of_each = self.layers.iter().flat_map(|layer| layer.tree.leaves());
        of_each.map(|(keys, _)| keys).collect()
    }

    /// What the layers say of a place, topmost first.
    fn said(&self, keys: &[String]) -> Vec<(&Layer<'_>, Leaf)> {
        self.layers
            .iter()
            .filter_map(|layer| Some((layer, layer.tree.at(keys)?)))
            .collect()
    }

    /// A value that is there.
    pub(super) fn present(&self, keys: &[String], value: &Value) -> Traced {
        let said = self.said(keys);
        let giver = match said.first() {
            None | Some((_, Leaf::Removed)) => None,
            Some((_, Leaf::Value(_))) => Some(0),
            // An empty map that became so, because what was in it was removed: it is there because of the lowest.
            Some((_, Leaf::Map)) => {
                let maps = said.iter().take_while(|(_, leaf)| *leaf == Leaf::Map);
                Some(maps.count() - 1)
            }
        };
        let (origin, parameters, below) = match giver {
            Some(at) => {
                let layer = said[at].0;
                (
                    layer.origin.clone(),
                    layer.parameters(keys),
                    &said[at + 1..],
                )
            }
            None => (self.filled_in(keys), Vec::new(), &said[..]),
        };
        Traced {
            path: path(keys),
            value: Some(value.clone()),
            origin,
            parameters,
            overridden: overridden(below),
            keys: keys.to_vec(),
        }
    }

    /// A value that some layer has and that is not there in the end; nothing where there is nothing to tell.
    pub(super) fn removed(&self, keys: &[String]) -> Option<Traced> {
        let said = self.said(keys);
        let is_told = |leaf: &Leaf| match leaf {
            Leaf::Value(Value::Object(map)) => !map.is_empty(),
            Leaf::Value(_) => true,
            Leaf::Removed | Leaf::Map => false,
        };
        let (top, below) = said.split_first()?;
        let (origin, below) = match &top.1 {
            // Only the short form of a database takes a value away that no layer removed: its version is in the image.
            Leaf::Value(_) if is_told(&top.1) => (self.taken_by(keys)?, &said[..]),
            Leaf::Removed | Leaf::Map if below.iter().any(|(_, leaf)| is_told(leaf)) => {
                (top.0.origin.clone(), below)
            }
            _ => return None,
        };
        Some(Traced {
            path: path(keys),
            value: None,
            origin,
            parameters: Vec::new(),
            overridden: overridden(below),
            keys: keys.to_vec(),
        })
    }

    /// The step after the merge at which a value came to be.
    fn filled_in(&self, keys: &[String]) -> Origin {
        let [merged, inherited, expanded] = &self.stages;
        if merged.contains_key(keys) {
            Origin::Default
        } else if inherited.contains_key(keys) {
            Origin::Inherited {
                from: format!("spec.source.{}", keys.last().map_or("", String::as_str)),
            }
        } else if expanded.contains_key(keys) {
            self.engine(keys).unwrap_or(Origin::Default)
        } else {
            Origin::Default
        }
    }

    fn taken_by(&self, keys: &[String]) -> Option<Origin> {
        let [merged, _, expanded] = &self.stages;
        if merged.contains_key(keys) && !expanded.contains_key(keys) {
            self.engine(keys)
        } else {
            None
        }
    }

    fn engine(&self, keys: &[String]) -> Option<Origin> {
        let service = self.spec.services.get(keys.get(1)?)?.as_ref()?;
        let engine = service.engine.value()?.to_string();
        Some(Origin::Engine { engine })
    }
}

impl Layer<'_> {
    /// Parameters in what is written at a place of this layer.
    fn parameters(&self, keys: &[String]) -> Vec<String> {
        let mut found = BTreeSet::new();
        let mut at = self.written.and_then(|map| map.get(keys.first()?));
        for key in keys.iter().skip(1) {
            at = at.and_then(|value| value.get(key));
        }
        if let Some(value) = at {
            collect_parameters(value, &mut found);
        }
        found.into_iter().map(str::to_owned).collect()
    }
}

fn collect_parameters<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::String(text) => found.extend(used_parameters(text)),
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_parameters(item, found)),
        Value::Object(map) => map
            .values()
            .for_each(|value| collect_parameters(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Values, and what removed them; removing what nobody gave is not worth a word.
fn overridden(below: &[(&Layer<'_>, Leaf)]) -> Vec<Overridden> {
    let mut all: Vec<Overridden> = below
        .iter()
        .filter_map(|(layer, leaf)| {
            let value = match leaf {
                Leaf::Value(value) => Some(value.clone()),
                Leaf::Removed => None,
                Leaf::Map => return None,
            };
            Some(Overridden {
                origin: layer.origin.clone(),
                value,
            })
        })
        .collect();
    while all.last().is_some_and(|last| last.value.is_none()) {
        all.pop();
    }
    all
}

fn path(keys: &[String]) -> FieldPath {
    keys.iter()
        .fold(FieldPath::root().key("spec"), |path, key| path.key(key))
}

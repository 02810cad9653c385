//! From documents to what is declared: validated, within bounds, each object once. Pure.

use std::collections::{BTreeMap, BTreeSet};

use mirage_specs::{
    git_sync::{IgnoredPath, SyncFault},
    manifest::{self, Templates},
};
use serde_json::{Value, json};

use super::{
    key::{Key, group_of},
    kinds::{Kinds, Scope},
    parse::{Documents, Placed, fault_at},
    resolve::Rules,
};

/// Where something is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, from the repository's root.
    pub file: String,
    /// The line on which the document begins.
    pub line: usize,
}

/// An object that is declared and may be applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// Where.
    pub place: Place,
    /// `mirage.dev/v1alpha1`, or `v1`.
    pub api_version: String,
    /// The whole object, without what only servers write.
    pub value: Value,
}

/// Everything that a commit declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declared {
    /// What may be applied.
    pub objects: BTreeMap<Key, Declaration>,
    /// What is in Git and may not be applied: faulty, or held back by a fault. It is not gone.
    pub held: BTreeMap<Key, (Place, String)>,
    /// What is wrong.
    pub faults: Vec<SyncFault>,
    /// What was left out on purpose.
    pub ignored: Vec<IgnoredPath>,
    /// Whether something could not be read far enough to know which object it declares. Then nothing counts as gone.
    pub is_doubtful: bool,
}

/// Kustomize's own file declares nothing by itself.
const KUSTOMIZE: &str = "kustomize.config.k8s.io";

/// What documents declare.
pub fn declare(documents: &Documents, kinds: &Kinds, rules: &Rules) -> Declared {
    let mut declared = Declared {
        faults: documents.broken.clone(),
        is_doubtful: !documents.broken.is_empty(),
        ..Declared::default()
    };
    let placed = localised(documents, rules, &mut declared);
    let templates = Templates::of(placed.iter().map(|placed| &placed.document));
    let mut found: Vec<(Option<Key>, Place, Placed)> = Vec::new();
    for mut placed in placed {
        let (key, more) = judge(&placed, &templates, kinds, rules);
        placed.faults.extend(more);
        let place = Place {
            file: placed.file.clone(),
            line: placed.document.line,
        };
        if key.is_none() {
            declared.is_doubtful = true;
        }
        found.push((key, place, placed));
    }
    refuse_twice(&mut found);
    for (_, _, placed) in &found {
        declared.faults.extend(placed.faults.iter().cloned());
    }
    declared.faults.sort();
    declared.faults.dedup();
    let faulty: BTreeSet<String> = declared
        .faults
        .iter()
        .map(|fault| fault.file.clone())
        .collect();
    for (key, place, placed) in found {
        let Some(key) = key else { continue };
        let own = placed.faults.first().map(|fault| fault.message.clone());
        let why = own.or_else(|| {
            if rules.atomic && !faulty.is_empty() {
                Some("held back: atomic is set, and there are faults".to_owned())
            } else if faulty.contains(&place.file) {
                Some("held back: another place in its file is faulty".to_owned())
            } else {
                None
            }
        });
        match why {
            Some(why) => {
                declared.held.entry(key).or_insert((place, why));
            }
            None => {
                let declaration = Declaration {
                    place,
                    api_version: placed.document.api_version.clone(),
                    value: cleaned(placed.document.value, key.namespace.as_deref()),
                };
                declared.objects.insert(key, declaration);
            }
        }
    }
    declared
}

/// The documents that mean objects, each with its namespace.
fn localised(documents: &Documents, rules: &Rules, declared: &mut Declared) -> Vec<Placed> {
    let mut placed = Vec::new();
    for one in &documents.placed {
        if group_of(&one.document.api_version) == KUSTOMIZE {
            declared.ignored.push(IgnoredPath {
                path: one.file.clone(),
                reason:
                    "Kustomize's file: Mirage reads every file of the folder, and builds nothing"
                        .to_owned(),
            });
            continue;
        }
        let mut one = one.clone();
        if one.document.namespace.is_none() {
            one.document.namespace = Some(rules.namespace.clone());
        }
        placed.push(one);
    }
    placed
}

/// Which object a document means, and what is wrong with it.
fn judge(
    placed: &Placed,
    templates: &Templates,
    kinds: &Kinds,
    rules: &Rules,
) -> (Option<Key>, Vec<SyncFault>) {
    let document = &placed.document;
    let fault = |path: &str, message: String| fault_at(&placed.file, document, path, message);
    let group = group_of(&document.api_version);
    let mut faults = Vec::new();
    let may = if document.kind.is_empty() || document.api_version.is_empty() {
        None
    } else {
        let refused = rules.bounds.refuse_kind(group, &document.kind);
        faults.extend(refused.iter().map(|why| fault("kind", why.clone())));
        Some(refused.is_none())
    };
    // Gaps make values that are not those that would be applied: one fault about them is enough.
    if placed.faults.is_empty() && may != Some(false) {
        for found in manifest::faults(document, templates) {
            let text = found.to_string();
            faults.push(fault(&found.path, text));
        }
    }
    let name = document.name.clone().filter(|name| !name.is_empty());
    if name.is_none() {
        let has_one = faults
            .iter()
            .any(|known| known.message.contains("metadata.name"));
        if !has_one {
            faults.push(fault(
                "metadata",
                "metadata.name: must be given; generateName would make another object at every look".to_owned(),
            ));
        }
    }
    let (Some(may), Some(name)) = (may, name) else {
        return (None, faults);
    };
    let namespace = document.namespace.clone().unwrap_or_default();
    // Of a kind that may not be written the API server was not asked, unless such an object was brought while it might.
    let scope = kinds
        .scope(&document.api_version, &document.kind)
        .or((!may).then_some(Scope::Namespaced));
    let namespace = match scope {
        Some(Scope::Namespaced) => {
            if may && let Some(why) = rules.bounds.refuse_namespace(&namespace) {
                faults.push(fault("metadata.namespace", why));
            }
            Some(namespace)
        }
        Some(Scope::Cluster) => None,
        None => {
            let what = format!(
                "the API server has no {} {}",
                document.api_version, document.kind
            );
            faults.push(fault("kind", what));
            Some(namespace)
        }
    };
    let key = Key {
        group: group.to_owned(),
        kind: document.kind.clone(),
        namespace,
        name,
    };
    (Some(key), faults)
}

/// Of two declarations of one object neither can be believed.
fn refuse_twice(found: &mut [(Option<Key>, Place, Placed)]) {
    let mut places: BTreeMap<Key, Vec<Place>> = BTreeMap::new();
    for (key, place, _) in found.iter() {
        if let Some(key) = key {
            places.entry(key.clone()).or_default().push(place.clone());
        }
    }
    for (key, place, placed) in found.iter_mut() {
        let (Some(key), place) = (&*key, &*place) else {
            continue;
        };
        let others: Vec<String> = places[key]
            .iter()
            .filter(|other| *other != place)
            .map(|other| format!("{}:{}", other.file, other.line))
            .collect();
        if !others.is_empty() {
            let message = format!(
                "metadata.name: {key} is declared at {} too",
                others.join(", ")
            );
            placed.faults.push(fault_at(
                &placed.file,
                &placed.document,
                "metadata.name",
                message,
            ));
        }
    }
}

/// The object without what only servers write: exported manifests carry it.
fn cleaned(mut value: Value, namespace: Option<&str>) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.remove("status");
    }
    if let Some(metadata) = value["metadata"].as_object_mut() {
        for field in [
            "managedFields",
            "resourceVersion",
            "uid",
            "creationTimestamp",
            "generation",
            "selfLink",
            "namespace",
        ] {
            metadata.remove(field);
        }
        if let Some(namespace) = namespace {
            metadata.insert("namespace".to_owned(), json!(namespace));
        }
    }
    value
}

//! Who owns which field: `metadata.managedFields`, kept by every write, and the rules of server-side apply.

mod owned;

use serde_json::{Map, Value, json};

use self::owned::Owned;
use super::fields::{Delta, Element, FieldSet, Path, applied, compare, dotted, merge, remove};
use super::schema::Schema;
use crate::error::{CauseReason, Fault};

/// How a manager came to its fields.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr, strum::EnumString,
)]
pub enum Operation {
    /// By server-side apply: the fields it sent last.
    Apply,
    /// By any other write: the fields it changed.
    Update,
}

/// Who writes, and when. Two writes with the same author (the time aside) share one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// `kubectl`, `mirage`, …
    pub manager: String,
    /// `mirage.dev/v1alpha1`
    pub api_version: String,
    /// `status` or empty.
    pub subresource: String,
    /// RFC 3339 in seconds.
    pub time: String,
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    operation: Operation,
    author: Author,
    set: Owned,
}

/// The managers of one object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Managers(Vec<Entry>);

/// A field that someone else owns and that an apply would have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    path: Path,
    with: String,
}

/// What becomes of an object by an apply.
#[derive(Debug, PartialEq)]
pub struct Applied {
    /// The merged object.
    pub object: Value,
    /// Its managers.
    pub managers: Managers,
}

/// What a write other than an apply changed, as far as it can belong to somebody.
pub(super) struct Changed {
    /// What is new or different.
    taken: FieldSet,
    removed: FieldSet,
}

impl Changed {
    /// What leads from one object to the other.
    pub(super) fn between(schema: &Schema, old: &Value, new: &Value) -> Self {
        let Delta {
            added: mut taken,
            modified,
            mut removed,
        } = compare(schema, old, new, is_bookkeeping);
        taken.extend(&modified);
        taken.retain(is_recorded);
        removed.retain(is_recorded);
        Self { taken, removed }
    }
}

/// Whether [`Managers::attribute`] would leave this list, which [`Managers::write_into`] wrote, as it is: what was changed
/// was the author's already and nobody else's.
pub(super) fn is_on_record(list: &Value, changed: &Changed, author: &Author) -> bool {
    let Changed { taken, removed } = changed;
    let mut is_author_there = false;
    let stays = list.as_array().into_iter().flatten().all(|entry| {
        let Some(fields) = entry["fieldsV1"].as_object() else {
            return false;
        };
        let has = |path: &Path| FieldSet::is_in_fields_v1(fields, path);
        if author.has_written(entry) {
            is_author_there = true;
            taken.iter().all(has) && !removed.iter().any(has)
        } else {
            !taken.iter().chain(removed.iter()).any(has)
        }
    });
    stays && (is_author_there || taken.is_empty())
}

impl Author {
    /// Whether the entry, as it stands in an object, is of what this author has written other than by an apply.
    fn has_written(&self, entry: &Value) -> bool {
        let says = |field: &str, text: &str| entry[field].as_str().unwrap_or_default() == text;
        says("operation", Operation::Update.into())
            && says("manager", &self.manager)
            && says("apiVersion", &self.api_version)
            && says("subresource", &self.subresource)
    }
}

impl Managers {
    /// Reads `metadata.managedFields` of a stored object, which [`Managers::write_into`] wrote. A list that is not
    /// understood is dropped.
    pub fn of(stored: &Value) -> Self {
        Self::written(&stored["metadata"]["managedFields"])
    }

    /// As [`Managers::of`], from the list alone.
    pub(super) fn written(list: &Value) -> Self {
        let as_written = |fields: &Map<_, _>| Some(Owned::Written(fields.clone()));
        Self::read(list, as_written).unwrap_or_default()
    }

    /// Reads a list of entries that a client wrote; `None` when one of them is malformed.
    pub fn parse(list: &Value) -> Option<Self> {
        Self::read(list, |fields| {
            FieldSet::from_fields_v1(fields).map(Owned::from)
        })
    }

    fn read(list: &Value, set: impl Fn(&Map<String, Value>) -> Option<Owned>) -> Option<Self> {
        let text =
            |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
        let entries = list.as_array()?.iter().map(|entry| {
            Some(Entry {
                operation: entry["operation"].as_str()?.parse().ok()?,
                author: Author {
                    manager: text(entry, "manager"),
                    api_version: text(entry, "apiVersion"),
                    subresource: text(entry, "subresource"),
                    time: text(entry, "time"),
                },
                set: set(entry["fieldsV1"].as_object()?)?,
            })
        });
        entries.collect::<Option<Vec<_>>>().map(Self)
    }

    /// Whether nobody is on record.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes the list into the object, or takes it out when it is empty.
    pub fn write_into(self, object: &mut Value) {
        let Some(metadata) = object["metadata"].as_object_mut() else {
            return;
        };
        match self.into_list() {
            Some(list) => metadata.insert("managedFields".into(), list),
            None => metadata.remove("managedFields"),
        };
    }

    /// The list as objects have it; `None` when nobody is on record.
    pub(super) fn into_list(self) -> Option<Value> {
        let mut entries: Vec<Entry> = self
            .0
            .into_iter()
            .filter(|entry| !entry.set.is_empty())
            .collect();
        entries.sort_by(|a, b| {
            (
                a.operation,
                &a.author.time,
                &a.author.manager,
                &a.author.subresource,
            )
                .cmp(&(
                    b.operation,
                    &b.author.time,
                    &b.author.manager,
                    &b.author.subresource,
                ))
        });
        (!entries.is_empty()).then(|| entries.into_iter().map(Entry::into_json).collect())
    }

    /// Attributes what a write other than an apply changed. Whoever changes a field takes it from the others.
    pub fn update(&mut self, schema: &Schema, old: &Value, new: &Value, author: &Author) {
        self.attribute(Changed::between(schema, old, new), author);
    }

    /// As [`Managers::update`], with what was changed. When that is nothing, everything stays as it is.
    pub(super) fn attribute(&mut self, Changed { taken, removed }: Changed, author: &Author) {
        let mut lost = taken.clone();
        lost.extend(&removed);
        for entry in &mut self.0 {
            if !entry.is_of(Operation::Update, author) && entry.set.has_any_of(&lost) {
                entry.set.change(|set| set.subtract(&lost));
            }
        }
        match self.entry(Operation::Update, author) {
            Some(mine) if mine.set.has_all_of(&taken) && !mine.set.has_any_of(&removed) => {}
            Some(mine) => {
                mine.set.change(|set| {
                    set.subtract(&removed);
                    set.extend(&taken);
                });
                mine.author.time.clone_from(&author.time);
            }
            None => self.0.push(Entry {
                operation: Operation::Update,
                author: author.clone(),
                set: taken.into(),
            }),
        }
        self.0.retain(|entry| !entry.set.is_empty());
    }

    /// Server-side apply of `config` to `live`.
    ///
    /// # Errors
    /// The conflicts: fields that another manager owns and whose value would change. With `force` there are none.
    pub fn apply(
        &self,
        schema: &Schema,
        live: &Value,
        config: &Value,
        author: &Author,
        force: bool,
    ) -> Result<Applied, Vec<Conflict>> {
        let mut managers = self.clone();
        let mut mine = applied(schema, config);
        mine.retain(is_recorded);
        let mut owned = mine.clone();
        for entry in managers
            .0
            .iter()
            .filter(|entry| !entry.is_of(Operation::Apply, author))
        {
            owned.extend(&entry.set.set());
        }
        let mut gone = managers
            .entry(Operation::Apply, author)
            .map(|entry| entry.set.set().into_owned())
            .unwrap_or_default();
        gone.subtract(&owned);

        let mut object = merge(schema, live, config);
        remove(schema, &mut object, &gone, &owned, config);

        let delta = compare(schema, live, &object, is_bookkeeping);
        let mut changed = delta.added;
        changed.extend(&delta.modified);
        let mut conflicts = Vec::new();
        for entry in managers
            .0
            .iter_mut()
            .filter(|entry| !entry.is_of(Operation::Apply, author))
        {
            let contested = entry.set.set().intersection(&changed);
            if force {
                entry.set.change(|set| set.subtract(&contested));
            } else {
                let with = entry.described();
                conflicts.extend(contested.iter().map(|path| Conflict {
                    path: path.clone(),
                    with: with.clone(),
                }));
            }
            if entry.set.has_any_of(&delta.removed) {
                entry.set.change(|set| set.subtract(&delta.removed));
            }
        }
        if !conflicts.is_empty() {
            return Err(conflicts);
        }
        managers.record_apply(author, mine.into());
        Ok(Applied { object, managers })
    }

    /// For objects from before managers were recorded: all of `live` belongs to `before-first-apply`.
    pub fn before_first_apply(schema: &Schema, live: &Value, author: &Author) -> Self {
        let mut managers = Self::default();
        let author = Author {
            manager: "before-first-apply".into(),
            subresource: String::new(),
            ..author.clone()
        };
        managers.update(schema, &json!({}), live, &author);
        managers
    }

    fn entry(&mut self, operation: Operation, author: &Author) -> Option<&mut Entry> {
        self.0
            .iter_mut()
            .find(|entry| entry.is_of(operation, author))
    }

    /// Replaces what an author applies. The time moves only when the set does, or every repeated apply would be a write.
    fn record_apply(&mut self, author: &Author, set: Owned) {
        match self.entry(Operation::Apply, author) {
            Some(entry) if entry.set == set => {}
            Some(entry) => {
                entry.set = set;
                entry.author.time.clone_from(&author.time);
            }
            None => self.0.push(Entry {
                operation: Operation::Apply,
                author: author.clone(),
                set,
            }),
        }
        self.0.retain(|entry| !entry.set.is_empty());
    }
}

impl Entry {
    fn is_of(&self, operation: Operation, author: &Author) -> bool {
        self.operation == operation
            && self.author.manager == author.manager
            && self.author.api_version == author.api_version
            && self.author.subresource == author.subresource
    }

    fn described(&self) -> String {
        let Author {
            manager,
            api_version,
            subresource,
            time,
        } = &self.author;
        let mut text = format!("{manager:?}");
        if !subresource.is_empty() {
            text.push_str(&format!(" with subresource {subresource:?}"));
        }
        if self.operation == Operation::Update {
            text.push_str(&format!(" using {api_version} at {time}"));
        }
        text
    }

    fn into_json(self) -> Value {
        let Author {
            manager,
            api_version,
            subresource,
            time,
        } = self.author;
        let mut entry = json!({
            "manager": manager, "operation": <&str>::from(self.operation), "apiVersion": api_version,
            "time": time, "fieldsType": "FieldsV1",
        });
        // Moved; `json!` would copy it.
        entry["fieldsV1"] = self.set.into_fields_v1();
        if !subresource.is_empty() {
            entry["subresource"] = json!(subresource);
        }
        entry
    }
}

/// Whether a node may belong to somebody.
fn is_recorded(path: &[Element]) -> bool {
    let is_metadata = matches!(path, [Element::Field(name)] if **name == *"metadata");
    !is_metadata && !is_bookkeeping(path)
}

/// What the server itself keeps belongs to nobody.
fn is_bookkeeping(path: &[Element]) -> bool {
    let field = |depth: usize| match path.get(depth) {
        Some(Element::Field(name)) => Some(&**name),
        _ => None,
    };
    match (field(0), field(1)) {
        (Some("apiVersion" | "kind"), _) => true,
        (Some("metadata"), Some(name)) => matches!(
            name,
            "name"
                | "namespace"
                | "uid"
                | "resourceVersion"
                | "generation"
                | "creationTimestamp"
                | "generateName"
                | "deletionTimestamp"
                | "deletionGracePeriodSeconds"
                | "selfLink"
                | "managedFields"
        ),
        _ => false,
    }
}

/// The sentence of a conflict answer, and a cause per field.
pub fn conflict_report(conflicts: &[Conflict]) -> (String, Vec<Fault>) {
    let causes = conflicts
        .iter()
        .map(|conflict| {
            let message = format!("conflict with {}", conflict.with);
            Fault::new(
                dotted(&conflict.path),
                CauseReason::FieldManagerConflict,
                message,
            )
        })
        .collect();
    if let [only] = conflicts {
        let text = format!(
            "Apply failed with 1 conflict: conflict with {}: {}",
            only.with,
            dotted(&only.path)
        );
        return (text, causes);
    }
    let mut text = format!("Apply failed with {} conflicts: ", conflicts.len());
    let mut with = None;
    for conflict in conflicts {
        if with != Some(&conflict.with) {
            let separator = if with.is_some() { "\n" } else { "" };
            text.push_str(&format!("{separator}conflicts with {}:", conflict.with));
            with = Some(&conflict.with);
        }
        text.push_str(&format!("\n- {}", dotted(&conflict.path)));
    }
    (text, causes)
}

#[cfg(test)]
mod tests;

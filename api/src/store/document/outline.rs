//! An object's outline: all of it but `spec` and `metadata.managedFields`, which are most of its text and which most
//! writes leave as they are. Whoever needs only the rest need not read those two, nor compare them or write them out again.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::json_text::{blanked, end, member};

const SPEC: &str = "spec";
const MANAGED: &str = "managedFields";

/// A document's outline, and where in its text the parts stand that are not in it.
pub(super) struct Parts {
    value: Value,
    spec: Range<usize>,
    managed: Option<(Range<usize>, Read)>,
}

/// A part as a value, once somebody has asked for it. Versions of an object that have the same part share it.
type Read = Arc<OnceLock<Value>>;

/// An object without `spec` and `metadata.managedFields`, and these two as text.
#[derive(Clone)]
pub(crate) struct Outline<'d> {
    /// Everything else.
    pub(crate) value: &'d Value,
    /// A JSON object.
    pub(crate) spec: &'d str,
    /// Absent when nobody is on record.
    pub(crate) managed: Option<Managed<'d>>,
}

/// An object's `metadata.managedFields`.
#[derive(Clone)]
pub(crate) struct Managed<'d> {
    text: Cow<'d, str>,
    read: Read,
}

impl Managed<'_> {
    /// As it stands in the object's text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The list.
    pub(crate) fn list(&self) -> &Value {
        self.read.get_or_init(|| read(&self.text))
    }
}

impl From<Value> for Managed<'_> {
    fn from(list: Value) -> Self {
        Self {
            text: list.to_string().into(),
            read: Arc::new(OnceLock::from(list)),
        }
    }
}

impl PartialEq for Managed<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Outline<'_> {
    /// What the `spec` says.
    pub(crate) fn read_spec(&self) -> Value {
        read(self.spec)
    }
}

fn read(part: &str) -> Value {
    serde_json::from_str(part).expect("a part of a document is JSON")
}

impl Parts {
    /// `None` when there is no `spec` that is an object, or no `metadata`.
    pub(super) fn of(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let spec = object(bytes, 0, SPEC)?;
        let spec = spec..end(bytes, spec)?;
        let metadata = object(bytes, 0, "metadata")?;
        let managed = match member(bytes, metadata, MANAGED) {
            Some(at) => Some((at..end(bytes, at)?, Read::default())),
            None => None,
        };
        let mut values = vec![spec.clone()];
        values.extend(managed.iter().map(|(at, _)| at.clone()));
        values.sort_by_key(|value| value.start);
        let mut value: Value = serde_json::from_slice(&blanked(bytes, &values)).ok()?;
        value.as_object_mut()?.remove(SPEC);
        value["metadata"].as_object_mut()?.remove(MANAGED);
        Some(Self {
            value,
            spec,
            managed,
        })
    }

    /// The parts of this outline, and the text of the whole: the same that the whole's value would give. The outline has
    /// `metadata`, or there is nowhere to put what is managed.
    pub(super) fn joined(
        value: Value,
        spec: &str,
        managed: Option<&Managed<'_>>,
    ) -> (Self, String) {
        let parts = spec.len() + managed.map_or(0, |managed| managed.text.len());
        let mut out = Vec::with_capacity(parts + 1024);
        let mut managed_at = None;
        let spec_at = write(&mut out, &value, Some((SPEC, spec)), |out, name, value| {
            if name == "metadata" && value.is_object() {
                let managed = managed.map(|managed| (MANAGED, managed.text()));
                managed_at = write(out, value, managed, |out, _, value| json(out, value));
            } else {
                json(out, value);
            }
        });
        let parts = Self {
            value,
            spec: spec_at.unwrap_or_default(),
            managed: managed_at.zip(managed.map(|managed| Arc::clone(&managed.read))),
        };
        let text = String::from_utf8(out).expect("JSON is text, and so are the parts");
        (parts, text)
    }

    pub(super) fn within<'d>(&'d self, text: &'d str) -> Option<Outline<'d>> {
        Some(Outline {
            value: &self.value,
            spec: text.get(self.spec.clone())?,
            managed: match &self.managed {
                Some((at, read)) => Some(Managed {
                    text: text.get(at.clone())?.into(),
                    read: Arc::clone(read),
                }),
                None => None,
            },
        })
    }
}

/// Where the object begins that is the value of this member.
fn object(bytes: &[u8], within: usize, name: &str) -> Option<usize> {
    member(bytes, within, name).filter(|at| bytes.get(*at) == Some(&b'{'))
}

/// Writes an object's fields, and among them, where its name belongs, a part that is text already; says where that is.
fn write(
    out: &mut Vec<u8>,
    object: &Value,
    part: Option<(&str, &str)>,
    mut value: impl FnMut(&mut Vec<u8>, &str, &Value),
) -> Option<Range<usize>> {
    let mut at = None;
    let mut add = |out: &mut Vec<u8>| {
        if let (Some((name, text)), None) = (part, &at) {
            key(out, name);
            at = Some(out.len()..out.len() + text.len());
            out.extend_from_slice(text.as_bytes());
        }
    };
    out.push(b'{');
    for (name, field) in object.as_object().into_iter().flatten() {
        if part.is_some_and(|(part, _)| part < name.as_str()) {
            add(out);
        }
        key(out, name);
        value(out, name, field);
    }
    add(out);
    out.push(b'}');
    at
}

/// A field's name, behind a comma unless it is the first.
fn key(out: &mut Vec<u8>, name: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    json(out, &name);
    out.push(b':');
}

fn json(out: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) {
    serde_json::to_writer(out, value)
        .expect("a value's keys are text, and memory takes what is written");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use crate::store::Document;

    #[test]
    fn of_an_object_the_bulk_is_set_aside() {
        let document = Document::from(json!({
            "kind": "Thing",
            "metadata": {"managedFields": [{"manager": "a"}], "name": "x"},
            "spec": {"a": 1},
            "status": {},
        }));
        let outline = document.outline().unwrap();
        assert_eq!(
            *outline.value,
            json!({"kind": "Thing", "metadata": {"name": "x"}, "status": {}})
        );
        assert_eq!(outline.spec, r#"{"a":1}"#);
        let managed = outline.managed.unwrap();
        assert_eq!(managed.text(), r#"[{"manager":"a"}]"#);
        assert_eq!(*managed.list(), json!([{"manager": "a"}]));
    }

    #[test]
    fn what_has_no_spec_or_no_metadata_has_no_outline() {
        for object in [
            json!({"metadata": {}}),
            json!({"spec": {}}),
            json!({"metadata": {}, "spec": null}),
            json!({"metadata": [], "spec": {}}),
            json!([]),
            json!("{\"metadata\":{},\"spec\":{}}"),
        ] {
            assert!(
                Document::from(object.clone()).outline().is_none(),
                "{object}"
            );
        }
    }

    fn field() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            any::<i32>().prop_map(serde_json::Value::from),
            "[a-z\"\\\\{}:,]{0,5}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            let key = prop_oneof![
                "[a-z\"]{1,2}",
                Just("spec".to_owned()),
                Just("managedFields".to_owned())
            ];
            prop::collection::btree_map(key, inner, 0..3)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect()))
        })
    }

    proptest! {
        #[test]
        fn an_outline_and_its_parts_are_the_document_again(
            around in prop::collection::btree_map("[a-z]{1,6}", field(), 0..4),
            about in prop::collection::btree_map("[a-z]{1,9}", field(), 0..4),
            spec in field(), managed in prop::option::of(field()),
        ) {
            let mut metadata: serde_json::Map<_, _> = about.into_iter().collect();
            metadata.extend(managed.map(|managed| ("managedFields".to_owned(), managed)));
            let mut object: serde_json::Map<_, _> = around.into_iter().collect();
            object.insert("metadata".to_owned(), metadata.into());
            object.insert("spec".to_owned(), json!({"of": spec}));
            let whole = Document::from(serde_json::Value::Object(object));
            let outline = whole.outline().unwrap();
            let again = Document::joined(outline.value.clone(), outline.spec, outline.managed.as_ref());
            prop_assert_eq!(again.text(), whole.text());
            let other = again.outline().unwrap();
            prop_assert_eq!((other.value, other.spec), (outline.value, outline.spec));
            prop_assert!(other.managed == outline.managed);
            prop_assert_eq!(again, whole);
        }
    }
}

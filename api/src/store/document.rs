//! An object's JSON, as text and as a value. Whichever is missing is made when somebody asks for it, once for all who
//! hold the document: what goes from the disk to the wire as it is never becomes a tree, and of what most writes leave as
//! it is only the [`Outline`] does.

mod outline;

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde::de::{self, Deserialize, Deserializer};
use serde_json::Value;

use self::outline::Parts;
pub(crate) use self::outline::{Managed, Outline};

/// A JSON document that never changes. Cloning shares it. Reads like the [`Value`] that it is; its `Debug` shows
/// nothing, since it may hold a secret's opened values.
#[derive(Clone)]
pub struct Document(Arc<Inner>);

/// Text or value is there from the beginning.
#[derive(Default)]
struct Inner {
    text: OnceLock<Arc<str>>,
    value: OnceLock<Value>,
    parts: OnceLock<Option<Parts>>,
}

impl Document {
    /// A document from text that a database gave back.
    ///
    /// # Errors
    /// It is not JSON. The error names a line and a column, not the content.
    pub fn parse(text: impl Into<Arc<str>>) -> Result<Self, serde_json::Error> {
        let text = text.into();
        // Read through without building anything, so that asking for the value later cannot fail.
        serde_json::from_str::<Readable>(&text)?;
        Ok(Self(Arc::new(Inner {
            text: OnceLock::from(text),
            ..Inner::default()
        })))
    }

    /// The document that has this outline and these parts.
    pub(crate) fn joined(outline: Value, spec: &str, managed: Option<&Managed<'_>>) -> Self {
        let (parts, text) = Parts::joined(outline, spec, managed);
        Self(Arc::new(Inner {
            text: OnceLock::from(Arc::from(text)),
            parts: OnceLock::from(Some(parts)),
            ..Inner::default()
        }))
    }

    /// Its outline; `None` for what is no object with `metadata` and a `spec`.
    pub(crate) fn outline(&self) -> Option<Outline<'_>> {
        let parts = self.0.parts.get_or_init(|| Parts::of(self.text()));
        parts.as_ref()?.within(self.text())
    }

    /// Its outline, if somebody has asked for it already.
    pub(crate) fn known_outline(&self) -> Option<Outline<'_>> {
        self.0.parts.get()?.as_ref()?.within(self.text())
    }

    /// The document as text, without `metadata.resourceVersion` like the value.
    pub fn text(&self) -> &str {
        self.shared_text()
    }

    /// The text, for whoever needs it for longer than the document.
    pub(crate) fn shared_text(&self) -> &Arc<str> {
        self.0.text.get_or_init(|| {
            let value = self.0.value.get().unwrap_or(&Value::Null);
            value.to_string().into()
        })
    }

    /// The document as a value of the caller's own. Costs nothing for the last who holds it.
    pub fn into_value(self) -> Value {
        match Arc::try_unwrap(self.0) {
            Ok(Inner { text, value, .. }) => match (value.into_inner(), text.into_inner()) {
                (Some(value), _) => value,
                (None, text) => parsed(&text.unwrap_or_default()),
            },
            Err(shared) => Self(shared).value().clone(),
        }
    }

    /// The document as a value of the caller's own, while others may hold it too.
    pub fn to_value(&self) -> Value {
        self.value().clone()
    }

    fn value(&self) -> &Value {
        self.0.value.get_or_init(|| {
            let text = self.0.text.get().map_or("", |text| text);
            parsed(text)
        })
    }

    /// Bytes of memory that the text takes; a value that was asked for takes several times as many beside it.
    pub(crate) fn weight(&self) -> usize {
        self.text().len()
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("the text was read through when the document was made")
}

/// What can be read as a [`Value`], without being one. Unlike serde's `IgnoredAny` it keeps to the same limits: nesting,
/// the range of numbers, escapes that are no characters.
struct Readable;

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> de::Visitor<'de> for Readable {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut fields: A) -> Result<Self, A::Error> {
        while fields.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

impl From<Value> for Document {
    fn from(value: Value) -> Self {
        Self(Arc::new(Inner {
            value: OnceLock::from(value),
            ..Inner::default()
        }))
    }
}

impl Deref for Document {
    type Target = Value;

    fn deref(&self) -> &Value {
        self.value()
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.value() == other.value()
    }
}

impl PartialEq<Value> for Document {
    fn eq(&self, other: &Value) -> bool {
        self.value() == other
    }
}

impl PartialEq<Document> for Value {
    fn eq(&self, other: &Document) -> bool {
        self == other.value()
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_json_is_refused_at_the_door() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for text in [
            "",
            "{",
            "{}{}",
            "{\"a\":}",
            "nul",
            "1e999",
            "\"\\ud800\"",
            &deep,
        ] {
            assert!(Document::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_document_shows_nothing_of_itself() {
        let document = Document::from(json!({"password": "hunter2"}));
        assert_eq!(format!("{document:?}"), "Document(..)");
    }

    proptest! {
        #[test]
        fn text_and_value_are_the_same_document(number in any::<f64>(), text in ".{0,20}", depth in 0_usize..100) {
            let mut value = json!({"n": number, "t": text});
            for _ in 0..depth {
                value = json!([value]);
            }
            let made = Document::from(value.clone());
            let read = Document::parse(made.text()).unwrap();
            prop_assert_eq!(&read, &value);
            prop_assert_eq!(&made, &read);
            let kept = read.clone();
            prop_assert_eq!(read.into_value(), value.clone());
            prop_assert_eq!(kept.into_value(), value);
        }
    }
}

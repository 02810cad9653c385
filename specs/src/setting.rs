//! A setting that a layer may leave to the layer below, remove, or give.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One optional value of a layer (base, type, instance, service).
///
/// Three states, because inheritance needs three: a key that is absent inherits, `null` removes what a lower
/// layer gave, and a value replaces it. Fields of this type say
/// `#[serde(default, skip_serializing_if = "Setting::is_inherited")]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting<T> {
    /// The key is absent: whatever the layer below says.
    #[default]
    Inherit,
    /// The key is `null`: back to Railway's default, whatever the layer below says.
    Clear,
    /// The key has a value.
    Set(T),
}

impl<T> Setting<T> {
    /// Whether the key is absent, and so not written out.
    pub fn is_inherited(&self) -> bool {
        matches!(self, Self::Inherit)
    }

    /// The value, when there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Inherit | Self::Clear => None,
        }
    }

    /// The value, when there is one, by move.
    pub fn into_value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Inherit | Self::Clear => None,
        }
    }
}

impl<T> From<T> for Setting<T> {
    fn from(value: T) -> Self {
        Self::Set(value)
    }
}

impl<T: Serialize> Serialize for Setting<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Setting<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // An absent key never comes here: `#[serde(default)]` answers it.
        Ok(match Option::<T>::deserialize(deserializer)? {
            Some(value) => Self::Set(value),
            None => Self::Clear,
        })
    }
}

impl<T: JsonSchema> JsonSchema for Setting<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        // The field says what it is for; the words of the type alone would take their place.
        schema.remove("description");
        schema.insert("nullable".to_owned(), true.into());
        schema
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Layer {
        #[serde(default, skip_serializing_if = "Setting::is_inherited")]
        replicas: Setting<u16>,
    }

    #[test]
    fn absent_null_and_a_value_are_three_things_and_stay_so() {
        for (text, replicas) in [
            ("{}", Setting::Inherit),
            (r#"{"replicas":null}"#, Setting::Clear),
            (r#"{"replicas":2}"#, Setting::Set(2)),
        ] {
            let layer: Layer = serde_json::from_str(text).unwrap();
            assert_eq!(layer, Layer { replicas });
            assert_eq!(serde_json::to_string(&layer).unwrap(), text);
        }
        assert!(serde_json::from_str::<Layer>(r#"{"replicas":"2"}"#).is_err());
    }
}

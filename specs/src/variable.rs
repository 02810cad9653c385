//! Variables of a service or of a whole environment.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Where a variable's value comes from.
///
/// In YAML: a plain string (which may hold Railway references such as `${{postgres.DATABASE_URL}}`), or an object with
/// exactly one of `secretRef`, `preserve`, `copyFrom`, `generate`. Numbers and booleans are read as the text they show.
#[derive(Clone, PartialEq, Eq)]
pub enum Variable {
    /// A literal or a Railway reference, given to Railway as written.
    Plain(String),
    /// The value of a key in a core/v1 Secret of the same namespace, or in a SecretStore.
    SecretRef(ValueRef),
    /// Whatever Railway has: never set, never changed, never removed by Mirage.
    Preserve,
    /// Copied once from another environment on Railway, then preserved.
    CopyFrom(CopyFrom),
    /// Random text made once by Mirage, then preserved.
    Generate(Generate),
}

// A literal may be a secret that somebody wrote into the spec, so its text stays out of logs and errors.
impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => write!(f, "Plain({} characters)", text.chars().count()),
            Self::SecretRef(key) => f.debug_tuple("SecretRef").field(key).finish(),
            Self::Preserve => f.write_str("Preserve"),
            Self::CopyFrom(place) => f.debug_tuple("CopyFrom").field(place).finish(),
            Self::Generate(how) => f.debug_tuple("Generate").field(how).finish(),
        }
    }
}

/// A key of a Secret in the Environment's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretKeyRef {
    /// Name of the Secret.
    pub name: String,
    /// Key inside its `data`.
    pub key: String,
}

/// A value that lives in a Secret, or in a secret store outside of Mirage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ValueRef {
    /// Name of a SecretStore of the Environment's own namespace; absent for a Secret there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// Name of the Secret, or path inside the store.
    pub name: String,
    /// Key inside the Secret's `data`, or field of what is at the path.
    pub key: String,
    /// Version to stay at, where the store has versions; the newest when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

impl ValueRef {
    /// A key of a Secret.
    pub fn secret(name: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            store: None,
            name: name.into(),
            key: key.into(),
            version: None,
        }
    }
}

/// The place on Railway a value is copied from, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CopyFrom {
    /// Railway's id of another project; absent for the environment's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Name or id of a Railway environment in the project.
    pub environment: String,
    /// Service there; absent for a shared variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Name of the variable there.
    pub name: String,
}

/// How a value is made up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Generate {
    /// Characters, letters and digits only; 16 to 256.
    #[schemars(range(min = 16, max = 256))]
    pub length: u16,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Object {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret_ref: Option<ValueRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    preserve: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    copy_from: Option<CopyFrom>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generate: Option<Generate>,
}

impl Object {
    const EMPTY: Self = Self {
        secret_ref: None,
        preserve: None,
        copy_from: None,
        generate: None,
    };
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Raw {
    Text(String),
    Bool(bool),
    Integer(i64),
    Float(f64),
    Object(Object),
}

impl Serialize for Variable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.clone() {
            Self::Plain(text) => serializer.serialize_str(&text),
            Self::SecretRef(r) => Object {
                secret_ref: Some(r),
                ..Object::EMPTY
            }
            .serialize(serializer),
            Self::Preserve => Object {
                preserve: Some(true),
                ..Object::EMPTY
            }
            .serialize(serializer),
            Self::CopyFrom(c) => Object {
                copy_from: Some(c),
                ..Object::EMPTY
            }
            .serialize(serializer),
            Self::Generate(g) => Object {
                generate: Some(g),
                ..Object::EMPTY
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const EXPECTED: &str = "a variable is a string, or an object with exactly one of secretRef, preserve: true, copyFrom, generate";
        let raw = Raw::deserialize(deserializer).map_err(|_| de::Error::custom(EXPECTED))?;
        match raw {
            Raw::Text(text) => Ok(Self::Plain(text)),
            Raw::Bool(value) => Ok(Self::Plain(value.to_string())),
            Raw::Integer(value) => Ok(Self::Plain(value.to_string())),
            Raw::Float(value) => Ok(Self::Plain(value.to_string())),
            Raw::Object(object) => match (
                object.secret_ref,
                object.preserve,
                object.copy_from,
                object.generate,
            ) {
                (Some(r), None, None, None) => Ok(Self::SecretRef(r)),
                (None, Some(true), None, None) => Ok(Self::Preserve),
                (None, None, Some(c), None) => Ok(Self::CopyFrom(c)),
                (None, None, None, Some(g)) => Ok(Self::Generate(g)),
                _ => Err(de::Error::custom(EXPECTED)),
            },
        }
    }
}

impl JsonSchema for Variable {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Variable".into()
    }

    // A structural schema cannot say "string or object", so the type is left open here and `validate` decides;
    // the editor's JSON Schema (`mirage schema`) says it in full.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A string (Railway references allowed), or one of {secretRef: {store, name, key, version}}, {preserve: true}, \
                            {copyFrom: {projectId, environment, service, name}}, {generate: {length}}.",
            "x-kubernetes-preserve-unknown-fields": true
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_form_reads_and_writes_as_people_write_it() {
        for written in [
            json!("postgres://${{db.HOST}}"),
            json!({"secretRef": {"name": "s", "key": "k"}}),
            json!({"secretRef": {"store": "vault", "name": "a/b", "key": "k", "version": 3}}),
            json!({"preserve": true}),
            json!({"copyFrom": {"environment": "staging", "service": "api", "name": "KEY"}}),
            json!({"copyFrom": {"projectId": "p", "environment": "staging", "name": "KEY"}}),
            json!({"generate": {"length": 32}}),
        ] {
            let variable: Variable = serde_json::from_value(written.clone()).unwrap();
            assert_eq!(serde_json::to_value(&variable).unwrap(), written);
        }
        for (written, text) in [(json!(8080), "8080"), (json!(true), "true")] {
            let variable: Variable = serde_json::from_value(written).unwrap();
            assert_eq!(variable, Variable::Plain(text.into()));
        }
    }

    #[test]
    fn a_literal_shows_nothing_of_itself() {
        let variable = Variable::Plain("s3cr3t-canary".into());
        assert_eq!(format!("{variable:?}"), "Plain(13 characters)");
    }

    #[test]
    fn what_is_neither_is_refused() {
        for written in [
            Value::Null,
            json!([]),
            json!({}),
            json!({"preserve": false}),
            json!({"preserve": true, "generate": {"length": 32}}),
            json!({"value": "x"}),
        ] {
            assert!(
                serde_json::from_value::<Variable>(written.clone()).is_err(),
                "{written}"
            );
        }
    }
}

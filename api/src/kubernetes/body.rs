//! Request bodies: JSON, YAML, or Kubernetes' protobuf envelope, and what of them cannot be kept.

mod duplicates;
mod protobuf;
mod repeated;

use bytes::Bytes;
use http::{HeaderMap, header};
use serde_json::Value;

use crate::error::{Reason, Status};
use crate::store::Outline;

/// More than this many bytes are refused; Kubernetes' own limit.
pub(crate) const LIMIT: usize = 3 * 1024 * 1024;

/// Deeper objects are refused: no reader of ours or of the clients would follow further.
const DEEPEST: usize = 100;

/// A body as it came. It may hold a secret, hence no `Debug`.
#[derive(Clone, Default)]
pub(crate) struct Body {
    media_type: String,
    bytes: Bytes,
}

/// A body that was understood. It may hold a secret, hence no `Debug`.
#[derive(Clone, PartialEq)]
pub(crate) struct Decoded {
    /// What it says.
    pub value: Value,
    /// Paths of fields that it says twice; the last one counts.
    pub duplicates: Vec<String>,
}

impl Body {
    /// Takes the bytes and what the headers say of them.
    pub(crate) fn new(headers: &HeaderMap, bytes: Bytes) -> Self {
        let content_type = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let media_type = content_type
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default();
        Self {
            media_type: media_type.trim().to_ascii_lowercase(),
            bytes,
        }
    }

    /// The media type without its parameters; empty when none was sent.
    pub(crate) fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Whether nothing was sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// An object. Python's client sends no content type: that is JSON.
    ///
    /// # Errors
    /// 415 for other types, 400 for what cannot be parsed.
    pub(crate) fn object(&self) -> Result<Decoded, Status> {
        match self.media_type.as_str() {
            "" | "application/json" | "*/*" => self.json(),
            "application/yaml" | "application/x-yaml" | "text/yaml" => self.yaml(),
            "application/vnd.kubernetes.protobuf" => self.protobuf(),
            other => Err(unsupported(
                other,
                &["application/json", "application/yaml"],
            )),
        }
    }

    /// An object without what it repeats word for word of this stored one; `None` when it does not repeat its `spec`, or
    /// when only reading all of it can tell.
    pub(crate) fn beside(&self, stored: &Outline<'_>) -> Option<Value> {
        let object = match self.media_type.as_str() {
            "" | "application/json" | "*/*" => repeated::parse(&self.bytes, stored)?,
            _ => return None,
        };
        within_depth(&object).is_ok().then_some(object)
    }

    /// JSON.
    pub(crate) fn json(&self) -> Result<Decoded, Status> {
        let (value, duplicates) = duplicates::parse(&self.bytes)
            .map_err(|error| Status::bad_request(format!("the body is not valid JSON: {error}")))?;
        within_depth(&value)?;
        Ok(Decoded { value, duplicates })
    }

    /// YAML, of which JSON is a part.
    pub(crate) fn yaml(&self) -> Result<Decoded, Status> {
        if self.bytes.first() == Some(&b'{') {
            return self.json();
        }
        let value: Value = serde_yaml::from_slice(&self.bytes)
            .map_err(|error| Status::bad_request(format!("error decoding YAML: {error}")))?;
        within_depth(&value)?;
        Ok(Decoded {
            value,
            duplicates: Vec::new(),
        })
    }

    fn protobuf(&self) -> Result<Decoded, Status> {
        protobuf::decode(&self.bytes)
            .map(|value| Decoded {
                value,
                duplicates: Vec::new(),
            })
            .map_err(|error| {
                Status::new(
                    Reason::UnsupportedMediaType,
                    format!("the protobuf body cannot be read: {error}"),
                )
            })
    }
}

/// 415, naming what would do.
pub(crate) fn unsupported(media_type: &str, accepted: &[&str]) -> Status {
    Status::new(
        Reason::UnsupportedMediaType,
        format!(
            "the body of the request was in an unknown format - {media_type} is not supported; accepted media types include: {}",
            accepted.join(", ")
        ),
    )
}

/// Refuses what is nested too deeply.
pub(crate) fn within_depth(value: &Value) -> Result<(), Status> {
    fn fits(value: &Value, left: usize) -> bool {
        left > 0
            && match value {
                Value::Object(fields) => fields.values().all(|value| fits(value, left - 1)),
                Value::Array(items) => items.iter().all(|value| fits(value, left - 1)),
                _ => true,
            }
    }
    if fits(value, DEEPEST) {
        Ok(())
    } else {
        Err(Status::bad_request(format!(
            "the object is nested more than {DEEPEST} levels deep"
        )))
    }
}

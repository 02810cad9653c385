//! What a body repeats word for word of the object that it is to replace.

use serde_json::Value;

use super::duplicates;
use crate::json_text::{blanked, is_whole_value, member};
use crate::store::Outline;

/// The object that is sent, without its `spec` and, if it has them, its `metadata.managedFields`; `None` unless both are the
/// stored object's own text. Then the body is as good JSON as what is left of it.
///
/// Managed fields that are sent in other words stay in the object: their sender means something by them.
pub(super) fn parse(bytes: &[u8], stored: &Outline<'_>) -> Option<Value> {
    let spec = member(bytes, 0, "spec")?;
    if !is_whole_value(bytes, spec, stored.spec) {
        return None;
    }
    let spec = spec..spec + stored.spec.len();
    let mut values = vec![spec];
    if let (Some(at), Some(managed)) = (managed_fields(bytes), &stored.managed)
        && is_whole_value(bytes, at, managed.text())
    {
        values.push(at..at + managed.text().len());
        values.sort_by_key(|value| value.start);
    }
    // A field that is given twice is told by the path, which this text does not have whole.
    let (mut object, duplicates) = duplicates::parse(&blanked(bytes, &values)).ok()?;
    if !duplicates.is_empty() {
        return None;
    }
    object.as_object_mut()?.remove("spec");
    if values.len() > 1 {
        object["metadata"].as_object_mut()?.remove("managedFields");
    }
    Some(object)
}

fn managed_fields(bytes: &[u8]) -> Option<usize> {
    let metadata = member(bytes, 0, "metadata")?;
    member(bytes, metadata, "managedFields")
}

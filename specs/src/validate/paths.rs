//! Field paths that users write, as in `drift.ignore`: each must name something.

use serde_json::{Map, Value};

use crate::nearest::suggestion;

/// The first segment of `path` that `schema` (of an Environment's spec) has no place for, with what may have been meant.
pub(super) fn check(path: &str, schema: &Value) -> Result<(), String> {
    let mut at = schema;
    for segment in path.split('.') {
        let fields = at["properties"].as_object();
        at = match fields.and_then(|fields| fields.get(segment)) {
            Some(field) => field,
            None if at["additionalProperties"].is_object() && !segment.is_empty() => {
                &at["additionalProperties"]
            }
            None => {
                let known = fields.into_iter().flat_map(Map::keys).map(String::as_str);
                let near = suggestion(segment, known);
                return Err(format!(
                    "names nothing: there is no field {segment:?} in a spec{near}"
                ));
            }
        };
    }
    Ok(())
}

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::Document;

    const SPEC: &str = r#"{"a":[1,2],"b":{}}"#;
    const MANAGED: &str = r#"[{"manager":"m"}]"#;

    /// What is left of a body with these texts, beside an object that has [`SPEC`] and [`MANAGED`].
    fn left(spec: &str, managed: &str, more: &str) -> Option<Value> {
        let object = |spec: &str, managed: &str, more: &str| {
            format!(
                r#"{{"kind":"K","metadata":{{"managedFields":{managed},"name":"n"}},"spec":{spec}{more}}}"#
            )
        };
        let stored = Document::parse(object(SPEC, MANAGED, "")).unwrap();
        let body = object(spec, managed, more);
        parse(body.as_bytes(), &stored.outline().unwrap())
    }

    #[test]
    fn what_is_repeated_is_left_out() {
        let rest = json!({"kind": "K", "metadata": {"name": "n"}});
        assert_eq!(left(SPEC, MANAGED, ""), Some(rest));
        let others = json!({"kind": "K", "metadata": {"managedFields": [{}], "name": "n"}});
        assert_eq!(left(SPEC, "[{}]", ""), Some(others));
    }

    #[test]
    fn a_spec_in_other_words_and_what_is_no_json_are_for_who_reads_all_of_it() {
        for (spec, more) in [
            (r#"{"a":[1, 2],"b":{}}"#, ""),
            (r#"{"a":[1,2]}"#, ""),
            (SPEC, "x"),
            (SPEC, r#","spec":{}"#),
            (SPEC, r#","kind":"L""#),
            (SPEC, r#","\u0073pec":{}"#),
            (SPEC, "}"),
        ] {
            assert_eq!(left(spec, MANAGED, more), None, "{spec}{more}");
        }
    }
}

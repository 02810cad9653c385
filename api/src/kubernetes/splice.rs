//! Puts an object's version into its stored text. Stored objects lack only `metadata.resourceVersion` to be what clients
//! see; adding it to the text saves reading the text into a tree and writing it out again.

use bytes::Bytes;

use crate::json_text::member;

/// The object's text with its version in `metadata`, in three parts. `None` when it has no metadata to put it into.
pub(crate) fn versioned(text: &str, revision: u64) -> Option<(&str, String, &str)> {
    let at = metadata(text)?;
    let (before, behind) = text.split_at_checked(at)?;
    let comma = if behind.trim_start().starts_with('}') {
        ""
    } else {
        ","
    };
    Some((
        before,
        format!("\"resourceVersion\":\"{revision}\"{comma}"),
        behind,
    ))
}

/// A watch's line about the object.
pub(crate) fn event(name: &str, text: &str, revision: u64) -> Option<Bytes> {
    let (before, version, behind) = versioned(text, revision)?;
    Some(
        [
            r#"{"type":""#,
            name,
            r#"","object":"#,
            before,
            &version,
            behind,
            "}\n",
        ]
        .concat()
        .into(),
    )
}

/// Where the first member of the top-level `metadata` would stand.
fn metadata(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let at = member(bytes, 0, "metadata")?;
    (bytes.get(at) == Some(&b'{')).then_some(at + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn spliced(text: &str) -> Option<Value> {
        let (before, version, behind) = versioned(text, 7)?;
        Some(serde_json::from_str(&[before, &version, behind].concat()).unwrap())
    }

    #[test]
    fn the_version_goes_into_the_objects_own_metadata() {
        for (text, expected) in [
            (
                r#"{"metadata":{}}"#,
                Some(json!({"metadata": {"resourceVersion": "7"}})),
            ),
            (
                r#"{"data":{"metadata":{"a":1},"x":"}\"{"},"kind":"metadata","metadata":{"name":"a"}}"#,
                Some(
                    json!({"data": {"metadata": {"a": 1}, "x": "}\"{"}, "kind": "metadata",
                    "metadata": {"name": "a", "resourceVersion": "7"}}),
                ),
            ),
            (
                " { \"n\" : -1.5e3 , \"t\" : true,\n\"l\":[[],{}], \"metadata\" : { } } ",
                Some(
                    json!({"n": -1500.0, "t": true, "l": [[], {}], "metadata": {"resourceVersion": "7"}}),
                ),
            ),
            (r#"{"spec":{"metadata":{}}}"#, None),
            (r#"{"metadata":null}"#, None),
            (r#"{"metadata":"x"}"#, None),
            ("[]", None),
            ("{}", None),
            ("\"metadata\"", None),
        ] {
            assert_eq!(spliced(text), expected, "{text}");
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(Value::Null),
            "[\\PC\"\\\\{}\\[\\],:]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let key = prop_oneof![Just("metadata".to_owned()), "[a-z\"\\\\]{0,3}"];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(key, inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_spliced_text_is_the_value_with_its_version(value in json(), is_pretty in any::<bool>()) {
            let text = if is_pretty {
                serde_json::to_string_pretty(&value).unwrap()
            } else {
                value.to_string()
            };
            let mut expected = value;
            let has_metadata = expected.get("metadata").is_some_and(Value::is_object);
            if has_metadata {
                expected["metadata"]["resourceVersion"] = json!("7");
            }
            // A member of that name that was there comes later and would win; stored objects have none.
            prop_assert_eq!(spliced(&text), has_metadata.then_some(expected));
        }

        #[test]
        fn no_text_panics(text in ".{0,30}") {
            let _ = versioned(&text, 1);
        }
    }
}

//! Where the members of an object stand in JSON text: found without reading the text into a tree.
//!
//! Of text that is not JSON an answer means nothing, but nothing panics.

use std::ops::Range;

/// Where the value of the object's first member of this name begins; the object begins at `object`, white space aside. A
/// name that is written with escapes is not recognised.
pub(crate) fn member(bytes: &[u8], object: usize, name: &str) -> Option<usize> {
    let mut at = space(bytes, object);
    (bytes.get(at) == Some(&b'{')).then_some(())?;
    loop {
        // Behind the brace or the comma.
        at = space(bytes, at + 1);
        let key = at;
        at = string(bytes, at)?;
        let is_wanted = bytes.get(key + 1..at - 1) == Some(name.as_bytes());
        at = space(bytes, at);
        (bytes.get(at) == Some(&b':')).then_some(())?;
        at = space(bytes, at + 1);
        if is_wanted {
            return Some(at);
        }
        at = space(bytes, end(bytes, at)?);
        (bytes.get(at) == Some(&b',')).then_some(())?;
    }
}

/// Behind the value that begins here.
pub(crate) fn end(bytes: &[u8], from: usize) -> Option<usize> {
    let (mut at, mut depth) = (from, 0_usize);
    loop {
        match bytes.get(at)? {
            b'"' => at = string(bytes, at)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            // The end of a number or a word.
            b',' | b'}' | b']' if depth == 0 => return Some(at),
            _ => {
                at += 1;
                continue;
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Behind the white space that begins here.
pub(crate) fn space(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count()
}

/// Whether these are the bytes of the member's value that begins here, and of all of it.
pub(crate) fn is_whole_value(bytes: &[u8], from: usize, value: &str) -> bool {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.starts_with(value.as_bytes())
        && matches!(
            bytes.get(space(bytes, from + value.len())),
            Some(b',' | b'}')
        )
}

/// The text with `null` in place of these values, which do not overlap and come in order.
pub(crate) fn blanked(bytes: &[u8], values: &[Range<usize>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for value in values {
        out.extend_from_slice(bytes.get(from..value.start).unwrap_or_default());
        out.extend_from_slice(b"null");
        from = value.end;
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
    out
}

/// Behind the string that begins here.
fn string(bytes: &[u8], from: usize) -> Option<usize> {
    (bytes.get(from) == Some(&b'"')).then_some(())?;
    let mut at = from + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn found(text: &str, name: &str) -> Option<Value> {
        let bytes = text.as_bytes();
        let at = member(bytes, 0, name)?;
        let value = &text[at..end(bytes, at)?];
        assert!(is_whole_value(bytes, at, value), "{text}");
        Some(serde_json::from_str(value).unwrap())
    }

    #[test]
    fn a_member_is_found_whatever_stands_before_it() {
        let text =
            " {\"a\":\"{\\\"spec\\\":\", \"b\":[{\"spec\":1}] ,\n\"spec\" : {\"x\":-1.5e3} } ";
        assert_eq!(found(text, "spec"), Some(json!({"x": -1500.0})));
        assert_eq!(found(text, "b"), Some(json!([{"spec": 1}])));
        assert_eq!(found(text, "x"), None);
        for text in ["", "{", "{}", "[]", "{\"spec\"", "{\"spec\":", "\"spec\""] {
            let at = member(text.as_bytes(), 0, "spec");
            assert_eq!(at.and_then(|at| end(text.as_bytes(), at)), None, "{text}");
        }
    }

    #[test]
    fn a_beginning_of_a_value_is_not_the_value() {
        let text = br#"{"a":12,"b":"x" }"#;
        assert!(is_whole_value(text, 5, "12"));
        assert!(!is_whole_value(text, 5, "1"));
        assert!(is_whole_value(text, 12, "\"x\""));
        assert!(!is_whole_value(text, 99, ""));
    }

    #[test]
    fn blanks_leave_the_rest_as_it_is() {
        let text = br#"{"a":{"b":[1,2],"c":3},"d":{}}"#;
        assert_eq!(
            blanked(text, &[10..15, 27..29]),
            br#"{"a":{"b":null,"c":3},"d":null}"#
        );
        assert_eq!(blanked(text, &[]), text);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[{}\\[\\]\",:\\\\a ]{0,30}", at in 0_usize..40) {
            let bytes = text.as_bytes();
            let _ = (member(bytes, at, "a"), end(bytes, at), is_whole_value(bytes, at, "a"));
        }
    }
}

//! What an unquoted word of YAML is (YAML 1.2, core schema).

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Number, Value};

static FLOAT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
        .expect("the pattern is a constant that compiles")
});

/// The value of a plain scalar. What JSON cannot say (`.inf`, `.nan`) and numbers with leading zeros, which one parser
/// reads as octal and another as decimal, stay text.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    integer(text)
        .or_else(|| float(text))
        .map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

fn integer(text: &str) -> Option<Number> {
    let radix = |prefix: &str, radix| {
        let digits = text.strip_prefix(prefix)?;
        (!digits.starts_with(['+', '-'])).then(|| u64::from_str_radix(digits, radix).ok())?
    };
    if let Some(number) = radix("0x", 16).or_else(|| radix("0o", 8)) {
        return Some(number.into());
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    if leading_zero || digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    match unsigned.parse::<u64>() {
        Ok(number) => Some(number.into()),
        Err(_) => unsigned.parse::<i64>().ok().map(Number::from),
    }
}

fn float(text: &str) -> Option<Number> {
    let digits = text.trim_start_matches(['+', '-']);
    let leading_zeros =
        digits.starts_with('0') && digits[1..].starts_with(|c: char| c.is_ascii_digit());
    if leading_zeros || !FLOAT.is_match(text) {
        return None;
    }
    text.parse().ok().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unquoted_words_are_read_as_yaml_says() {
        for (text, value) in [
            ("", json!(null)),
            ("~", json!(null)),
            ("true", json!(true)),
            ("yes", json!("yes")),
            ("12", json!(12)),
            ("-3", json!(-3)),
            ("+3", json!(3)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("007", json!("007")),
            ("1.5", json!(1.5)),
            ("1e3", json!(1000.0)),
            (".inf", json!(".inf")),
            ("1.2.3", json!("1.2.3")),
            ("-", json!("-")),
            (
                "18446744073709551615",
                json!(18_446_744_073_709_551_615_u64),
            ),
            ("${{a.B}}", json!("${{a.B}}")),
        ] {
            assert_eq!(plain(text), value, "{text}");
        }
    }
}

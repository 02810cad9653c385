//! Label and field selectors.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::Status;
use crate::kinds::{Kind, Selectable};
use crate::kubernetes::request::Query;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, BTreeSet<String>),
    NotIn(String, BTreeSet<String>),
    Exists(String),
    Absent(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FieldRequirement {
    field: Selectable,
    value: String,
    is_equal: bool,
}

/// Which objects of a collection are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<FieldRequirement>,
}

impl Selector {
    /// Reads `labelSelector` and `fieldSelector`.
    ///
    /// # Errors
    /// 400 for what cannot be parsed, and for fields that the kind does not offer.
    pub fn of(query: &Query, kind: &Kind) -> Result<Self, Status> {
        let labels = query
            .get("labelSelector")
            .map_or(Ok(Vec::new()), parse_labels)?;
        let fields = query
            .get("fieldSelector")
            .map_or(Ok(Vec::new()), |text| parse_fields(text, kind))?;
        Ok(Self { labels, fields })
    }

    /// Whether it selects everything.
    pub fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether it selects this object, given in its stored form.
    pub fn matches(&self, object: &Value) -> bool {
        let label = |name: &str| {
            object["metadata"]["labels"]
                .get(name)
                .and_then(Value::as_str)
        };
        self.labels.iter().all(|requirement| match requirement {
            Requirement::In(name, values) => {
                label(name).is_some_and(|value| values.contains(value))
            }
            Requirement::NotIn(name, values) => {
                label(name).is_none_or(|value| !values.contains(value))
            }
            Requirement::Exists(name) => label(name).is_some(),
            Requirement::Absent(name) => label(name).is_none(),
        }) && self.fields.iter().all(|requirement| {
            let found = requirement.field.pointers.iter().find_map(|pointer| {
                match object.pointer(pointer)? {
                    Value::String(text) if text.is_empty() => None,
                    Value::String(text) => Some(text.clone()),
                    Value::Null => None,
                    other => Some(other.to_string()),
                }
            });
            (found.unwrap_or_default() == requirement.value) == requirement.is_equal
        })
    }
}

/// The value that a field selector pins this field to, if it does: nothing else is selected then.
pub(crate) fn pinned<'q>(query: &'q Query, label: &str) -> Option<&'q str> {
    let clauses = clauses(query.get("fieldSelector")?);
    clauses.into_iter().find_map(|clause| {
        let (field, value) = clause.split_once('=')?;
        let value = value.strip_prefix('=').unwrap_or(value).trim();
        (field.trim() == label && !value.is_empty()).then_some(value)
    })
}

/// Splits at the commas that are not inside parentheses.
fn clauses(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut out) = (0_usize, 0, Vec::new());
    for (index, char) in text.char_indices() {
        match char {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                out.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    out.push(&text[start..]);
    out.into_iter()
        .map(str::trim)
        .filter(|clause| !clause.is_empty())
        .collect()
}

fn parse_labels(text: &str) -> Result<Vec<Requirement>, Status> {
    clauses(text)
        .into_iter()
        .map(|clause| {
            parse_label(clause).ok_or_else(|| {
                Status::bad_request(format!(
                    "unable to parse requirement: {clause:?} in {text:?}"
                ))
            })
        })
        .collect()
}

fn parse_label(clause: &str) -> Option<Requirement> {
    let one = |value: &str| is_label_value(value).then(|| BTreeSet::from([value.to_owned()]));
    if let Some((name, rest)) = clause.split_once(char::is_whitespace)
        && let Some((operator, values)) = set_clause(rest)
    {
        let values: BTreeSet<String> = values
            .split(',')
            .map(|value| value.trim().to_owned())
            .collect();
        let name = label_name(name)?;
        if !values.iter().all(|value| is_label_value(value)) {
            return None;
        }
        return Some(if operator == "in" {
            Requirement::In(name, values)
        } else {
            Requirement::NotIn(name, values)
        });
    }
    if let Some(name) = clause.strip_prefix('!') {
        return Some(Requirement::Absent(label_name(name)?));
    }
    if let Some((name, value)) = clause.split_once("!=") {
        return Some(Requirement::NotIn(label_name(name)?, one(value.trim())?));
    }
    if let Some((name, value)) = clause.split_once('=') {
        let value = value.strip_prefix('=').unwrap_or(value).trim();
        return Some(Requirement::In(label_name(name)?, one(value)?));
    }
    Some(Requirement::Exists(label_name(clause)?))
}

/// `in (a,b)` into its operator and what stands between the parentheses.
fn set_clause(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let (operator, rest) = text.split_once('(')?;
    let operator = operator.trim();
    let values = rest.strip_suffix(')')?;
    matches!(operator, "in" | "notin").then_some((operator, values))
}

fn label_name(text: &str) -> Option<String> {
    let text = text.trim();
    is_label_name(text).then(|| text.to_owned())
}

/// `[prefix/]name`, the name of at most 63 characters (Kubernetes docs: "Labels and Selectors").
pub(super) fn is_label_name(text: &str) -> bool {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    let is_prefix = |prefix: &str| {
        (1..=253).contains(&prefix.len())
            && prefix.chars().all(|char| {
                char.is_ascii_lowercase() || char.is_ascii_digit() || "-.".contains(char)
            })
    };
    !name.is_empty() && is_label_value(name) && prefix.is_none_or(is_prefix)
}

/// Empty, or at most 63 characters that begin and end with a letter or digit.
pub(super) fn is_label_value(text: &str) -> bool {
    let is_edge = |char: Option<char>| char.is_none_or(|char| char.is_ascii_alphanumeric());
    text.len() <= 63
        && text
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "-_.".contains(char))
        && is_edge(text.chars().next())
        && is_edge(text.chars().next_back())
}

fn parse_fields(text: &str, kind: &Kind) -> Result<Vec<FieldRequirement>, Status> {
    clauses(text)
        .into_iter()
        .map(|clause| {
            let (label, is_equal, value) = if let Some((label, value)) = clause.split_once("!=") {
                (label, false, value)
            } else if let Some((label, value)) = clause.split_once('=') {
                (label, true, value.strip_prefix('=').unwrap_or(value))
            } else {
                return Err(Status::bad_request(format!(
                    "invalid selector: {text:?}; can't understand {clause:?}"
                )));
            };
            let label = label.trim();
            let field = match label {
                "metadata.name" | "metadata.namespace" => Selectable::field(label),
                _ => kind
                    .selectable
                    .iter()
                    .find(|field| field.label == label)
                    .cloned()
                    .ok_or_else(|| {
                        Status::bad_request(format!("field label not supported: {label}"))
                    })?,
            };
            Ok(FieldRequirement {
                field,
                value: value.trim().to_owned(),
                is_equal,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn selects(selector: &str, labels: Value) -> Option<bool> {
        let selector = Selector {
            labels: parse_labels(selector).ok()?,
            fields: Vec::new(),
        };
        Some(selector.matches(&json!({"metadata": {"labels": labels}})))
    }

    #[test]
    fn a_field_is_pinned_by_equality_alone() {
        for (selector, expected) in [
            ("metadata.name=web", Some("web")),
            ("metadata.name==web,type=x", Some("web")),
            ("type=x, metadata.name = web", Some("web")),
            ("metadata.name!=web", None),
            ("metadata.name=", None),
            ("metadata.namespace=web", None),
            ("", None),
        ] {
            let query: String = url::form_urlencoded::byte_serialize(selector.as_bytes()).collect();
            let query = Query::parse(Some(&format!("fieldSelector={query}")));
            assert_eq!(pinned(&query, "metadata.name"), expected, "{selector}");
        }
    }

    #[test]
    fn label_selectors_select_as_kubernetes_does() {
        let labels = json!({"app": "web", "tier": "front", "empty": ""});
        for (selector, expected) in [
            ("app=web", Some(true)),
            ("app==web", Some(true)),
            ("app = web", Some(true)),
            ("app=api", Some(false)),
            ("app!=api", Some(true)),
            ("gone!=x", Some(true)),
            ("app", Some(true)),
            ("!app", Some(false)),
            ("!gone", Some(true)),
            ("gone", Some(false)),
            ("app in (web,api)", Some(true)),
            ("app in (web, api),tier=front", Some(true)),
            ("app in(web)", Some(true)),
            ("app notin (web)", Some(false)),
            ("gone notin (web)", Some(true)),
            ("empty=", Some(true)),
            ("app in (web),tier!=front", Some(false)),
            ("mirage.dev/owner=x", Some(false)),
            ("", Some(true)),
            (",", Some(true)),
            ("app=we b", None),
            ("app>1", None),
            ("app in (web", None),
            ("-a=b", None),
            ("/a=b", None),
        ] {
            assert_eq!(selects(selector, labels.clone()), expected, "{selector:?}");
        }
    }

    #[test]
    fn field_selectors_ask_only_for_fields_that_the_kind_offers() {
        let mut kind = Kind::new("g", "v1", "Thing", "things", json!({}));
        kind.selectable = vec![Selectable::field("status.railway.environmentId")];
        let object =
            json!({"metadata": {"name": "a"}, "status": {"railway": {"environmentId": "e-1"}}});
        let selects = |text: &str| {
            let selector = Selector {
                labels: Vec::new(),
                fields: parse_fields(text, &kind).ok()?,
            };
            Some(selector.matches(&object))
        };
        for (text, expected) in [
            (
                "metadata.name=a,status.railway.environmentId==e-1",
                Some(true),
            ),
            ("metadata.name!=a", Some(false)),
            ("metadata.namespace=", Some(true)),
            ("spec.x=1", None),
            ("nonsense", None),
        ] {
            assert_eq!(selects(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_selector_panics(text in ".{0,40}") {
            let _ = parse_labels(&text);
        }

        #[test]
        fn a_requirement_and_its_negation_never_agree(value in "[a-c]", held in prop::option::of("[a-c]")) {
            let labels = held.map_or(json!({}), |held| json!({"k": held}));
            let yes = selects(&format!("k in ({value},z)"), labels.clone());
            let no = selects(&format!("k notin ({value},z)"), labels);
            prop_assert_ne!(yes, no);
        }
    }
}

//! The object that both are given: an Environment of about 2 KB, as people write them.

use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// Marks an event, so that a watch can tell which put it belongs to without reading the object.
pub(super) const MARK: &str = "bench-mark-";

/// Stand where the mark, the name and the version go; in this order.
const PLACES: [&str; 3] = ["%mark%", "%name%", ",\"resourceVersion\":\"%version%\""];

/// An Environment's text, with places in it: whoever measures a server does not want to measure how texts are made.
static TEXT: LazyLock<String> = LazyLock::new(|| {
    let services: serde_json::Map<String, Value> = ["api", "worker", "web", "cron"]
        .into_iter()
        .map(|service| (service.to_owned(), self::service(service)))
        .collect();
    json!({
        "apiVersion": "mirage.dev/v1alpha1",
        "kind": "Environment",
        "metadata": {
            "annotations": {"bench": format!("{MARK}%mark%"), "example.com/owner": "checkout@example.com"},
            "labels": {"team": "checkout", "app": "shop", "stage": "preview"},
            "name": "%name%",
            "namespace": "default",
            "resourceVersion": "%version%",
        },
        "spec": {"type": "staging", "project": {"name": "shop"}, "services": services},
    })
    .to_string()
});

/// An Environment's text. `version` is the one that it replaces; none for a first one.
pub(super) fn environment(name: &str, mark: u64, version: Option<&str>) -> String {
    let values = [
        format!("{mark:012}"),
        name.to_owned(),
        version.map_or_else(String::new, |it| format!(",\"resourceVersion\":\"{it}\"")),
    ];
    let mut text = String::with_capacity(TEXT.len() + 64);
    let mut rest = TEXT.as_str();
    for (place, value) in PLACES.iter().zip(values) {
        if let Some((before, behind)) = rest.split_once(place) {
            text.push_str(before);
            text.push_str(&value);
            rest = behind;
        }
    }
    text.push_str(rest);
    text
}

fn service(name: &str) -> Value {
    let variables: serde_json::Map<String, Value> = (0..6)
        .map(|index| {
            let value = format!("a-value-of-ordinary-length-{index}");
            (
                format!("{}_SETTING_{index}", name.to_uppercase()),
                json!(value),
            )
        })
        .collect();
    json!({
        "source": {"image": format!("registry.example.com/shop/{name}:2026-11-21")},
        "variables": variables,
    })
}

/// The number behind the first mark in these bytes.
pub(super) fn mark(bytes: &[u8]) -> Option<u64> {
    let at = bytes
        .windows(MARK.len())
        .position(|window| window == MARK.as_bytes())?;
    let digits = bytes.get(at + MARK.len()..at + MARK.len() + 12)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The text behind the first of these words, up to a quote.
pub(super) fn quoted<'t>(text: &'t [u8], behind: &str) -> Result<&'t str> {
    let at = text
        .windows(behind.len())
        .position(|window| window == behind.as_bytes())
        .with_context(|| format!("no {behind}"))?;
    let rest = text.get(at + behind.len()..).unwrap_or_default();
    let end = rest.iter().position(|byte| *byte == b'"');
    Ok(std::str::from_utf8(&rest[..end.context("no end")?])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_are_filled() {
        let object: Value = serde_json::from_str(&environment("shop", 7, Some("42"))).unwrap();
        assert_eq!(object["metadata"]["name"], "shop");
        assert_eq!(object["metadata"]["resourceVersion"], "42");
        let first = environment("shop", 7, None);
        assert_eq!(mark(first.as_bytes()), Some(7));
        assert!(
            !first.contains('%') && !first.contains("resourceVersion"),
            "{first}"
        );
    }
}

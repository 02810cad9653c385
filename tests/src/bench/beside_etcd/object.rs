//! The object that both are given: an Environment of about 2 KB, as people write them.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// Marks an event, so that a watch can tell which put it belongs to without reading the object.
pub(super) const MARK: &str = "bench-mark-";

/// The text that stands where the version goes.
const VERSION: &str = "VERSION";

/// An Environment's text. `version` is the one that it replaces; none for a first one.
pub(super) fn environment(name: &str, mark: u64, version: Option<&str>) -> String {
    let services: serde_json::Map<String, Value> = ["api", "worker", "web", "cron"]
        .into_iter()
        .map(|service| (service.to_owned(), self::service(service)))
        .collect();
    let mut object = json!({
        "apiVersion": "mirage.dev/v1alpha1",
        "kind": "Environment",
        "metadata": {
            "name": name,
            "namespace": "default",
            "labels": {"team": "checkout", "app": "shop", "stage": "preview"},
            "annotations": {"bench": format!("{MARK}{mark:012}"), "example.com/owner": "checkout@example.com"},
        },
        "spec": {"type": "staging", "project": {"name": "shop"}, "services": services},
    });
    if version.is_some() {
        object["metadata"]["resourceVersion"] = json!(VERSION);
    }
    let text = object.to_string();
    match version {
        Some(version) => text.replacen(VERSION, version, 1),
        None => text,
    }
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

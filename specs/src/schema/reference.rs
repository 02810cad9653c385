//! The reference of all fields, for the book.

use std::fmt::Write;

use serde_json::Value;

use crate::validate::{KINDS, schemas};

/// Every field of every kind as Markdown tables, from the same schemas that the CRDs carry.
pub fn reference_markdown() -> String {
    let mut page =
        String::from("<!-- Written by `make docs` from the types. -->\n# Fields of every kind\n");
    for kind in KINDS {
        let spec = match kind {
            "Environment" => schemas::environment_spec(),
            "EnvironmentTemplate" => schemas::template_spec(),
            "PreviewPolicy" => schemas::preview_policy_spec(),
            "GitSync" => schemas::git_sync_spec(),
            "RailwayAccount" => schemas::account_spec(),
            "SecretStore" => schemas::secret_store_spec(),
            _ => schemas::orphan_spec(),
        };
        section(&mut page, kind, spec);
    }
    page
}

fn section(page: &mut String, kind: &str, spec: &Value) {
    let about = text(&spec["description"]);
    let mut rows = Vec::new();
    collect(spec, "spec", &mut rows);
    // Writing to a string cannot fail.
    let _ = writeln!(
        page,
        "\n## {kind}\n\n{about}\n\n| field | type | meaning |\n|---|---|---|"
    );
    for [path, kind, meaning] in rows {
        let _ = writeln!(page, "| `{path}` | {kind} | {meaning} |");
    }
}

/// One row a field, parents before children.
fn collect(schema: &Value, path: &str, rows: &mut Vec<[String; 3]>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let at = format!("{path}.{name}");
        rows.push([at.clone(), kind_of(field), text(&field["description"])]);
        descend(field, &at, rows);
    }
}

fn descend(field: &Value, at: &str, rows: &mut Vec<[String; 3]>) {
    collect(field, at, rows);
    if field["items"].is_object() {
        descend(&field["items"], &format!("{at}[]"), rows);
    }
    if field["additionalProperties"].is_object() {
        descend(
            &field["additionalProperties"],
            &format!("{at}.<name>"),
            rows,
        );
    }
}

fn kind_of(field: &Value) -> String {
    if let Some(values) = field["enum"].as_array() {
        let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        return format!("`{}`", values.join("`, `"));
    }
    match field["type"].as_str() {
        Some("array") => format!("list of {}", kind_of(&field["items"])),
        Some("object") if field["additionalProperties"].is_object() => "map by name".to_owned(),
        Some("object") => "map".to_owned(),
        Some("integer") => "whole number".to_owned(),
        Some("boolean") => "true or false".to_owned(),
        Some("string") if field["format"] == "date-time" => "time".to_owned(),
        Some(other) => other.to_owned(),
        None => "any".to_owned(),
    }
}

/// A description as the cell of a table.
fn text(description: &Value) -> String {
    description
        .as_str()
        .unwrap_or_default()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_row_with_a_meaning() {
        let page = reference_markdown();
        for row in [
            "| `spec.services.<name>.deploy.replicas` | whole number | ",
            "| `spec.services.<name>.domains[].name` | string | ",
            "| `spec.type` | `dev`, `staging`, `prod`, `ephemeral` | ",
            "| `spec.parameters.<name>.pattern` | string | ",
        ] {
            assert!(page.contains(row), "{row}");
        }
        let speechless: Vec<&str> = page
            .lines()
            .filter(|line| line.starts_with("| `") && line.ends_with("|  |"))
            .collect();
        assert_eq!(speechless, [""; 0]);
    }
}

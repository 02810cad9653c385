//! The server's own table of objects: it knows the columns of each kind, we only align them.

use std::io::Write;

use kube::Client;
use serde::Deserialize;
use serde_json::Value;

use crate::cli::failure::Failure;

/// What Kubernetes API servers answer to `Accept: …;as=Table`.
const AS_TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/// A server-side table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Table {
    column_definitions: Vec<Column>,
    #[serde(default)]
    pub(crate) rows: Vec<Row>,
}

#[derive(Clone, Debug, Deserialize)]
struct Column {
    name: String,
    /// Above zero only when asked for more.
    #[serde(default)]
    priority: i32,
}

/// One object's line.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Row {
    cells: Vec<Value>,
    #[serde(default)]
    object: Value,
}

/// Asks for the table at a resource's or object's URL.
pub(crate) async fn fetch(client: &Client, url: &str) -> kube::Result<Table> {
    let request = http::Request::get(url)
        .header(http::header::ACCEPT, AS_TABLE)
        .body(Vec::new())
        .map_err(kube::Error::HttpError)?;
    client.request(request).await
}

impl Table {
    /// Adds the rows of another table of the same kind.
    pub(crate) fn append(&mut self, other: Table) {
        if self.column_definitions.is_empty() {
            self.column_definitions = other.column_definitions;
        }
        self.rows.extend(other.rows);
    }

    /// Writes columns as wide as their widest cell, with three blanks between, upper-case heads first.
    pub(crate) fn write(
        &self,
        out: &mut dyn Write,
        wide: bool,
        with_namespace: bool,
    ) -> Result<(), Failure> {
        let shown: Vec<usize> = (0..self.column_definitions.len())
            .filter(|index| wide || self.column_definitions[*index].priority == 0)
            .collect();
        let mut lines: Vec<Vec<String>> = Vec::with_capacity(self.rows.len() + 1);
        let mut head: Vec<String> = shown
            .iter()
            .map(|index| self.column_definitions[*index].name.to_uppercase())
            .collect();
        if with_namespace {
            head.insert(0, "NAMESPACE".to_owned());
        }
        lines.push(head);
        for row in &self.rows {
            let mut line: Vec<String> = shown
                .iter()
                .map(|index| row.cells.get(*index).map(cell).unwrap_or_default())
                .collect();
            if with_namespace {
                let namespace = row.object["metadata"]["namespace"].as_str();
                line.insert(0, namespace.unwrap_or_default().to_owned());
            }
            lines.push(line);
        }
        align(out, &lines)
    }
}

/// Writes lines of cells with every column as wide as its widest cell.
pub(crate) fn align(out: &mut dyn Write, lines: &[Vec<String>]) -> Result<(), Failure> {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            lines
                .iter()
                .filter_map(|line| line.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or_default()
        })
        .collect();
    for line in lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            text.push_str(&format!("{cell:<width$}   "));
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "<none>".to_owned(),
        Value::String(text) if text.is_empty() => "<none>".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        serde_json::from_value(serde_json::json!({
            "columnDefinitions": [
                {"name": "Name", "type": "string", "priority": 0},
                {"name": "Services", "type": "string"},
                {"name": "Project", "type": "string", "priority": 1},
            ],
            "rows": [
                {"cells": ["a-long-name", "3/4", "shop"], "object": {"metadata": {"namespace": "default"}}},
                {"cells": ["b", null, ""], "object": {"metadata": {"namespace": "team"}}},
            ],
        }))
        .unwrap()
    }

    fn written(wide: bool, with_namespace: bool) -> String {
        let mut out = Vec::new();
        table().write(&mut out, wide, with_namespace).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_align_and_the_less_important_show_only_when_wide() {
        insta::assert_snapshot!(written(false, false), @r"
        NAME          SERVICES
        a-long-name   3/4
        b             <none>
        ");
        insta::assert_snapshot!(written(true, true), @r"
        NAMESPACE   NAME          SERVICES   PROJECT
        default     a-long-name   3/4        shop
        team        b             <none>     <none>
        ");
    }
}

//! Objects as people and programs want to read them.

use std::io::{self, Write};

use clap::ValueEnum;
use kube::api::DynamicObject;
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::{failure::Failure, kind::Kind};

/// `-o`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The whole object as JSON.
    Json,
    /// The whole object as YAML.
    Yaml,
    /// The table with more columns.
    Wide,
    /// One `kind/name` a line.
    Name,
}

/// `-o` of commands whose answer has no name and no columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Document {
    /// As JSON.
    Json,
    /// As YAML.
    Yaml,
}

/// Writes any value whole.
pub(crate) fn document(
    out: &mut dyn Write,
    format: Document,
    value: &impl Serialize,
) -> Result<(), Failure> {
    let text = match format {
        Document::Json => serde_json::to_string_pretty(value)
            .map(|text| text + "\n")
            .map_err(Failure::Answer)?,
        Document::Yaml => serde_yaml::to_string(value).map_err(io::Error::other)?,
    };
    Ok(out.write_all(text.as_bytes())?)
}

/// One object alone, several as a `List`, the way kubectl does.
pub(crate) fn objects(
    out: &mut dyn Write,
    format: Document,
    objects: &[DynamicObject],
    asked_for_one: bool,
) -> Result<(), Failure> {
    let mut values: Vec<Value> = objects
        .iter()
        .map(readable)
        .collect::<Result<_, _>>()
        .map_err(Failure::Answer)?;
    match values.pop() {
        Some(only) if asked_for_one && values.is_empty() => document(out, format, &only),
        last => {
            values.extend(last);
            let list = json!({"apiVersion": "v1", "kind": "List", "items": values});
            document(out, format, &list)
        }
    }
}

/// `kind/name` lines.
pub(crate) fn name(out: &mut dyn Write, kind: &Kind, name: &str) -> Result<(), Failure> {
    Ok(writeln!(out, "{}", kind.name_of(name))?)
}

/// Without the record of who owns which field, which nobody reads and which is longer than the object.
fn readable(object: &DynamicObject) -> serde_json::Result<Value> {
    let mut object = object.clone();
    object.metadata.managed_fields = None;
    serde_json::to_value(object)
}

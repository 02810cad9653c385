//! What the live schema lacks of what our operations use.

use serde_json::Value;

use crate::{client::Client, error::Error, operations::by_alias};

const OURS: &str = include_str!("../../schema.graphql");

/// An object or input type of our schema, with fields and their arguments.
#[derive(Debug, PartialEq, Eq)]
struct UsedType<'a> {
    name: &'a str,
    fields: Vec<(&'a str, Vec<&'a str>)>,
}

/// Names such as `Query.apiToken` or `Mutation.serviceDelete(environmentId)`.
pub(super) async fn missing(client: &Client) -> Result<Vec<String>, Error> {
    let used = used_types(OURS);
    let document = by_alias::described_types(used.iter().map(|used| used.name));
    let body = client
        .call_by_alias(
            by_alias::DESCRIBED_TYPES,
            &document,
            Value::Object(serde_json::Map::new()),
        )
        .await?;
    let data = body.data.unwrap_or(Value::Null);
    Ok(used
        .iter()
        .enumerate()
        .flat_map(|(index, used)| missing_of(used, &data[format!("t{index}")]))
        .collect())
}

fn missing_of(used: &UsedType<'_>, live: &Value) -> Vec<String> {
    if live.is_null() {
        return vec![used.name.to_owned()];
    }
    let live_fields: Vec<&Value> = ["fields", "inputFields"]
        .iter()
        .filter_map(|list| live[*list].as_array())
        .flatten()
        .collect();
    let mut missing = Vec::new();
    for (field, arguments) in &used.fields {
        let Some(live) = live_fields.iter().find(|live| live["name"] == *field) else {
            missing.push(format!("{}.{field}", used.name));
            continue;
        };
        let known: Vec<&Value> = live["args"].as_array().into_iter().flatten().collect();
        for argument in arguments {
            if !known.iter().any(|live| live["name"] == *argument) {
                missing.push(format!("{}.{field}({argument})", used.name));
            }
        }
    }
    missing
}

/// Reads the one layout that `schema.graphql` has: a field with all its arguments on one line.
fn used_types(schema: &str) -> Vec<UsedType<'_>> {
    let mut types: Vec<UsedType<'_>> = Vec::new();
    let mut is_inside = false;
    for line in schema.lines() {
        if let Some(name) = line
            .strip_prefix("type ")
            .or_else(|| line.strip_prefix("input "))
            .and_then(|rest| rest.strip_suffix(" {"))
        {
            types.push(UsedType {
                name,
                fields: Vec::new(),
            });
            is_inside = true;
        } else if line == "}" {
            is_inside = false;
        } else if let (true, Some(used)) = (is_inside, types.last_mut()) {
            used.fields.extend(field(line.trim()));
        }
    }
    types
}

fn field(line: &str) -> Option<(&str, Vec<&str>)> {
    if let Some((name, rest)) = line.split_once('(') {
        let (arguments, _) = rest.split_once(')')?;
        let names = arguments
            .split(", ")
            .filter_map(|argument| argument.split_once(':').map(|(name, _)| name))
            .collect();
        return Some((name, names));
    }
    line.split_once(':').map(|(name, _)| (name, Vec::new()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn our_schema_is_read_whole() {
        let types = used_types(OURS);
        let query = types.iter().find(|used| used.name == "Query").unwrap();
        assert!(
            query
                .fields
                .contains(&("environment", vec!["id", "projectId"]))
        );
        assert!(types.iter().any(|used| used.name == "ServiceCreateInput"));
        assert!(types.iter().all(|used| !used.fields.is_empty()));
    }

    #[test]
    fn what_the_live_schema_lacks_is_named() {
        let used = UsedType {
            name: "Query",
            fields: vec![("a", vec!["id", "new"]), ("b", vec![]), ("c", vec![])],
        };
        let live = json!({ "fields": [
            { "name": "a", "args": [{ "name": "id" }] },
            { "name": "c", "args": [] },
        ], "inputFields": null });
        assert_eq!(missing_of(&used, &live), ["Query.a(new)", "Query.b"]);
        assert_eq!(missing_of(&used, &Value::Null), ["Query"]);
    }
}

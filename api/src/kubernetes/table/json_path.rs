//! The JSONPath of printer columns: fields, positions and `[?(@.type=="Ready")]`.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    Position(usize),
    /// The first item whose field has this value.
    Where {
        path: Vec<String>,
        value: String,
    },
}

/// A parsed path. One that cannot be parsed finds nothing, as an empty cell says less than a wrong one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct JsonPath(Option<Vec<Step>>);

impl JsonPath {
    pub(super) fn parse(text: &str) -> Self {
        Self(steps(text))
    }

    pub(super) fn find<'v>(&self, object: &'v Value) -> Option<&'v Value> {
        let mut value = object;
        for step in self.0.as_ref()? {
            value = match step {
                Step::Field(name) => value.get(name)?,
                Step::Position(index) => value.get(index)?,
                Step::Where {
                    path,
                    value: wanted,
                } => value.as_array()?.iter().find(|item| {
                    let found = path.iter().try_fold(*item, |value, name| value.get(name));
                    found.and_then(Value::as_str) == Some(wanted)
                })?,
            };
        }
        Some(value).filter(|value| !value.is_null())
    }
}

fn steps(text: &str) -> Option<Vec<Step>> {
    let mut rest = text.trim();
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[?(@.") {
            let (condition, after) = after.split_once(")]")?;
            let (path, value) = condition.split_once("==")?;
            let value = value.trim().trim_matches(['"', '\'']).to_owned();
            steps.push(Step::Where {
                path: path.trim().split('.').map(str::to_owned).collect(),
                value,
            });
            rest = after;
        } else if let Some(after) = rest.strip_prefix("['") {
            let (name, after) = after.split_once("']")?;
            steps.push(Step::Field(name.to_owned()));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let (index, after) = after.split_once(']')?;
            steps.push(Step::Position(index.parse().ok()?));
            rest = after;
        } else {
            let field = rest.strip_prefix('.').unwrap_or(rest);
            let end = field.find(['.', '[']).unwrap_or(field.len());
            let (name, after) = field.split_at(end);
            if name.is_empty() {
                return None;
            }
            steps.push(Step::Field(name.to_owned()));
            rest = after;
        }
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_find_what_they_name() {
        let object = json!({"a": {"b.c": [10, 20]}, "conditions": [{"type": "Synced", "status": "No"},
            {"type": "Ready", "status": "True"}], "nothing": null});
        for (path, expected) in [
            (".a['b.c'][1]", json!(20)),
            (".conditions[?(@.type==\"Ready\")].status", json!("True")),
            (".conditions[?(@.type=='Gone')].status", json!(null)),
            (".nothing", json!(null)),
            (".a..b", json!(null)),
            (".a[x]", json!(null)),
        ] {
            assert_eq!(
                JsonPath::parse(path)
                    .find(&object)
                    .cloned()
                    .unwrap_or_default(),
                expected,
                "{path}"
            );
        }
    }
}

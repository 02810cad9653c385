//! Tables: what `kubectl get` prints. The server computes every cell, ages included, and the client only lays them out.

mod json_path;

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use self::json_path::JsonPath;
use super::negotiate::IncludeObject;

/// A column behind the name.
#[derive(Clone)]
pub struct Column {
    name: String,
    column_type: String,
    description: String,
    priority: i32,
    is_name: bool,
    cell: Cell,
}

/// Computes a cell from the object and the time.
type Compute = fn(&Value, Timestamp) -> Value;

#[derive(Clone)]
enum Cell {
    Path(Arc<JsonPath>),
    Age(Arc<JsonPath>),
    Computed(Compute),
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Column({})", self.name)
    }
}

impl Column {
    /// What stands at a JSONPath. The type `date` shows the time since.
    pub fn path(name: &str, column_type: &str, path: &str) -> Self {
        let path = Arc::new(JsonPath::parse(path));
        let cell = if column_type == "date" {
            Cell::Age(path)
        } else {
            Cell::Path(path)
        };
        Self::new(name, column_type, cell)
    }

    /// The object's name. Kinds that do not say where it goes have it first.
    pub fn name() -> Self {
        let mut column = Self::path("Name", "string", ".metadata.name").described("Its name.");
        column.is_name = true;
        column
    }

    /// What a function makes of the object.
    pub fn computed(name: &str, column_type: &str, compute: Compute) -> Self {
        Self::new(name, column_type, Cell::Computed(compute))
    }

    fn new(name: &str, column_type: &str, cell: Cell) -> Self {
        Self {
            name: name.to_owned(),
            column_type: column_type.to_owned(),
            description: String::new(),
            priority: 0,
            is_name: false,
            cell,
        }
    }

    /// What the column means.
    #[must_use]
    pub fn described(mut self, description: &str) -> Self {
        self.description = description.to_owned();
        self
    }

    /// Above 0 the column shows with `-o wide` only.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    fn definition(&self) -> Value {
        let format = if self.is_name { "name" } else { "" };
        json!({"name": self.name, "type": self.column_type, "format": format,
            "description": self.description, "priority": self.priority})
    }

    fn cell(&self, object: &Value, now: Timestamp) -> Value {
        match &self.cell {
            Cell::Computed(compute) => compute(object, now),
            Cell::Path(path) => match path.find(object) {
                Some(Value::Object(_) | Value::Array(_)) | None => path
                    .find(object)
                    .map_or(Value::Null, |value| json!(value.to_string())),
                Some(value) => value.clone(),
            },
            Cell::Age(path) => path
                .find(object)
                .and_then(Value::as_str)
                .and_then(|text| text.parse::<Timestamp>().ok())
                .map_or(Value::Null, |since| {
                    json!(human_duration(now.duration_since(since)))
                }),
        }
    }
}

/// A table of some objects under the metadata of their list.
pub fn table(
    columns: &[Column],
    objects: &[Value],
    metadata: Map<String, Value>,
    include: IncludeObject,
    with_definitions: bool,
    now: Timestamp,
) -> Value {
    let name = Column::name();
    let leading = (!columns.iter().any(|column| column.is_name)).then_some(&name);
    let columns = || leading.into_iter().chain(columns);
    let mut definitions = Vec::new();
    if with_definitions {
        definitions.extend(columns().map(Column::definition));
    }
    let rows = objects.iter().map(|object| {
        let cells: Vec<Value> = columns().map(|column| column.cell(object, now)).collect();
        let mut row = json!({"cells": cells});
        match include {
            IncludeObject::None => {}
            IncludeObject::Metadata => row["object"] = partial(object),
            IncludeObject::Object => row["object"] = object.clone(),
        }
        row
    });
    let rows: Vec<Value> = rows.collect();
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        "columnDefinitions": definitions, "rows": rows})
}

/// An object reduced to its metadata.
pub fn partial(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

/// A duration as kubectl shows ages: the less precise the longer it is (`45s`, `3m20s`, `12m`, `5h10m`, `3d`).
pub fn human_duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let (days, years) = (hours / 24, hours / 24 / 365);
    let pair = |large: i64, unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{large}{unit}"),
        small => format!("{large}{unit}{small}{small_unit}"),
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1 | 0 => "0s".to_owned(),
        1..120 => format!("{seconds}s"),
        120..600 => pair(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => pair(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => pair(days, "d", hours % 24, "h"),
        _ if days < 730 => format!("{days}d"),
        _ if years < 8 => pair(years, "y", days % 365, "d"),
        _ => format!("{years}y"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_as_kubectl_writes_them() {
        for (seconds, shown) in [
            (-5, "<invalid>"),
            (0, "0s"),
            (45, "45s"),
            (119, "119s"),
            (120, "2m"),
            (200, "3m20s"),
            (720, "12m"),
            (10_800, "3h"),
            (18_600, "5h10m"),
            (86_400, "24h"),
            (3 * 86_400, "3d"),
            (3 * 86_400 + 7200, "3d2h"),
            (30 * 86_400, "30d"),
            (800 * 86_400, "2y70d"),
            (4000 * 86_400, "10y"),
        ] {
            assert_eq!(
                human_duration(SignedDuration::from_secs(seconds)),
                shown,
                "{seconds}"
            );
        }
    }

    #[test]
    fn a_row_has_a_cell_per_column_and_null_where_there_is_nothing() {
        let columns = [
            Column::path("Ready", "string", ".status.ready"),
            Column::path("Age", "date", ".metadata.creationTimestamp"),
        ];
        let object = json!({"metadata": {"name": "web", "creationTimestamp": "2026-11-21T12:00:00Z"}, "spec": {}});
        let now = "2026-11-21T12:00:45Z".parse().unwrap();
        let table = table(
            &columns,
            &[object],
            Map::new(),
            IncludeObject::Metadata,
            true,
            now,
        );
        assert_eq!(table["rows"][0]["cells"], json!(["web", null, "45s"]));
        assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
        assert_eq!(table["columnDefinitions"][0]["format"], "name");
        assert!(table["rows"][0]["object"].get("spec").is_none());
    }
}

//! Events: stored once, in the shape of core/v1, and shown as `v1` and as `events.k8s.io/v1`.
//!
//! New controllers (kube-rs's Recorder among them) write the second; `kubectl describe` and most tools read the first.
//! The two differ in the names of some fields only (Kubernetes API reference, Event v1 and Event v1 core).

use serde_json::{Map, Value, json};

use super::{Form, Kind, Selectable};
use crate::kubernetes::table::Column;

/// core/v1 against events.k8s.io/v1.
const RENAMED: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

pub(super) fn core_kind() -> Kind {
    with_columns(
        Kind::new("", "v1", "Event", "events", document(|core, _| core)),
        "",
    )
}

pub(super) fn kind() -> Kind {
    let mut kind = with_columns(
        Kind::new(
            "events.k8s.io",
            "v1",
            "Event",
            "events",
            document(|_, new| new),
        ),
        "events.k8s.io/",
    );
    kind.stored_as = Some("events".into());
    kind.form = Some(Form {
        to_stored: |object| with_core_times(renamed(object, "v1", |(core, new)| (new, core))),
        from_stored: |object| {
            let event = renamed(object, "events.k8s.io/v1", |(core, new)| (core, new));
            with_event_time(event)
        },
    });
    kind
}

fn renamed(
    object: Value,
    api_version: &str,
    direction: impl Fn((&'static str, &'static str)) -> (&'static str, &'static str),
) -> Value {
    let Value::Object(fields) = object else {
        return object;
    };
    let mut out = Map::new();
    for (name, value) in fields {
        let target = RENAMED
            .iter()
            .map(|pair| direction(*pair))
            .find(|(from, _)| *from == name);
        match (name.as_str(), target) {
            ("apiVersion", _) => {
                out.insert(name, json!(api_version));
            }
            (_, Some((_, to))) => {
                out.insert(to.to_owned(), value);
            }
            (_, None) => {
                out.insert(name, value);
            }
        }
    }
    Value::Object(out)
}

/// `eventTime` must be there in this shape, but whoever wrote the event as core/v1 may have left it out. A typed client
/// (Python's among them) that meets one event without it gives up the whole list.
fn with_event_time(mut event: Value) -> Value {
    if event["eventTime"].is_null() {
        let first = event["deprecatedFirstTimestamp"]
            .as_str()
            .or_else(|| last_seen(&event))
            .and_then(|text| text.parse::<jiff::Timestamp>().ok());
        if let Some(first) = first {
            event["eventTime"] = json!(format!("{first:.6}"));
        }
    }
    event
}

/// `firstTimestamp` and `lastTimestamp` as the times of the newer shape have them. Its writers must leave the two out
/// (Kubernetes' validation of events.k8s.io/v1), but people type `kubectl get events --sort-by=.lastTimestamp`, for which
/// kubectl shows no event at all when none has the field, and Argo CD shows them as they are.
fn with_core_times(mut event: Value) -> Value {
    let time = |text: &Value| text.as_str()?.parse::<jiff::Timestamp>().ok();
    let Some(first) = time(&event["eventTime"]) else {
        return event;
    };
    let last = time(&event["series"]["lastObservedTime"]).unwrap_or(first);
    event["firstTimestamp"] = json!(format!("{first:.0}"));
    event["lastTimestamp"] = json!(format!("{last:.0}"));
    event
}

fn with_columns(mut kind: Kind, group: &str) -> Kind {
    let is_core = group.is_empty();
    let path = |core: &'static str, new: &'static str| if is_core { core } else { new };
    kind.short_names = vec!["ev".into()];
    kind.columns = vec![
        Column::computed("Last Seen", "string", |object, now| {
            let seen = last_seen(object).and_then(|text| text.parse::<jiff::Timestamp>().ok());
            seen.map_or(Value::Null, |seen| {
                json!(crate::kubernetes::table::human_duration(
                    now.duration_since(seen)
                ))
            })
        })
        .described("Time since it last happened."),
        Column::path("Type", "string", ".type").described("Normal or Warning."),
        Column::path("Reason", "string", ".reason").described("In one word."),
        Column::computed("Object", "string", |object, _| {
            let about = if object["involvedObject"].is_object() {
                &object["involvedObject"]
            } else {
                &object["regarding"]
            };
            let kind = about["kind"].as_str().unwrap_or_default().to_lowercase();
            json!(format!(
                "{kind}/{}",
                about["name"].as_str().unwrap_or_default()
            ))
        })
        .described("What it happened to."),
        Column::path("Message", "string", path(".message", ".note")).described("What happened."),
        Column::name().priority(1),
    ];
    let mut selectable = Vec::new();
    for field in [
        "kind",
        "namespace",
        "name",
        "uid",
        "apiVersion",
        "resourceVersion",
        "fieldPath",
    ] {
        for prefix in ["involvedObject", "regarding"] {
            selectable.push(Selectable {
                label: format!("{prefix}.{field}"),
                pointers: vec![format!("/involvedObject/{field}")],
            });
        }
    }
    selectable.extend(["reason", "type"].map(Selectable::field));
    for label in ["source", "reportingComponent", "reportingController"] {
        let pointers = vec![
            "/reportingComponent".to_owned(),
            "/source/component".to_owned(),
        ];
        selectable.push(Selectable {
            label: label.to_owned(),
            pointers,
        });
    }
    kind.selectable = selectable;
    kind
}

/// When an event last happened, in either shape: the series, else the old field, else the time of the event itself.
pub(crate) fn last_seen(event: &Value) -> Option<&str> {
    let series = event["series"]["lastObservedTime"].as_str();
    let old = event["lastTimestamp"]
        .as_str()
        .or(event["deprecatedLastTimestamp"].as_str());
    series
        .or(old)
        .or(event["eventTime"].as_str())
        .or(event["metadata"]["creationTimestamp"].as_str())
}

fn document(pick: impl Fn(&'static str, &'static str) -> &'static str) -> Value {
    let name = |core: &'static str| {
        let new = RENAMED
            .iter()
            .find(|(from, _)| *from == core)
            .map_or(core, |(_, to)| to);
        pick(core, new).to_owned()
    };
    let text =
        |description: &str| json!({"type": "string", "nullable": true, "description": description});
    let reference = |description: &str| {
        let fields = [
            "apiVersion",
            "kind",
            "namespace",
            "name",
            "uid",
            "resourceVersion",
            "fieldPath",
        ];
        let properties: Map<String, Value> = fields
            .into_iter()
            .map(|field| (field.to_owned(), text("Part of the reference.")))
            .collect();
        json!({"type": "object", "nullable": true, "description": description, "properties": properties})
    };
    let mut properties = Map::new();
    let mut subject = reference("What it happened to.");
    // Typed clients count on it, even where nothing is in it.
    subject["default"] = json!({});
    subject["nullable"] = json!(false);
    properties.insert(name("involvedObject"), subject);
    properties.insert("related".into(), reference("What else took part."));
    properties.insert("reason".into(), text("In one word."));
    properties.insert(name("message"), text("What happened."));
    properties.insert("type".into(), text("Normal or Warning."));
    properties.insert("action".into(), text("What was being done."));
    properties.insert("eventTime".into(), text("When it first happened."));
    properties.insert(name("reportingComponent"), text("Who says so."));
    properties.insert("reportingInstance".into(), text("Which instance of them."));
    properties.insert(name("firstTimestamp"), text("When it first happened."));
    properties.insert(name("lastTimestamp"), text("When it last happened."));
    properties.insert(
        name("count"),
        json!({"type": "integer", "nullable": true, "description": "How often it happened."}),
    );
    properties.insert(
        "series".into(),
        json!({"type": "object", "nullable": true, "description": "Repetitions.", "properties": {
            "count": {"type": "integer", "description": "How often it happened."},
            "lastObservedTime": {"type": "string", "nullable": true, "description": "When it last happened."}}}),
    );
    properties.insert(
        name("source"),
        json!({"type": "object", "nullable": true, "description": "Who says so.", "properties": {
            "component": {"type": "string", "description": "Their name."},
            "host": {"type": "string", "description": "Where they run."}}}),
    );
    json!({"type": "object", "description": "Something that happened to an object.", "properties": properties})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_survives_the_way_through_the_store_in_either_shape() {
        let posted = json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "a"},
            "regarding": {"name": "web"}, "note": "hello", "reason": "Because", "action": "Doing",
            "reportingController": "mirage", "eventTime": "2026-11-21T12:00:00.000000Z", "type": "Normal"});
        let kind = kind();
        let stored = kind.to_stored(posted.clone());
        assert_eq!(stored["apiVersion"], "v1");
        assert_eq!(stored["involvedObject"]["name"], "web");
        assert_eq!(stored["message"], "hello");
        let mut shown = kind.from_stored(stored.clone());
        assert_eq!(kind.to_stored(shown.clone()), stored);
        for field in ["deprecatedFirstTimestamp", "deprecatedLastTimestamp"] {
            let time = shown.as_object_mut().unwrap().remove(field);
            assert_eq!(time, Some(json!("2026-11-21T12:00:00Z")), "{field}");
        }
        assert_eq!(shown, posted);
    }

    #[test]
    fn a_series_moves_the_time_by_which_people_sort() {
        let repeated = json!({"apiVersion": "events.k8s.io/v1", "eventTime": "2026-11-21T12:00:00.000000Z",
            "deprecatedLastTimestamp": "2026-11-21T12:00:00Z",
            "series": {"count": 2, "lastObservedTime": "2026-11-21T12:05:00.250000Z"}});
        let stored = kind().to_stored(repeated);
        assert_eq!(stored["firstTimestamp"], "2026-11-21T12:00:00Z");
        assert_eq!(stored["lastTimestamp"], "2026-11-21T12:05:00Z");
    }

    #[test]
    fn an_event_of_the_older_shape_gets_the_time_that_the_newer_one_demands() {
        let old = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "a"}, "eventTime": null,
            "firstTimestamp": "2026-11-21T12:00:00Z", "lastTimestamp": "2026-11-21T13:00:00Z"});
        let shown = kind().from_stored(old);
        assert_eq!(shown["eventTime"], "2026-11-21T12:00:00.000000Z");
    }
}

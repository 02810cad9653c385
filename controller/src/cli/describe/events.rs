//! The events that tell what happened to an object.

use std::io::Write;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use kube::{
    Api,
    api::{DynamicObject, ListParams},
};

use crate::cli::{connection::Connection, describe::since::since, failure::Failure, table};

/// Events about one object, oldest first.
pub(super) async fn of(
    connection: &Connection,
    object: &DynamicObject,
) -> Result<Vec<Event>, Failure> {
    let Some(uid) = &object.metadata.uid else {
        return Ok(Vec::new());
    };
    let namespace = object.metadata.namespace.as_deref().unwrap_or("default");
    let api: Api<Event> = Api::namespaced(connection.client.clone(), namespace);
    let about = ListParams::default().fields(&format!("involvedObject.uid={uid}"));
    let mut events = api
        .list(&about)
        .await
        .map_err(|error| connection.failed(error))?
        .items;
    events.sort_by_key(last_seen);
    Ok(events)
}

/// When an event was last seen, from whichever of its times was written.
fn last_seen(event: &Event) -> Option<Timestamp> {
    let series = event
        .series
        .as_ref()
        .and_then(|series| series.last_observed_time.as_ref());
    series
        .map(|time| time.0)
        .or(event.last_timestamp.as_ref().map(|time| time.0))
        .or(event.event_time.as_ref().map(|time| time.0))
        .or(event.first_timestamp.as_ref().map(|time| time.0))
}

/// Writes them as a table.
pub(super) fn write(out: &mut dyn Write, events: &[Event], now: Timestamp) -> Result<(), Failure> {
    writeln!(out, "\nEvents:")?;
    if events.is_empty() {
        writeln!(out, "  none")?;
        return Ok(());
    }
    let mut lines = vec![row(["  AGE", "TYPE", "REASON", "MESSAGE"])];
    for event in events {
        let age = last_seen(event).map_or_else(|| "?".to_owned(), |time| since(time, now));
        let count = event
            .series
            .as_ref()
            .and_then(|series| series.count)
            .or(event.count)
            .filter(|count| *count > 1);
        let times = count.map_or_else(String::new, |count| format!(" (x{count})"));
        lines.push(row([
            &format!("  {age}{times}"),
            event.type_.as_deref().unwrap_or("Normal"),
            event.reason.as_deref().unwrap_or_default(),
            event.message.as_deref().unwrap_or_default().trim(),
        ]));
    }
    table::align(out, &lines)
}

fn row(cells: [&str; 4]) -> Vec<String> {
    cells.map(str::to_owned).into()
}

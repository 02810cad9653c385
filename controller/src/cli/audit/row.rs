//! A record as a line, and what it changed as lines below.

use std::io::Write;

use mirage_api::audit::{Change, Effect, Record};
use serde_json::Value;

use crate::cli::{failure::Failure, kind::KINDS};

/// Longer values are cut in the table; -o json has them whole.
const LONGEST: usize = 100;

/// Lines under one head. Columns grow with what comes and never shrink, so that a log that is followed stays readable.
pub(super) struct Rows {
    with_namespace: bool,
    with_changes: bool,
    /// Empty until the head has been written.
    widths: Vec<usize>,
}

impl Rows {
    pub(super) fn new(with_namespace: bool, with_changes: bool) -> Self {
        Self {
            with_namespace,
            with_changes,
            widths: Vec::new(),
        }
    }

    pub(super) fn write(&mut self, records: &[Record], out: &mut dyn Write) -> Result<(), Failure> {
        let mut lines: Vec<(Vec<String>, Option<&Record>)> = Vec::new();
        if self.widths.is_empty() {
            let head = [
                "TIME",
                "WHO",
                "VERB",
                "NAMESPACE",
                "WHAT",
                "OUTCOME",
                "FROM",
            ];
            let head = head.map(str::to_owned).to_vec();
            lines.push((self.shown(head), None));
        }
        lines.extend(
            records
                .iter()
                .map(|record| (self.shown(cells(record)), Some(record))),
        );
        for (line, _) in &lines {
            self.widths.resize(line.len(), 0);
            for (width, cell) in self.widths.iter_mut().zip(line) {
                *width = cell.chars().count().max(*width);
            }
        }
        for (line, record) in &lines {
            let mut text = String::new();
            for (cell, width) in line.iter().zip(&self.widths) {
                text.push_str(&format!("{cell:<width$}   "));
            }
            writeln!(out, "{}", text.trim_end())?;
            if let Some(record) = record.filter(|_| self.with_changes) {
                below(record, out)?;
            }
        }
        Ok(())
    }

    fn shown(&self, mut cells: Vec<String>) -> Vec<String> {
        if !self.with_namespace {
            cells.remove(3);
        }
        cells
    }
}

fn cells(record: &Record) -> Vec<String> {
    let who = match record.user.name.as_str() {
        "" => "<nobody>".to_owned(),
        name => name.to_owned(),
    };
    let seconds = record.time.as_second();
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(record.time);
    vec![
        time.to_string(),
        who,
        record.verb.clone(),
        record.namespace.clone(),
        what(record),
        outcome(record),
        from(record),
    ]
}

/// `environment/shop`, `environment/shop status`, `secrets`, or a path.
fn what(record: &Record) -> String {
    if record.resource.is_empty() {
        return match record.path.as_str() {
            "" => "several".to_owned(),
            path => path.to_owned(),
        };
    }
    let (plural, group) = record
        .resource
        .split_once('.')
        .unwrap_or((&record.resource, ""));
    let mut text = if record.name.is_empty() {
        plural.to_owned()
    } else {
        let kind = KINDS
            .iter()
            .find(|kind| kind.plural == plural && kind.group == group);
        format!(
            "{}/{}",
            kind.map_or(plural, |kind| kind.singular),
            record.name
        )
    };
    if !record.subresource.is_empty() {
        text = format!("{text} {}", record.subresource);
    }
    text
}

fn outcome(record: &Record) -> String {
    let text = match (record.effect, record.outcome.code) {
        (None, 200..=299) if record.verb == "use" => used(record),
        (None, 200..=299) if record.resource == "masterkeys.mirage.dev" => "done".to_owned(),
        (Some(Effect::Created), _) => "created".to_owned(),
        (Some(Effect::Updated), _) => "updated".to_owned(),
        (Some(Effect::Deleted), _) => "deleted".to_owned(),
        (None, 200..=299) => "shown".to_owned(),
        (None, code) if record.outcome.reason.is_empty() => code.to_string(),
        (None, code) => format!("{code} {}", record.outcome.reason),
    };
    match record.count {
        Some(count) => format!("{text} ×{count}"),
        None => text,
    }
}

/// `sent for shop, key api_key`: what became of a secret value.
fn used(record: &Record) -> String {
    let about = record.object.as_ref();
    let text = |pointer: &str| {
        let found = about.and_then(|it| it.pointer(pointer)?.as_str());
        found.unwrap_or_default().to_owned()
    };
    let (purpose, environment) = (text("/purpose"), text("/environment/name"));
    match text("/path") {
        path if path.is_empty() => format!("{purpose} for {environment}, key {}", text("/key")),
        path => format!("{purpose} for {environment}, {path} key {}", text("/key")),
    }
}

/// The address and the program, without what programs add to their names.
fn from(record: &Record) -> String {
    let program = record.from.agent.split(' ').next().unwrap_or_default();
    match record.from.address {
        Some(address) if program.is_empty() => address.to_string(),
        Some(address) => format!("{address} {program}"),
        None => "this process".to_owned(),
    }
}

/// What was changed, made or removed, or why not.
fn below(record: &Record, out: &mut dyn Write) -> Result<(), Failure> {
    for change in &record.changes {
        sides(change, out)?;
    }
    if let Some(object) = &record.object {
        let sign = if record.effect == Some(Effect::Deleted) {
            '-'
        } else {
            '+'
        };
        let text = serde_yaml::to_string(object).map_err(std::io::Error::other)?;
        for line in text.lines() {
            writeln!(out, "    {sign} {line}")?;
        }
    }
    if record.is_cut {
        writeln!(out, "    … cut: there was too much to keep")?;
    }
    if !record.outcome.message.is_empty() {
        writeln!(out, "    {}", record.outcome.message)?;
    }
    Ok(())
}

fn sides(change: &Change, out: &mut dyn Write) -> Result<(), Failure> {
    for (sign, side) in [('-', &change.before), ('+', &change.after)] {
        if let Some(value) = side {
            writeln!(out, "    {sign} {}: {}", change.path, brief(value))?;
        }
    }
    Ok(())
}

fn brief(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.replace('\n', "⏎"),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn records() -> Vec<Record> {
        let records = json!([
            {"time": "2026-11-21T12:00:00.5Z", "auditId": "1", "user": {"name": "alice"},
                "from": {"address": "10.0.0.9", "agent": "kubectl/v1.33.1 (linux/amd64)"}, "verb": "patch",
                "resource": "environments.mirage.dev", "namespace": "default", "name": "shop",
                "outcome": {"code": 200}, "effect": "updated",
                "changes": [{"path": "spec.services.web.replicas", "before": 1, "after": 3},
                    {"path": "spec.ttl", "after": "7d"}]},
            {"time": "2026-11-21T12:00:01Z", "auditId": "2", "user": {"name": ""},
                "from": {"address": "10.0.0.7"}, "verb": "get", "path": "/apis",
                "outcome": {"code": 401, "reason": "Unauthorized", "message": "no token was sent"}, "count": 12},
            {"time": "2026-11-21T12:00:02Z", "auditId": "3", "user": {"name": "system:mirage-controllers"},
                "from": {}, "verb": "delete", "resource": "secrets", "namespace": "team", "name": "db",
                "outcome": {"code": 200}, "effect": "deleted", "object": {"data": {"a": "fingerprint:01"}}},
        ]);
        serde_json::from_value(records).unwrap()
    }

    fn written(with_namespace: bool, with_changes: bool) -> String {
        let mut out = Vec::new();
        Rows::new(with_namespace, with_changes)
            .write(&records(), &mut out)
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_record_is_a_line_and_its_changes_are_lines_below() {
        insta::assert_snapshot!(written(false, false), @r"
        TIME                   WHO                         VERB     WHAT               OUTCOME                FROM
        2026-11-21T12:00:00Z   alice                       patch    environment/shop   updated                10.0.0.9 kubectl/v1.33.1
        2026-11-21T12:00:01Z   <nobody>                    get      /apis              401 Unauthorized ×12   10.0.0.7
        2026-11-21T12:00:02Z   system:mirage-controllers   delete   secret/db          deleted                this process
        ");
        insta::assert_snapshot!(written(true, true), @r"
        TIME                   WHO                         VERB     NAMESPACE   WHAT               OUTCOME                FROM
        2026-11-21T12:00:00Z   alice                       patch    default     environment/shop   updated                10.0.0.9 kubectl/v1.33.1
            - spec.services.web.replicas: 1
            + spec.services.web.replicas: 3
            + spec.ttl: 7d
        2026-11-21T12:00:01Z   <nobody>                    get                  /apis              401 Unauthorized ×12   10.0.0.7
            no token was sent
        2026-11-21T12:00:02Z   system:mirage-controllers   delete   team        secret/db          deleted                this process
            - data:
            -   a: fingerprint:01
        ");
    }

    #[test]
    fn a_log_that_is_followed_keeps_its_columns() {
        let mut rows = Rows::new(false, false);
        let mut out = Vec::new();
        for record in records() {
            rows.write(&[record], &mut out).unwrap();
        }
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("OUTCOME").count(), 1, "{text}");
        assert_eq!(text.lines().count(), 4);
    }
}

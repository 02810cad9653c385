//! A copy that was not made, as text.

use std::io::{self, Write};

use mirage_specs::copy::{Change, Difference};

use super::Preview;
use crate::cli::{failure::Failure, plan};

/// What differs, what is worth knowing, what stands in the way, and the plan.
pub(super) fn preview(
    out: &mut dyn Write,
    source: &str,
    name: &str,
    preview: &Preview,
) -> Result<(), Failure> {
    writeln!(out, "{name}, as a copy of {source}:")?;
    for part in &preview.difference {
        writeln!(out, "  {}", line(part))?;
    }
    notes(out, &preview.notes)?;
    if !preview.refusals.is_empty() {
        writeln!(out, "\nIt cannot be made like this:")?;
        for refusal in &preview.refusals {
            writeln!(out, "  {}: {}", refusal.field, refusal.message)?;
        }
        return Ok(());
    }
    if let Some(view) = &preview.plan {
        writeln!(out)?;
        plan::render(out, name, view)?;
    }
    // The plan's own sentences stand above; what it waits for does not.
    let remarks = preview.lines.iter().filter(|line| {
        preview.plan.is_none() || line.starts_with("waits:") || line.starts_with("no plan:")
    });
    for remark in remarks {
        writeln!(out, "{remark}")?;
    }
    Ok(())
}

/// What is worth knowing.
pub(super) fn notes(out: &mut dyn Write, notes: &[String]) -> io::Result<()> {
    for note in notes {
        writeln!(out, "  note: {note}")?;
    }
    Ok(())
}

fn line(part: &Difference) -> String {
    let mark = match part.change {
        Change::New => '+',
        Change::Changed => '~',
        Change::Removed => '-',
        Change::Unchanged => '=',
    };
    let words = match (&part.from, &part.to) {
        (Some(from), Some(to)) if from == to => format!(": {to}"),
        (Some(from), Some(to)) => format!(": {from} → {to}"),
        (None, Some(to)) => format!(": {to}"),
        (Some(from), None) if part.change == Change::Removed => format!(": {from}"),
        (Some(from), None) => format!(", there {from}"),
        (None, None) => String::new(),
    };
    format!("{mark} {}{words}", part.path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_preview_reads_as_a_list_of_what_differs() {
        let shown: Preview = serde_json::from_value(json!({
            "source": {}, "object": {},
            "difference": [
                {"path": "type", "change": "changed", "from": "prod", "to": "staging"},
                {"path": "services.pr-web", "change": "changed", "from": "services.web"},
                {"path": "services.pr-web.variables.LEVEL", "change": "unchanged", "from": "a text", "to": "a text"},
                {"path": "services.pr-web.variables.MODE", "change": "new", "to": "a text"},
                {"path": "services.db", "change": "removed"},
            ],
            "notes": ["web: shop.example.com stays with the source"],
            "refusals": [{"field": "spec.services.web.variables.DB", "message": "refers to db, which is left out"}],
        }))
        .unwrap();
        let mut out = Vec::new();
        preview(&mut out, "shop", "stage", &shown).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        stage, as a copy of shop:
          ~ type: prod → staging
          ~ services.pr-web, there services.web
          = services.pr-web.variables.LEVEL: a text
          + services.pr-web.variables.MODE: a text
          - services.db
          note: web: shop.example.com stays with the source

        It cannot be made like this:
          spec.services.web.variables.DB: refers to db, which is left out
        ");
    }
}

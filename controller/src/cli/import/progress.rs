//! How far an import is, for people.

use std::{io::Write, time::Duration};

use mirage_specs::import::{ImportItem, ImportOperation, ImportState};
use tokio::time::Instant;

use crate::cli::{
    connection::Connection,
    failure::Failure,
    output::{self, Document},
    product, table,
};

/// How often progress is asked for: a store read, and nothing of Railway's.
const LOOK: Duration = Duration::from_millis(500);

/// Waits until nothing more will happen by itself, or as long as that may take.
pub(super) async fn follow(
    connection: &Connection,
    made: ImportOperation,
    patience: Duration,
) -> Result<ImportOperation, Failure> {
    let Some(id) = made.id.clone() else {
        return Ok(made);
    };
    let until = Instant::now() + patience;
    let path = product::path(&["import", &id]);
    let mut told = made;
    while told.done < told.total && Instant::now() < until {
        tokio::time::sleep(LOOK).await;
        let now: ImportOperation = product::get(connection, &path).await?;
        told = merged(told, now);
    }
    Ok(told)
}

/// What is known now of the items; what became no object stays as it was told.
fn merged(told: ImportOperation, now: ImportOperation) -> ImportOperation {
    let place = |item: &ImportItem| (item.namespace.clone(), item.name.clone());
    let items = told
        .items
        .into_iter()
        .map(|item| {
            let fresh = now
                .items
                .iter()
                .find(|fresh| item.environment_id.is_some() && place(fresh) == place(&item));
            match fresh {
                Some(fresh) => ImportItem {
                    state: fresh.state,
                    problems: fresh.problems.clone(),
                    plan: fresh.plan.clone(),
                    ..item
                },
                None => item,
            }
        })
        .collect();
    ImportOperation::of(told.id, items)
}

/// A line each, and below it what is to be known.
pub(super) fn table(out: &mut dyn Write, operation: &ImportOperation) -> Result<(), Failure> {
    if operation.items.is_empty() {
        writeln!(
            out,
            "nothing to import: Mirage keeps everything that this account sees"
        )?;
        return Ok(());
    }
    let head = ["STATE", "PROJECT", "ENVIRONMENT", "NAMESPACE", "NAME"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for item in &operation.items {
        lines.push(vec![
            item.state.to_string(),
            item.project.clone(),
            item.environment.clone(),
            item.namespace.clone(),
            item.name.clone(),
        ]);
    }
    table::align(out, &lines)?;
    for item in &operation.items {
        let is_open = item.state != ImportState::Managed;
        for problem in item.problems.iter().filter(|_| is_open) {
            writeln!(
                out,
                "\n{}/{}: {}: {}",
                item.project, item.environment, problem.reason, problem.message
            )?;
        }
        if !item.remarks.is_empty() {
            writeln!(out, "\n{}/{}:", item.project, item.environment)?;
            for remark in &item.remarks {
                writeln!(out, "  - {remark}")?;
            }
        }
    }
    if let Some(id) = operation
        .id
        .as_ref()
        .filter(|_| operation.done < operation.total)
    {
        writeln!(
            out,
            "\n{} of {} done; `mirage import --status {id}` tells more",
            operation.done, operation.total
        )?;
    }
    Ok(())
}

/// The Environments, a document each.
pub(super) fn manifests(out: &mut dyn Write, operation: &ImportOperation) -> Result<(), Failure> {
    let mut is_first = true;
    for item in &operation.items {
        for problem in &item.problems {
            writeln!(
                out,
                "# {}/{}: {}: {}",
                item.project, item.environment, problem.reason, problem.message
            )?;
        }
        for remark in &item.remarks {
            writeln!(out, "# {remark}")?;
        }
        let Some(manifest) = &item.manifest else {
            continue;
        };
        if !is_first {
            writeln!(out, "---")?;
        }
        is_first = false;
        output::document(out, Document::Yaml, manifest)?;
    }
    Ok(())
}

//! Looking a database over, without changing anything and while servers use it.

mod examination;
mod report;

use futures::StreamExt as _;

use self::examination::{Examination, LogRow, ObjectRow};
pub use self::report::{Fault, Finding, Report, Severity};
use super::contents::LOG;
use super::session::{Named, Session, Table};
use super::{Database, MaintenanceError, migrations};
use crate::store::seal::Sealer;

/// Looks everything over that can be without another source: the file's pages, the schema, the counter, each object, the
/// change log, and that they fit together; with the master key, that every sealed value opens.
///
/// # Errors
/// It could not be read at all. What is merely wrong is in the report.
pub async fn check(
    database: &Database,
    sealer: Option<&Sealer>,
) -> Result<Report, MaintenanceError> {
    let asking = database.statement();
    let mut session = database.connect().await?;
    session.begin_reading().await.map_err(&asking)?;
    let mut findings = Vec::new();
    for damage in session.damages().await.map_err(&asking)? {
        findings.push(Finding::new(Fault::Damaged, database.to_string(), damage));
    }
    let schema = match migrations::version(database, &mut session).await {
        Ok(version) => version,
        Err(error @ MaintenanceError::Schema { version, .. }) => {
            findings.push(Finding::new(
                Fault::Schema,
                format!("step {version}"),
                error.to_string(),
            ));
            version
        }
        Err(error) => return Err(error),
    };
    let newest = migrations::newest(migrations::of(database));
    if schema < newest {
        findings.push(Finding::new(
            Fault::OldSchema,
            format!("step {schema}"),
            format!("the newest is {newest}; the next `mirage serve` brings it up to date"),
        ));
    }
    let state = session.state().await.map_err(&asking)?;
    let mut examination = Examination::new(state, sealer);
    let tables = session.tables().await.map_err(&asking)?;
    read(&mut session, &tables, &mut examination)
        .await
        .map_err(&asking)?;
    // Only reading was under way.
    let _ = session.close().await;
    Ok(examination.finish(schema, findings))
}

async fn read(
    session: &mut Session,
    tables: &[Table],
    examination: &mut Examination<'_>,
) -> Result<(), sqlx::Error> {
    let find = |name: &str| {
        let found = tables.iter().find(|table| table.name == name);
        found.ok_or_else(|| sqlx::Error::Decode(format!("there is no table {name}").into()))
    };
    let (objects, log) = (find("objects")?, find(LOG)?);
    let mut rows = session.rows(objects, None);
    while let Some(row) = rows.next().await {
        let row = Named(objects, row?);
        examination.object(ObjectRow {
            key: row.key(),
            revision: row.number("revision"),
            document: row.text("object").unwrap_or_default(),
        });
    }
    drop(rows);
    let mut rows = session.rows(log, Some("revision"));
    while let Some(row) = rows.next().await {
        let row = Named(log, row?);
        examination.change(LogRow {
            key: row.key(),
            revision: row.number("revision"),
            kind: row.text("kind").unwrap_or_default(),
            document: row.text("object").unwrap_or_default(),
            previous: row.text("previous"),
        });
    }
    Ok(())
}

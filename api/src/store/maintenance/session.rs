//! A connection to a whole database, of either backend, in words that both understand: tables, and rows of text. What is
//! different is said twice, in [`sqlite`] and [`postgres`].

use futures::stream::BoxStream;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;

use super::{postgres, sqlite};
use crate::store::Key;

/// A table, with its columns in order of their names, which is the same order in both backends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// In the words of the backend.
    pub(super) kind: String,
}

impl Table {
    /// Collects the rows (table, column, kind), ordered by table and column.
    pub(super) fn collect(rows: Vec<(String, String, String)>) -> Vec<Self> {
        let mut tables: Vec<Self> = Vec::new();
        for (table, name, kind) in rows {
            let column = Column { name, kind };
            match tables.last_mut() {
                Some(last) if last.name == table => last.columns.push(column),
                _ => tables.push(Self {
                    name: table,
                    columns: vec![column],
                }),
            }
        }
        tables
    }

    /// The columns' names, separated by commas, each as `form` has it.
    pub(super) fn columns(&self, form: impl Fn(usize, &Column) -> String) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .enumerate()
            .map(|(nth, column)| form(nth, column))
            .collect();
        columns.join(", ")
    }
}

/// A name as SQL takes it whatever it is.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The values of one row as text, in the order of the table's columns.
pub(super) type Row = Vec<Option<String>>;

/// A row whose values are asked for by name.
pub(super) struct Named<'t>(pub(super) &'t Table, pub(super) Row);

impl Named<'_> {
    pub(super) fn text(&self, column: &str) -> Option<&str> {
        let nth = self.0.columns.iter().position(|own| own.name == column)?;
        self.1.get(nth)?.as_deref()
    }

    pub(super) fn number(&self, column: &str) -> u64 {
        // A negative one is as wrong as 0.
        let number = self.text(column).and_then(|text| text.parse().ok());
        number.unwrap_or_default()
    }

    pub(super) fn key(&self) -> Key {
        let part = |column| self.text(column).unwrap_or_default();
        Key::new(part("resource"), part("namespace"), part("name"))
    }
}

/// A step of the schema as the database remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Applied {
    pub(super) version: i64,
    pub(super) is_finished: bool,
    pub(super) checksum: Vec<u8>,
}

/// A connection.
pub(super) enum Session {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Each function once for each backend.
macro_rules! both {
    ($session:expr, $function:ident($($argument:expr),*)) => {
        match $session {
            Session::Sqlite(connection) => sqlite::$function(connection $(, $argument)*).await,
            Session::Postgres(connection) => postgres::$function(connection $(, $argument)*).await,
        }
    };
}

impl Session {
    /// Everything read from here on is of one moment.
    pub(super) async fn begin_reading(&mut self) -> Result<(), sqlx::Error> {
        both!(self, begin_reading())
    }

    /// From here on until the commit nobody else reads or writes these tables.
    pub(super) async fn begin_writing(&mut self, tables: &[Table]) -> Result<(), sqlx::Error> {
        both!(self, begin_writing(tables))
    }

    /// Ends the transaction. Without it nothing has happened.
    pub(super) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        both!(self, commit())
    }

    /// What the database itself finds wrong with its pages.
    pub(super) async fn damages(&mut self) -> Result<Vec<String>, sqlx::Error> {
        both!(self, damages())
    }

    /// The steps of its schema in order; `None` when nobody ever made one.
    pub(super) async fn applied(&mut self) -> Result<Option<Vec<Applied>>, sqlx::Error> {
        both!(self, applied())
    }

    /// All tables, without the driver's own and the one that makes a backup a backup.
    pub(super) async fn tables(&mut self) -> Result<Vec<Table>, sqlx::Error> {
        both!(self, tables())
    }

    /// All rows of a table; `order` is a column.
    pub(super) fn rows<'s>(
        &'s mut self,
        table: &Table,
        order: Option<&str>,
    ) -> BoxStream<'s, Result<Row, sqlx::Error>> {
        match self {
            Self::Sqlite(connection) => sqlite::rows(connection, table, order),
            Self::Postgres(connection) => postgres::rows(connection, table, order),
        }
    }

    /// Removes all rows of all tables, from those too that refuse it in everyday life, and lets anything be inserted.
    pub(super) async fn clear(&mut self, tables: &[Table]) -> Result<(), sqlx::Error> {
        both!(self, clear(tables))
    }

    /// Adds rows.
    pub(super) async fn insert(
        &mut self,
        table: &Table,
        rows: Vec<Row>,
    ) -> Result<(), sqlx::Error> {
        both!(self, insert(table, rows))
    }

    /// After [`Self::clear`] and the inserts: counters go on behind what was inserted, and what refused refuses again.
    pub(super) async fn settle(&mut self, tables: &[Table]) -> Result<(), sqlx::Error> {
        both!(self, settle(tables))
    }

    /// Runs a statement of our own.
    pub(super) async fn run(&mut self, sql: String) -> Result<(), sqlx::Error> {
        both!(self, run(sql))
    }

    /// Revision and floor; `None` when the state has not exactly one row.
    pub(super) async fn state(&mut self) -> Result<Option<(i64, i64)>, sqlx::Error> {
        both!(self, state())
    }

    /// How many rows a table has.
    pub(super) async fn count(&mut self, table: &str) -> Result<u64, sqlx::Error> {
        both!(self, count(table))
    }

    /// Says goodbye.
    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        use sqlx::Connection as _;
        match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        }
    }
}

//! What a table holds, in a form that can be compared over backends and that says nothing about it.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::session::{Row, Session, Table};

/// The counter and the change log: a restore gives the one its own value and leaves the other out.
pub(super) const STATE: &str = "store_state";
pub(super) const LOG: &str = "changes";

/// How much a table holds, and a digest of it that does not depend on the order of the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableContents {
    /// How many rows.
    pub rows: u64,
    /// The rows' SHA-256 sums, added up by exclusive or: every row has a key, so that no two are the same. Hex.
    pub digest: String,
}

/// By table.
pub(super) type Contents = BTreeMap<String, TableContents>;

/// Adds up a table.
#[derive(Default)]
pub(super) struct Tally {
    rows: u64,
    sum: [u8; 32],
}

impl Tally {
    pub(super) fn add(&mut self, row: &Row) {
        let mut digest = Sha256::new();
        for value in row {
            // The length before each value, so that no two rows have the same bytes.
            match value {
                Some(value) => {
                    digest.update((value.len() as u64).to_be_bytes());
                    digest.update(value);
                }
                None => digest.update(u64::MAX.to_be_bytes()),
            }
        }
        for (sum, byte) in self.sum.iter_mut().zip(digest.finalize()) {
            *sum ^= byte;
        }
        self.rows += 1;
    }

    pub(super) fn finish(self) -> TableContents {
        TableContents {
            rows: self.rows,
            digest: hex::encode(self.sum),
        }
    }
}

/// Reads all tables that are to be kept.
pub(super) async fn read(session: &mut Session, tables: &[Table]) -> Result<Contents, sqlx::Error> {
    let mut contents = Contents::new();
    for table in tables.iter().filter(|table| is_kept(table)) {
        let mut tally = Tally::default();
        let mut rows = session.rows(table, None);
        while let Some(row) = rows.next().await {
            tally.add(&row?);
        }
        contents.insert(table.name.clone(), tally.finish());
    }
    Ok(contents)
}

/// Whether a backup has this table's rows as they are.
pub(super) fn is_kept(table: &Table) -> bool {
    table.name != STATE && table.name != LOG
}

/// The first table that differs.
pub(super) fn difference(one: &Contents, other: &Contents) -> Option<String> {
    one.keys()
        .chain(other.keys())
        .find(|table| one.get(*table) != other.get(*table))
        .cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(rows: &[&[Option<&str>]]) -> TableContents {
        let mut tally = Tally::default();
        for row in rows {
            tally.add(&row.iter().map(|value| value.map(str::to_owned)).collect());
        }
        tally.finish()
    }

    #[test]
    fn the_order_of_rows_does_not_matter_and_everything_else_does() {
        let (one, two): (&[_], &[_]) = (&[Some("a"), Some("b")], &[Some("c"), None]);
        assert_eq!(tally(&[one, two]), tally(&[two, one]));
        for other in [
            tally(&[one]),
            tally(&[&[Some("ab"), Some("")], two]),
            tally(&[one, &[Some("c"), Some("")]]),
            tally(&[one, &[None, Some("c")]]),
        ] {
            assert_ne!(tally(&[one, two]), other);
        }
    }
}

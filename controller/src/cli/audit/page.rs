//! The log in pages, as far as it is asked for.

use mirage_api::audit::Record;
use serde::{Deserialize, Serialize};

use super::request;
use crate::cli::{connection::Connection, failure::Failure};

/// As many in one request as the server gives.
const LARGEST: usize = 1000;

/// Records, and where they go on.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Page {
    items: Vec<Record>,
    #[serde(rename = "continue", skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl Page {
    /// All that was asked for.
    pub(super) fn of(items: Vec<Record>) -> Self {
        Self { items, token: None }
    }
}

/// So many records at most.
pub(super) async fn records(
    connection: &Connection,
    query: &[(&'static str, String)],
    limit: usize,
) -> Result<Vec<Record>, Failure> {
    let mut records = Vec::new();
    let mut token = None;
    while records.len() < limit {
        let mut query = query.to_vec();
        query.push(("limit", (limit - records.len()).min(LARGEST).to_string()));
        query.extend(token.map(|token| ("continue", token)));
        let page: Page = connection
            .client
            .request(request(&query)?)
            .await
            .map_err(|error| connection.failed(error))?;
        records.extend(page.items);
        token = page.token;
        if token.is_none() {
            break;
        }
    }
    Ok(records)
}

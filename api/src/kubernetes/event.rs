//! Events are news, not records: they are kept for an hour after they last happened.

use jiff::{SignedDuration, Timestamp};

use crate::error::Status;
use crate::kinds::last_seen;
use crate::server::Server;
use crate::store::{Effect, Expect, ListQuery, StoreError, Write};

/// How long an event is kept; Kubernetes' own default.
const KEPT: SignedDuration = SignedDuration::from_hours(1);

/// Removes the events that are too old to be news.
pub(crate) async fn expire(server: &Server) -> Result<usize, Status> {
    let kind = server.core_kind("events")?;
    let query = ListQuery {
        resource: kind.resource(),
        namespace: None,
        after: None,
        limit: None,
    };
    let page = server
        .store
        .list(&query)
        .await
        .map_err(|error| Status::from_store(kind, "", error))?;
    let horizon = server.now().saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
    let mut removed = 0;
    for stored in page.items {
        let seen = last_seen(&stored.object).and_then(|text| text.parse::<Timestamp>().ok());
        if seen.is_some_and(|seen| seen >= horizon) {
            continue;
        }
        let name = stored.key.name.clone();
        let expect = Expect::Revision(stored.revision);
        let write = Write {
            key: stored.key,
            expect,
            effect: Effect::Delete(stored.object),
        };
        match server.store.write(write).await {
            Ok(_) => removed += 1,
            // It happened again just now, or is gone already.
            Err(StoreError::Conflict { .. } | StoreError::NotFound) => {}
            Err(error) => return Err(Status::from_store(kind, &name, error)),
        }
    }
    Ok(removed)
}

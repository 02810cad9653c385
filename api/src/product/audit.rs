//! `GET /api/v1/audit`: the audit log, in pages or as it grows.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::access::Attributes;
use crate::audit::{GROUP, PLURAL, Record};
use crate::auth::Identity;
use crate::error::{Reason, Status};
use crate::kubernetes::access;
use crate::kubernetes::negotiate::Accept;
use crate::kubernetes::request::Query;
use crate::server::Server;
use crate::store::StoreError;
use crate::store::audit::{AuditOrder, AuditQuery, Ended};

/// Records in a page for which nobody said how many.
const PAGE: usize = 100;

/// Records in a page at most. The largest are some ten kilobytes.
const LARGEST_PAGE: usize = 1000;

/// Records that a follower reads in one go.
const BATCH: usize = 200;

/// How long a follower waits at most for what no write announces: refusals, and what other servers recorded.
const LOOK: Duration = Duration::from_millis(500);

/// How long one follower is served; whoever wants more comes back with the last sequence number, and shows again that
/// they may.
const LONGEST: Duration = Duration::from_secs(45 * 60);

/// Answers with a page, or with a stream of one record a line.
pub(crate) async fn audit(
    server: &Arc<Server>,
    identity: &Identity,
    query: &Query,
) -> Result<Response, Status> {
    let follows = query.flag("follow")?;
    let attributes = Attributes {
        verb: if follows { "watch" } else { "list" },
        group: GROUP,
        resource: PLURAL,
        namespace: query.get("namespace").unwrap_or_default(),
        ..Attributes::default()
    };
    access::check(server, identity, &attributes).await?;
    let wanted = wanted(server, query)?;
    if follows {
        follow(server, wanted).await
    } else {
        page(server, wanted).await
    }
}

/// What the query asks for.
fn wanted(server: &Server, query: &Query) -> Result<AuditQuery, Status> {
    let text = |field: &str| query.get(field).map(str::to_owned);
    let limit = query.number("limit")?.filter(|limit| *limit > 0);
    let limit = limit.map_or(PAGE, |limit| usize::try_from(limit).unwrap_or(LARGEST_PAGE));
    Ok(AuditQuery {
        namespace: text("namespace"),
        name: text("name"),
        resource: query.get("resource").map(|word| resource(server, word)),
        username: text("user"),
        verb: text("verb"),
        ended: query.get("outcome").map(ended).transpose()?,
        since: time(query, "since")?,
        until: time(query, "until")?,
        without_routine: query.get("routine").is_some() && !query.flag("routine")?,
        order: match query.get("order") {
            None | Some("newest") => AuditOrder::NewestFirst,
            Some("oldest") => AuditOrder::OldestFirst,
            Some(other) => return Err(unknown("order", other, "\"newest\" or \"oldest\"")),
        },
        behind: query.number("continue")?,
        limit: limit.min(LARGEST_PAGE),
    })
}

/// The store's name of a resource, of which people write the plural, with its group or without.
fn resource(server: &Server, word: &str) -> String {
    let mut kinds = server.registry.kinds();
    let kind = kinds.find(|kind| kind.plural == word || kind.qualified_plural() == word);
    kind.map_or_else(|| word.to_owned(), |kind| kind.resource())
}

fn ended(word: &str) -> Result<Ended, Status> {
    match word {
        "done" => Ok(Ended::Done),
        "refused" => Ok(Ended::Refused),
        code => code.parse().map(Ended::With).map_err(|_| {
            unknown(
                "outcome",
                word,
                "\"done\", \"refused\" or an HTTP status like 403",
            )
        }),
    }
}

fn time(query: &Query, field: &str) -> Result<Option<Timestamp>, Status> {
    let parse = |text: &str| {
        text.parse()
            .map_err(|_| unknown(field, text, "a time like 2026-11-21T12:00:00Z"))
    };
    query.get(field).map(parse).transpose()
}

fn unknown(field: &str, found: &str, wanted: &str) -> Status {
    Status::bad_request(format!("{field}: {found:?} is not {wanted}"))
}

async fn page(server: &Server, wanted: AuditQuery) -> Result<Response, Status> {
    // One more than asked for, to know whether there is more.
    let query = AuditQuery {
        limit: wanted.limit + 1,
        ..wanted.clone()
    };
    let mut items = read(server, &query).await.map_err(unavailable)?;
    let has_more = items.len() > wanted.limit;
    items.truncate(wanted.limit);
    let last = items.last().and_then(|record| record.sequence);
    let mut body = json!({ "items": items });
    if let Some(last) = last.filter(|_| has_more) {
        body["continue"] = json!(last.to_string());
    }
    Ok(Accept::JSON.respond(StatusCode::OK, &body))
}

async fn read(server: &Server, query: &AuditQuery) -> Result<Vec<Record>, StoreError> {
    let found = server.store.audit(query).await?;
    found.into_iter().map(Record::read).collect()
}

fn unavailable(error: StoreError) -> Status {
    tracing::error!(
        error = &error as &dyn std::error::Error,
        "the audit log could not be read"
    );
    let message = "the store is unavailable; nothing is lost, try again shortly";
    Status::new(Reason::ServiceUnavailable, message).retry_after(1)
}

/// Someone who reads the log as it grows.
struct Follower {
    server: Arc<Server>,
    /// Behind what has been sent.
    query: AuditQuery,
    ready: VecDeque<Bytes>,
    wake: watch::Receiver<u64>,
    until: Instant,
}

async fn follow(server: &Arc<Server>, wanted: AuditQuery) -> Result<Response, Status> {
    // From a time or a place that was named, or from now.
    let behind = match (wanted.behind, wanted.since) {
        (None, None) => newest(server).await.map_err(unavailable)?,
        (behind, _) => behind.unwrap_or_default(),
    };
    let follower = Follower {
        wake: server.store.revision(),
        server: Arc::clone(server),
        query: AuditQuery {
            order: AuditOrder::OldestFirst,
            behind: Some(behind),
            limit: BATCH,
            ..wanted
        },
        ready: VecDeque::new(),
        until: Instant::now() + LONGEST,
    };
    let lines = stream::unfold(follower, |mut follower| async move {
        let line = follower.next().await?;
        Some((Ok::<_, Infallible>(line), follower))
    });
    let mut response = Response::new(Body::from_stream(lines));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache, private"),
    );
    Ok(response)
}

/// The sequence number of the newest record of all.
async fn newest(server: &Server) -> Result<u64, StoreError> {
    let query = AuditQuery {
        limit: 1,
        ..AuditQuery::default()
    };
    let found = server.store.audit(&query).await?;
    Ok(found.first().map_or(0, |newest| newest.sequence))
}

impl Follower {
    /// The next line; `None` when it is over.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(line);
            }
            if Instant::now() >= self.until {
                return None;
            }
            // Before looking, or a write in between would wake nobody.
            self.wake.borrow_and_update();
            match read(&self.server, &self.query).await {
                Ok(records) => self.take(records),
                Err(error) => {
                    // The reader comes back with the last number.
                    let _ = unavailable(error);
                    return None;
                }
            }
            if self.ready.is_empty() {
                tokio::select! {
                    woken = self.wake.changed() => woken.ok()?,
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
        }
    }

    fn take(&mut self, records: Vec<Record>) {
        for record in records {
            self.query.behind = record.sequence.or(self.query.behind);
            let mut line = json!(record).to_string();
            line.push('\n');
            self.ready.push_back(line.into());
        }
    }
}

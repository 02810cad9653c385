//! Watch: a stream of changes, one JSON object a line.
//!
//! The stream is pulled. Each time the connection can take more, it reads the change log from where it stands; a slow
//! reader therefore holds nobody up, and one that is slower than compaction gets 410 and lists anew. The store's revision only
//! wakes it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, header};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::call::Call;
use super::negotiate::Form;
use super::selector::Selector;
use crate::error::{CauseReason, Fault, Status};
use crate::server::presented;
use crate::store::{Change, ChangeKind, ListQuery, StoreError};

/// How long a watch lasts for which the client named no end.
const LONGEST: Duration = Duration::from_secs(45 * 60);

/// How often an idle watch says how far it has got, to those who asked for it.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// Changes read from the log in one go.
const BATCH: usize = 500;

struct Watch {
    call: Arc<Call>,
    selector: Selector,
    /// Everything up to this revision has been sent or was not selected.
    seen: u64,
    ready: VecDeque<Bytes>,
    wake: tokio::sync::watch::Receiver<u64>,
    deadline: Instant,
    next_bookmark: Option<Instant>,
    has_sent_definitions: bool,
    is_over: bool,
}

/// GET of a collection with `watch`.
pub(crate) async fn watch(call: Call) -> Result<Response, Status> {
    let selector = Selector::of(&call.query, &call.kind)?;
    let from = call.query.number("resourceVersion")?.unwrap_or_default();
    let has_bookmarks = call.query.flag("allowWatchBookmarks")?;
    let initial = initial_events(&call, from, has_bookmarks)?;
    let timeout = call
        .query
        .number("timeoutSeconds")?
        .filter(|seconds| *seconds > 0);
    let timeout = timeout.map_or(LONGEST, |seconds| Duration::from_secs(seconds).min(LONGEST));
    let now = Instant::now();
    let wake = call.server.store.revision();
    let mut watch = Watch {
        selector,
        seen: from,
        ready: VecDeque::new(),
        wake,
        deadline: now + timeout,
        next_bookmark: has_bookmarks.then_some(now + BOOKMARK_EVERY),
        has_sent_definitions: false,
        is_over: false,
        call: Arc::new(call),
    };
    match initial {
        Initial::None => watch.check_origin(from).await?,
        Initial::Newest => watch.seen = *watch.wake.borrow(),
        Initial::Events { is_announced } => {
            watch.list().await?;
            if is_announced {
                watch.bookmark(true)?;
            }
        }
    }
    let lines = stream::unfold(watch, |mut watch| async move {
        let line = watch.next().await?;
        Some((Ok::<_, Infallible>(line), watch))
    });
    let mut response = Response::new(Body::from_stream(lines));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache, private"),
    );
    Ok(response)
}

/// What comes before the changes.
enum Initial {
    /// Nothing: they follow from the version that the client named.
    None,
    /// Nothing: they follow from now.
    Newest,
    /// Every present object, and a bookmark behind them if they were asked for as such.
    Events { is_announced: bool },
}

fn initial_events(call: &Call, from: u64, has_bookmarks: bool) -> Result<Initial, Status> {
    let matching = call.query.get("resourceVersionMatch");
    let forbidden = |field: &str, message: &str| {
        let fault = Fault::new(
            field,
            CauseReason::FieldValueForbidden,
            format!("Forbidden: {message}"),
        );
        Err(Status::invalid(
            "meta.k8s.io",
            "ListOptions",
            "",
            vec![fault],
        ))
    };
    if call.query.get("sendInitialEvents").is_none() {
        if matching.is_some() {
            return forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            );
        }
        return Ok(if from == 0 {
            Initial::Events {
                is_announced: false,
            }
        } else {
            Initial::None
        });
    }
    if matching != Some("NotOlderThan") {
        return forbidden(
            "resourceVersionMatch",
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        );
    }
    match call.query.flag("sendInitialEvents")? {
        true => Ok(Initial::Events {
            is_announced: has_bookmarks,
        }),
        false if from == 0 => Ok(Initial::Newest),
        false => Ok(Initial::None),
    }
}

impl Watch {
    /// A version from the future is one of another life of this store (a restored backup). Waiting for it would be
    /// waiting for ever; "too old" makes every client list anew.
    async fn check_origin(&self, from: u64) -> Result<(), Status> {
        if from <= *self.wake.borrow() {
            return Ok(());
        }
        // Another server on the same database may have handed it out before word of it came here: ask the store itself.
        let call = &self.call;
        let (_, newest) = call
            .server
            .store
            .changes(&call.kind.resource(), None, from, 1)
            .await
            .map_err(|error| call.refused("", error))?;
        if from > newest {
            return Err(Status::expired(from, newest));
        }
        Ok(())
    }

    /// Queues an ADDED for every present object. One snapshot, so that what follows neither repeats nor misses.
    async fn list(&mut self) -> Result<(), Status> {
        let call = Arc::clone(&self.call);
        let query = ListQuery {
            resource: call.kind.resource(),
            namespace: call.info.namespace.clone(),
            after: None,
            limit: None,
        };
        let page = call
            .server
            .store
            .list(&query)
            .await
            .map_err(|error| call.refused("", error))?;
        if self.seen > page.revision {
            return Err(Status::expired(self.seen, page.revision));
        }
        self.seen = page.revision;
        for stored in page.items {
            if self.selector.matches(&stored.object) {
                self.push("ADDED", stored.object, stored.revision)?;
            }
        }
        Ok(())
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(line);
            }
            if self.is_over {
                return None;
            }
            // Before looking, or a write in between would wake nobody.
            self.wake.borrow_and_update();
            if let Err(status) = self.read().await {
                self.fail(&status);
            }
            if self.ready.is_empty() && !self.is_over {
                self.wait().await;
            }
        }
    }

    /// Queues what has changed since.
    async fn read(&mut self) -> Result<(), Status> {
        let call = Arc::clone(&self.call);
        let (resource, namespace) = (call.kind.resource(), call.info.namespace.as_deref());
        loop {
            let (changes, through) = match call
                .server
                .store
                .changes(&resource, namespace, self.seen, BATCH)
                .await
            {
                Ok(found) => found,
                Err(StoreError::Compacted { floor }) => {
                    return Err(Status::expired(self.seen, floor));
                }
                Err(error) => return Err(call.refused("", error)),
            };
            let is_all = changes.len() < BATCH;
            for change in changes {
                self.change(change)?;
            }
            self.seen = self.seen.max(through);
            if is_all || !self.ready.is_empty() {
                return Ok(());
            }
        }
    }

    /// What a change is to this watch: objects come into a selection and leave it.
    fn change(&mut self, change: Change) -> Result<(), Status> {
        let was = change
            .previous
            .as_ref()
            .is_some_and(|object| self.selector.matches(object));
        let is = change.kind != ChangeKind::Deleted && self.selector.matches(&change.object);
        let event = match (was, is) {
            (true, true) => "MODIFIED",
            (false, true) => "ADDED",
            (true, false) => "DELETED",
            (false, false) => return Ok(()),
        };
        self.push(event, change.object, change.revision)
    }

    fn push(&mut self, event: &str, object: Value, revision: u64) -> Result<(), Status> {
        let object = presented(&self.call.kind, object, revision);
        let object = self.call.rendered(object, !self.has_sent_definitions)?;
        self.has_sent_definitions = true;
        self.line(event, &object);
        Ok(())
    }

    fn line(&mut self, event: &str, object: &Value) {
        let mut line = json!({"type": event, "object": object}).to_string();
        line.push('\n');
        self.ready.push_back(line.into());
    }

    fn bookmark(&mut self, ends_initial_events: bool) -> Result<(), Status> {
        let mut metadata = Map::new();
        metadata.insert("resourceVersion".into(), json!(self.seen.to_string()));
        metadata.insert("creationTimestamp".into(), Value::Null);
        if ends_initial_events {
            metadata.insert(
                "annotations".into(),
                json!({"k8s.io/initial-events-end": "true"}),
            );
        }
        let object = match self.call.accept.form {
            Form::Object => {
                json!({"kind": self.call.kind.kind, "apiVersion": self.call.kind.api_version(), "metadata": metadata})
            }
            Form::Partial => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
            }
            Form::Table => self.call.table(&[], metadata, false)?,
        };
        self.line("BOOKMARK", &object);
        Ok(())
    }

    fn fail(&mut self, status: &Status) {
        self.line("ERROR", &status.to_json());
        self.is_over = true;
    }

    /// Until there may be something to send, or it is time for a bookmark or for the end.
    async fn wait(&mut self) {
        let bookmark_at = self.next_bookmark.unwrap_or(self.deadline);
        tokio::select! {
            biased;
            woken = self.wake.changed() => if woken.is_err() {
                // The store is shutting down.
                self.is_over = true;
            },
            () = tokio::time::sleep_until(self.deadline) => {
                self.is_over = true;
                if self.next_bookmark.is_some() && let Err(status) = self.bookmark(false) {
                    self.fail(&status);
                }
            }
            () = tokio::time::sleep_until(bookmark_at) => {
                self.next_bookmark = Some(bookmark_at + BOOKMARK_EVERY);
                if let Err(status) = self.bookmark(false) {
                    self.fail(&status);
                }
            }
        }
    }
}

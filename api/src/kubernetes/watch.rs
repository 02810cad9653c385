//! Watch: a stream of changes, one JSON object a line.
//!
//! The stream is pulled. Each time the connection can take more, it reads on from where it stands: from the feed of recent
//! changes, or from the store's log when the feed begins later. A slow reader therefore holds nobody up, and one that is
//! slower than compaction gets 410 and lists anew.

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
use super::splice;
use crate::error::{CauseReason, Fault, Status};
use crate::feed::{Entry, Event, Reach, Wanted};
use crate::server::presented;
use crate::store::{ChangeKind, Document, ListQuery, StoreError};

/// How long a watch lasts for which the client named no end.
const LONGEST: Duration = Duration::from_secs(45 * 60);

/// How often an idle watch says how far it has got, to those who asked for it.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// Changes read in one go.
const BATCH: usize = 500;

struct Watch {
    call: Arc<Call>,
    selector: Selector,
    /// Everything up to this revision has been sent or was not selected.
    seen: u64,
    ready: VecDeque<Bytes>,
    /// Announces what the feed has read.
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
    let wake = call.server.feed.subscribe();
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
        Initial::Newest => watch.seen = watch.newest(),
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
    /// How far the store has come, as far as this server knows.
    fn newest(&self) -> u64 {
        *self.call.server.store.revision().borrow()
    }

    /// A version from the future is one of another life of this store (a restored backup). Waiting for it would be
    /// waiting for ever; "too old" makes every client list anew.
    async fn check_origin(&self, from: u64) -> Result<(), Status> {
        if from <= self.newest() {
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
            if !self.selects(&stored.object) {
                continue;
            }
            let line = self
                .call
                .is_plain()
                .then(|| splice::event(Event::Added.name(), stored.object.text(), stored.revision));
            match line.flatten() {
                Some(line) => self.ready.push_back(line),
                None => self.push(Event::Added, stored.object.into_value(), stored.revision)?,
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
        let wanted = Wanted {
            resource: &resource,
            namespace,
        };
        loop {
            let (entries, through) = match call.server.feed.after(self.seen, &wanted, BATCH) {
                Reach::Through(entries, through) => (entries, through),
                Reach::Older => self.read_store(&wanted).await?,
            };
            for entry in &entries {
                self.change(entry)?;
            }
            let is_all = through == self.seen || entries.len() < BATCH;
            self.seen = self.seen.max(through);
            if is_all || !self.ready.is_empty() {
                return Ok(());
            }
        }
    }

    /// What the store's own log says, for a watch that is further behind than the feed remembers.
    async fn read_store(&self, wanted: &Wanted<'_>) -> Result<(Vec<Arc<Entry>>, u64), Status> {
        let store = &self.call.server.store;
        match store
            .changes(wanted.resource, wanted.namespace, self.seen, BATCH)
            .await
        {
            Ok((changes, through)) => {
                let entries = changes.into_iter().map(Entry::new).map(Arc::new).collect();
                Ok((entries, through))
            }
            Err(StoreError::Compacted { floor }) => Err(Status::expired(self.seen, floor)),
            Err(error) => Err(self.call.refused("", error)),
        }
    }

    /// Whoever wants everything does not have the document read for it.
    fn selects(&self, object: &Document) -> bool {
        self.selector.is_everything() || self.selector.matches(object)
    }

    /// What a change is to this watch: objects come into a selection and leave it.
    fn change(&mut self, entry: &Entry) -> Result<(), Status> {
        let change = entry.change();
        let was = change
            .previous
            .as_ref()
            .is_some_and(|object| self.selects(object));
        let is = change.kind != ChangeKind::Deleted && self.selects(&change.object);
        let event = match (was, is) {
            (true, true) => Event::Modified,
            (false, true) => Event::Added,
            (true, false) => Event::Deleted,
            (false, false) => return Ok(()),
        };
        let line = self.call.is_plain().then(|| entry.line(event)).flatten();
        match line {
            Some(line) => {
                self.ready.push_back(line);
                Ok(())
            }
            None => self.push(event, change.object.to_value(), change.revision),
        }
    }

    fn push(&mut self, event: Event, object: Value, revision: u64) -> Result<(), Status> {
        let object = presented(&self.call.kind, object, revision);
        let object = self.call.rendered(object, !self.has_sent_definitions)?;
        self.has_sent_definitions = true;
        self.line(event.name(), &object);
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

//! Get and list.

mod past;
mod stream;
mod token;
mod version;

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

use self::token::Token;
use self::version::Wanted;
use super::call::{Call, Outcome, Subject};
use super::negotiate::Form;
use super::selector::Selector;
use super::table;
use crate::error::{Reason, Status};
use crate::server::presented;
use crate::store::{ListQuery, StoreError, Stored};

/// Objects looked at in one go while a selector is filling a page.
const SCAN: usize = 500;

/// GET of an object or of its status.
pub(crate) async fn get(call: &Call) -> Result<Response, Status> {
    if let Some(version) = call.query.number("resourceVersion")? {
        Wanted::NotOlderThan(version).check(newest(call, version).await?)?;
    }
    let live = call.existing().await?;
    call.respond(Outcome {
        code: StatusCode::OK,
        object: Subject::Stored(live.object, live.revision),
        warnings: Vec::new(),
    })
}

/// The store's newest version, or one that is not before `wanted`.
async fn newest(call: &Call, wanted: u64) -> Result<u64, Status> {
    let known = *call.server.store.revision().borrow();
    if wanted <= known {
        return Ok(known);
    }
    // Another server on the same database may have handed it out before word of it came here: ask the store itself.
    let resource = call.kind.resource();
    let log = call.server.store.changes(&resource, None, wanted, 1);
    let (_, newest) = log.await.map_err(|error| call.refused("", error))?;
    Ok(newest)
}

/// GET of a collection.
pub(crate) async fn list(call: &Call) -> Result<Response, Status> {
    let selector = Selector::of(&call.query, &call.kind)?;
    let wanted = Wanted::of_list(call)?;
    let limit = call.query.number("limit")?.filter(|limit| *limit > 0);
    let token = Token::of(call)?;
    let mut page = Filling {
        call,
        selector,
        limit: limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
        found: Vec::new(),
        last: token.as_ref().map(|token| token.after.clone()),
        left: 0,
    };
    let exact = match (&token, wanted) {
        (Some(token), _) if token.is_exact => Some(token.version),
        (None, Wanted::Exact(version)) => Some(version),
        _ => None,
    };
    let version = match (exact, token) {
        (Some(version), token) => {
            page.fill_from_the_past(version, token).await?;
            version
        }
        (None, Some(token)) if token.version > 0 => {
            check_reach(call, &token).await?;
            page.fill().await?;
            token.version
        }
        (None, _) => {
            let newest = page.fill().await?;
            wanted.check(newest)?;
            newest
        }
    };
    page.respond(version, exact.is_some())
}

/// A page that is being filled.
struct Filling<'c> {
    call: &'c Call,
    selector: Selector,
    limit: Option<usize>,
    found: Vec<Stored>,
    /// The last object that was looked at, when there is a limit: the next page begins behind it.
    last: Option<(String, String)>,
    /// How many were not looked at.
    left: u64,
}

impl Filling<'_> {
    fn is_full(&self) -> bool {
        self.limit.is_some_and(|limit| self.found.len() >= limit)
    }

    /// With the objects as they are now; answers with the version of the first look.
    async fn fill(&mut self) -> Result<u64, Status> {
        let mut version = None;
        loop {
            let wanted = self.limit.map(|limit| limit - self.found.len());
            let query = ListQuery {
                resource: self.call.kind.resource(),
                namespace: self.call.info.namespace.clone(),
                after: self.last.clone(),
                limit: match wanted {
                    Some(wanted) if !self.selector.is_everything() => Some(wanted.max(SCAN)),
                    wanted => wanted,
                },
            };
            let page = self.call.server.store.list(&query).await;
            let page = page.map_err(|error| self.call.refused("", error))?;
            let version = *version.get_or_insert(page.revision);
            self.take(page.items, page.remaining);
            if self.is_full() || self.left == 0 {
                return Ok(version);
            }
        }
    }

    /// With the objects as they were.
    async fn fill_from_the_past(
        &mut self,
        version: u64,
        token: Option<Token>,
    ) -> Result<(), Status> {
        let objects = past::objects(self.call, version).await;
        let mut objects = objects.map_err(|status| match token {
            Some(token) if status.reason() == Reason::Expired => token.expired(),
            _ => status,
        })?;
        if let Some((namespace, name)) = &self.last {
            objects.retain(|stored| (&stored.key.namespace, &stored.key.name) > (namespace, name));
        }
        self.take(objects, 0);
        Ok(())
    }

    /// Takes what is selected until the page is full; `behind` says how many come after these.
    fn take(&mut self, stored: Vec<Stored>, behind: u64) {
        let count = stored.len();
        self.left = behind;
        for (index, stored) in stored.into_iter().enumerate() {
            if self.limit.is_some() {
                self.last = Some((stored.key.namespace.clone(), stored.key.name.clone()));
            }
            // Whoever wants everything does not have every document read for it.
            if self.selector.is_everything() || self.selector.matches(&stored.object) {
                self.found.push(stored);
            }
            if self.is_full() {
                self.left += (count - index - 1) as u64;
                return;
            }
        }
    }

    fn respond(self, version: u64, is_exact: bool) -> Result<Response, Status> {
        let (call, left) = (self.call, self.left);
        let next = self.last.filter(|_| left > 0);
        let token = next.map(|after| Token::behind(after, version, is_exact, call).encode());
        // With a selector nobody knows how many of the rest would match.
        let remaining = self.selector.is_everything().then_some(left);
        let remaining = remaining.filter(|remaining| *remaining > 0);
        let metadata = list_metadata(version, token, remaining);
        if call.is_plain() {
            return Ok(stream::respond(&call.kind, self.found, metadata));
        }
        let found = self.found.into_iter();
        let objects = found
            .map(|stored| presented(&call.kind, stored.object.into_value(), stored.revision))
            .collect();
        respond_list(call, objects, metadata)
    }
}

/// The metadata of a list.
pub(super) fn list_metadata(
    version: u64,
    token: Option<String>,
    remaining: Option<u64>,
) -> Map<String, Value> {
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".into(), json!(version.to_string()));
    if let Some(token) = token {
        metadata.insert("continue".into(), json!(token));
        if let Some(remaining) = remaining {
            metadata.insert("remainingItemCount".into(), json!(remaining));
        }
    }
    metadata
}

/// Answers with a list, in the form that was agreed on.
pub(super) fn respond_list(
    call: &Call,
    objects: Vec<Value>,
    metadata: Map<String, Value>,
) -> Result<Response, Status> {
    let body = match call.accept.form {
        Form::Table => call.table(&objects, metadata, true)?,
        Form::Partial => {
            json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata, "items": objects.iter().map(table::partial).collect::<Vec<_>>()})
        }
        Form::Object => {
            json!({"kind": format!("{}List", call.kind.kind), "apiVersion": call.kind.api_version(),
            "metadata": metadata, "items": objects})
        }
    };
    Ok(call.accept.respond(StatusCode::OK, &body))
}

/// Whether a watch from the token's version would still be possible; if not, a list that went on would promise too much.
async fn check_reach(call: &Call, token: &Token) -> Result<(), Status> {
    let namespace = call.info.namespace.as_deref();
    match call
        .server
        .store
        .changes(&call.kind.resource(), namespace, token.version, 1)
        .await
    {
        Ok(_) => Ok(()),
        Err(StoreError::Compacted { .. }) => Err(token.clone().expired()),
        Err(error) => Err(call.refused("", error)),
    }
}

//! One request for objects of one kind, with all that its handler needs.

use std::sync::Arc;

use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

use super::body::Body;
use super::managed_fields::Author;
use super::negotiate::{Accept, Encoding, Form, IncludeObject};
use super::request::{FieldValidation, Query, RequestInfo};
use super::{splice, table};
use crate::audit::Origin;
use crate::auth::Identity;
use crate::error::Status;
use crate::kinds::Kind;
use crate::server::{Server, presented};
use crate::store::{Document, Key, StoreError, Stored, Write};

/// A request for objects.
pub(crate) struct Call {
    pub(crate) server: Arc<Server>,
    pub(crate) kind: Arc<Kind>,
    pub(crate) info: RequestInfo,
    pub(crate) query: Query,
    pub(crate) identity: Identity,
    pub(crate) origin: Arc<Origin>,
    pub(crate) accept: Accept,
    pub(crate) body: Body,
    pub(crate) user_agent: String,
}

/// A request that went well.
pub(crate) struct Outcome {
    pub(crate) code: StatusCode,
    pub(crate) object: Subject,
    /// For `Warning:` headers.
    pub(crate) warnings: Vec<String>,
}

/// The one object that an answer is about.
pub(crate) enum Subject {
    /// As clients see it.
    Shown(Value),
    /// As it is stored, with its version: most answers are this text and nothing else.
    Stored(Document, u64),
}

impl Subject {
    /// The object as clients see it.
    pub(crate) fn shown(self, kind: &Kind) -> Value {
        match self {
            Self::Shown(object) => object,
            Self::Stored(document, revision) => presented(kind, document.into_value(), revision),
        }
    }
}

impl Call {
    /// The namespace of the path; empty for cluster-scoped kinds.
    pub(crate) fn namespace(&self) -> &str {
        self.info.namespace.as_deref().unwrap_or_default()
    }

    /// The name in the path; the request parser has seen to it that there is one where handlers ask.
    pub(crate) fn name(&self) -> &str {
        self.info.name.as_deref().unwrap_or_default()
    }

    /// Whether only `status` is meant.
    pub(crate) fn is_status(&self) -> bool {
        self.info.subresource.as_deref() == Some("status")
    }

    pub(crate) fn key(&self, name: &str) -> Key {
        Key::new(self.kind.resource(), self.namespace(), name)
    }

    /// Does a write on the caller's account. `before` is what it replaces or removes.
    pub(crate) async fn write(
        &self,
        write: Write,
        before: Option<&Document>,
    ) -> Result<u64, StoreError> {
        self.server.write(&self.origin, write, before).await
    }

    /// A store error as the client should see it.
    pub(crate) fn refused(&self, name: &str, error: StoreError) -> Status {
        Status::from_store(&self.kind, name, error)
    }

    /// The object of the path, if it is there.
    pub(crate) async fn live(&self) -> Result<Option<Stored>, Status> {
        self.server
            .store
            .get(&self.key(self.name()))
            .await
            .map_err(|error| self.refused(self.name(), error))
    }

    /// The object of the path.
    pub(crate) async fn existing(&self) -> Result<Stored, Status> {
        self.found(self.live().await?)
    }

    /// What was found, or that there is no such object.
    pub(crate) fn found(&self, live: Option<Stored>) -> Result<Stored, Status> {
        live.ok_or_else(|| Status::not_found(&self.kind, self.name()))
    }

    /// An object that the kind's own metadata says is wrong in these fields.
    pub(crate) fn invalid(&self, name: &str, faults: Vec<crate::error::Fault>) -> Status {
        Status::invalid(&self.kind.group, &self.kind.kind, name, faults)
    }

    /// On whose account changes go.
    pub(crate) fn author(&self) -> Author {
        let from_agent = self
            .user_agent
            .split('/')
            .next()
            .filter(|name| !name.is_empty());
        let manager = self
            .query
            .get("fieldManager")
            .or(from_agent)
            .unwrap_or("unknown");
        Author {
            manager: manager.chars().take(128).collect(),
            api_version: self.kind.api_version(),
            subresource: self.info.subresource.clone().unwrap_or_default(),
            time: self.server.now_text(),
        }
    }

    /// Refuses or reports unknown and repeated fields, as the client asked.
    pub(crate) fn judge_unknown(
        &self,
        unknown: &[String],
        duplicates: &[String],
    ) -> Result<Vec<String>, Status> {
        let complaints: Vec<String> = unknown
            .iter()
            .map(|path| format!("unknown field {path:?}"))
            .chain(
                duplicates
                    .iter()
                    .map(|path| format!("duplicate field {path:?}")),
            )
            .collect();
        match self.query.field_validation()? {
            FieldValidation::Ignore => Ok(Vec::new()),
            FieldValidation::Warn => Ok(complaints),
            FieldValidation::Strict if complaints.is_empty() => Ok(complaints),
            FieldValidation::Strict => Err(Status::bad_request(format!(
                "{kind} in version {version:?} cannot be handled as a {kind}: strict decoding error: {}",
                complaints.join(", "),
                kind = self.kind.kind,
                version = self.kind.version,
            ))),
        }
    }

    /// Whether answers have the objects in them and not only what identifies or summarises them.
    pub(crate) fn shows_whole_objects(&self) -> bool {
        match self.accept.form {
            Form::Object => true,
            Form::Partial => false,
            Form::Table => matches!(self.include_object(), Ok(IncludeObject::Object)),
        }
    }

    fn include_object(&self) -> Result<IncludeObject, Status> {
        self.query
            .get("includeObject")
            .map_or(Ok(IncludeObject::Metadata), |text| {
                text.parse().map_err(|_| {
                    Status::bad_request(format!(
                        "includeObject: {text:?} is none of None, Metadata, Object"
                    ))
                })
            })
    }

    /// Whether objects go out as they are stored, but for their version.
    pub(super) fn is_plain(&self) -> bool {
        self.accept.form == Form::Object
            && self.accept.encoding == Encoding::Json
            && self.kind.form.is_none()
    }

    /// One object in the form that was agreed on. Watches leave the column definitions out after the first.
    pub(crate) fn rendered(&self, object: Value, with_definitions: bool) -> Result<Value, Status> {
        Ok(match self.accept.form {
            Form::Object => object,
            Form::Partial => table::partial(&object),
            Form::Table => {
                let mut metadata = Map::new();
                metadata.insert(
                    "resourceVersion".into(),
                    object["metadata"]["resourceVersion"].clone(),
                );
                self.table(&[object], metadata, with_definitions)?
            }
        })
    }

    /// Objects as a table.
    pub(crate) fn table(
        &self,
        objects: &[Value],
        metadata: Map<String, Value>,
        with_definitions: bool,
    ) -> Result<Value, Status> {
        let now = self.server.now();
        Ok(table::table(
            &self.kind.columns,
            objects,
            metadata,
            self.include_object()?,
            with_definitions,
            now,
        ))
    }

    /// Answers with one object.
    pub(crate) fn respond(&self, outcome: Outcome) -> Result<Response, Status> {
        let spliced = match &outcome.object {
            Subject::Stored(document, revision) if self.is_plain() => {
                splice::versioned(document.text(), *revision)
                    .map(|(before, version, behind)| [before, &version, behind].concat())
            }
            _ => None,
        };
        let mut response = match spliced {
            Some(text) => self.accept.json(outcome.code, text),
            None => {
                let body = self.rendered(outcome.object.shown(&self.kind), true)?;
                self.accept.respond(outcome.code, &body)
            }
        };
        warn(response.headers_mut(), &outcome.warnings);
        Ok(response)
    }
}

/// Adds `Warning:` headers (RFC 7234, code 299). Clients print them; more than a screenful helps nobody.
fn warn(headers: &mut HeaderMap, warnings: &[String]) {
    for warning in warnings.iter().take(100) {
        let text: String = warning.chars().filter(|char| !char.is_control()).collect();
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_bytes(format!("299 - \"{quoted}\"").as_bytes()) {
            headers.append(header::WARNING, value);
        }
    }
}

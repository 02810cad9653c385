//! A list as JSON, from stored texts to the wire without a tree in between and without a second copy of the whole.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, header};
use hyper::body::{Frame, SizeHint};
use serde_json::{Map, Value, json};

use crate::kinds::Kind;
use crate::kubernetes::splice;
use crate::server::presented;
use crate::store::Stored;

/// A chunk is handed on when it has got this long.
const CHUNK: usize = 64 << 10;

/// What is left to send.
struct List {
    kind: Arc<Kind>,
    /// Everything before the items; empty once it is sent.
    head: String,
    items: VecDeque<Stored>,
    is_first: bool,
    is_over: bool,
}

/// Answers with these objects. A text is let go when it has been sent; a slow reader keeps those that are left.
pub(super) fn respond(
    kind: &Arc<Kind>,
    items: Vec<Stored>,
    metadata: Map<String, Value>,
) -> Response {
    let head = format!(
        r#"{{"kind":{},"apiVersion":{},"metadata":{},"items":["#,
        json!(format!("{}List", kind.kind)),
        json!(kind.api_version()),
        Value::Object(metadata),
    );
    let list = List {
        kind: Arc::clone(kind),
        head,
        items: items.into(),
        is_first: true,
        is_over: false,
    };
    let mut response = Response::new(Body::new(list));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache, private"),
    );
    response
}

impl HttpBody for List {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next().map(Frame::data).map(Ok))
    }

    /// Without the commas and the versions, which nobody decides by.
    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        let items = self.items.iter();
        let items: usize = items.map(|stored| stored.object.weight()).sum();
        hint.set_lower((self.head.len() + items) as u64);
        hint
    }
}

impl List {
    fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        let mut chunk = std::mem::take(&mut self.head);
        while chunk.len() < CHUNK {
            let Some(stored) = self.items.pop_front() else {
                chunk.push_str("]}");
                self.is_over = true;
                break;
            };
            if !std::mem::take(&mut self.is_first) {
                chunk.push(',');
            }
            write(&mut chunk, &self.kind, stored);
        }
        Some(chunk.into())
    }
}

fn write(chunk: &mut String, kind: &Kind, stored: Stored) {
    match splice::versioned(stored.object.text(), stored.revision) {
        Some((before, version, behind)) => {
            for part in [before, &version, behind] {
                chunk.push_str(part);
            }
        }
        None => {
            let object = presented(kind, stored.object.into_value(), stored.revision);
            chunk.push_str(&object.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Key;

    fn item(name: &str, object: Value) -> Stored {
        Stored {
            key: Key::new("things", "a", name),
            revision: 7,
            object: object.into(),
        }
    }

    async fn sent(items: Vec<Stored>) -> Value {
        let kind = Arc::new(Kind::new("g", "v1", "Thing", "things", json!({})));
        let metadata = json!({"resourceVersion": "9"}).as_object().cloned();
        let response = respond(&kind, items, metadata.unwrap());
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
        serde_json::from_slice(&body.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_list_of_any_length_is_one_document() {
        let large = "x".repeat(CHUNK / 3);
        for count in [0, 1, 2, 20] {
            let items = (0..count)
                .map(|index| {
                    let name = format!("n{index}");
                    item(&name, json!({"metadata": {"name": name}, "data": large}))
                })
                .collect();
            let list = sent(items).await;
            assert_eq!(list["kind"], "ThingList");
            assert_eq!(list["apiVersion"], "g/v1");
            assert_eq!(list["metadata"]["resourceVersion"], "9");
            let items = list["items"].as_array().unwrap();
            assert_eq!(items.len(), count);
            for (index, item) in items.iter().enumerate() {
                assert_eq!(item["metadata"]["name"], format!("n{index}"));
                assert_eq!(item["metadata"]["resourceVersion"], "7");
            }
        }
    }

    #[tokio::test]
    async fn an_object_without_metadata_is_listed_as_it_is() {
        let list = sent(vec![item("a", json!({"x": 1}))]).await;
        assert_eq!(list["items"], json!([{"x": 1}]));
    }
}

//! A Swagger document as the protobuf message that Go clients read it in.
//!
//! The message is `openapi.v2.Document` of google/gnostic (`openapiv2/OpenAPIv2.proto`); the numbers below are its field
//! numbers. Only what clients read is written: names, types, references, descriptions, and Kubernetes' extensions, whose
//! values are YAML text, for which JSON does.

use serde_json::{Map, Value};

/// The document's bytes.
pub(super) fn document(swagger: &Value) -> Vec<u8> {
    let mut out = Message::default();
    out.text(1, &swagger["swagger"]);
    let mut info = Message::default();
    info.text(1, &swagger["info"]["title"]);
    info.text(2, &swagger["info"]["version"]);
    out.message(2, info);
    let mut paths = Message::default();
    for (name, path) in entries(&swagger["paths"]) {
        paths.message(2, named(name, path_item(path)));
    }
    out.message(8, paths);
    out.message(9, schemas(&swagger["definitions"]));
    out.0
}

fn path_item(path: &Value) -> Message {
    let mut out = Message::default();
    for (number, method) in [
        (2, "get"),
        (3, "put"),
        (4, "post"),
        (5, "delete"),
        (8, "patch"),
    ] {
        if let Some(operation) = path.get(method) {
            out.message(number, self::operation(operation));
        }
    }
    out
}

fn operation(operation: &Value) -> Message {
    let mut out = Message::default();
    out.text(5, &operation["operationId"]);
    out.texts(6, &operation["produces"]);
    out.texts(7, &operation["consumes"]);
    let mut responses = Message::default();
    for (code, answer) in entries(&operation["responses"]) {
        let mut response = Message::default();
        response.text(1, &answer["description"]);
        let mut value = Message::default();
        value.message(1, response);
        responses.message(1, named(code, value));
    }
    out.message(9, responses);
    out.extensions(13, operation);
    out
}

/// `Definitions` and `Properties` have the same shape.
fn schemas(named_schemas: &Value) -> Message {
    let mut out = Message::default();
    for (name, value) in entries(named_schemas) {
        out.message(1, named(name, schema(value)));
    }
    out
}

fn schema(document: &Value) -> Message {
    let mut out = Message::default();
    out.text(1, &document["$ref"]);
    out.text(2, &document["format"]);
    out.text(4, &document["description"]);
    if let Some(default) = document.get("default").filter(|default| !default.is_null()) {
        out.message(5, any(default));
    }
    out.texts(19, &document["required"]);
    for option in document["enum"].as_array().into_iter().flatten() {
        out.message(20, any(option));
    }
    match &document["additionalProperties"] {
        inner @ Value::Object(_) => {
            let mut item = Message::default();
            item.message(1, schema(inner));
            out.message(21, item);
        }
        Value::Bool(true) => {
            let mut item = Message::default();
            item.flag(2);
            out.message(21, item);
        }
        _ => {}
    }
    if document["type"].is_string() {
        let mut types = Message::default();
        types.text(1, &document["type"]);
        out.message(22, types);
    }
    if document["items"].is_object() {
        let mut items = Message::default();
        items.message(1, schema(&document["items"]));
        out.message(23, items);
    }
    for part in document["allOf"].as_array().into_iter().flatten() {
        out.message(24, schema(part));
    }
    if document["properties"].is_object() {
        out.message(25, schemas(&document["properties"]));
    }
    out.extensions(31, document);
    out
}

/// Any `Named…` message: a name and a value.
fn named(name: &str, value: Message) -> Message {
    let mut out = Message::default();
    out.bytes(1, name.as_bytes());
    out.message(2, value);
    out
}

/// `Any` by its YAML text.
fn any(value: &Value) -> Message {
    let mut out = Message::default();
    out.bytes(2, value.to_string().as_bytes());
    out
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// The bytes of a message under way.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn bytes(&mut self, number: u64, bytes: &[u8]) {
        self.varint(number << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn message(&mut self, number: u64, message: Message) {
        self.bytes(number, &message.0);
    }

    fn flag(&mut self, number: u64) {
        self.varint(number << 3);
        self.varint(1);
    }

    fn text(&mut self, number: u64, value: &Value) {
        if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
            self.bytes(number, text.as_bytes());
        }
    }

    fn texts(&mut self, number: u64, values: &Value) {
        for value in values.as_array().into_iter().flatten() {
            self.text(number, value);
        }
    }

    fn extensions(&mut self, number: u64, document: &Value) {
        for (name, value) in entries(document).filter(|(name, _)| name.starts_with("x-")) {
            self.message(number, named(name, any(value)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_and_lengths_are_written_as_protobuf_has_them() {
        let mut message = Message::default();
        message.text(1, &json!("2.0"));
        message.bytes(25, &[7; 200]);
        assert_eq!(message.0[..5], [0x0a, 3, b'2', b'.', b'0']);
        assert_eq!(message.0[5..9], [0xca, 0x01, 0xc8, 0x01]);
        assert_eq!(message.0.len(), 209);
    }
}

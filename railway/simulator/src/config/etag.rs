//! The etag of an environment's configuration.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt::Write;

use super::defaults::strip;

/// A hash that moves with every effective change and with nothing else: key order and spelled-out defaults do not count.
pub(crate) fn etag(config: &Value, salt: u64) -> String {
    let mut text = String::new();
    write_canonical(&effective(config), &mut text);
    let mut hash = Sha256::new();
    hash.update(text.as_bytes());
    if salt > 0 {
        hash.update(salt.to_be_bytes());
    }
    hex::encode(&hash.finalize()[..16])
}

/// The config without defaults and empty blocks.
pub(crate) fn effective(config: &Value) -> Value {
    let Some(config) = config.as_object() else {
        return Value::Null;
    };
    let mut bare = Map::new();
    for (key, value) in config {
        let value = match (key.as_str(), value) {
            ("services", Value::Object(services)) => Value::Object(
                services
                    .iter()
                    .map(|(id, service)| {
                        let service = service.as_object().map(strip).unwrap_or_default();
                        (id.clone(), Value::Object(service))
                    })
                    .collect(),
            ),
            _ => value.clone(),
        };
        let empty = value.as_object().is_some_and(Map::is_empty) || value.is_null();
        if !empty {
            bare.insert(key.clone(), value);
        }
    }
    Value::Object(bare)
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            out.push('{');
            for key in keys {
                let _ = write!(out, "{key:?}:");
                write_canonical(&map[key], out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        leaf => {
            let _ = write!(out, "{leaf}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn defaults_and_empty_blocks_do_not_move_the_etag() {
        let plain = json!({"services": {"s": {"source": {"image": "a"}}}});
        let spelled_out = json!({"services": {"s": {
            "variables": {}, "deploy": {"runtime": "V2"}, "source": {"image": "a"},
            "build": {"builder": "RAILPACK"}}}, "sharedVariables": {}});
        assert_eq!(etag(&plain, 0), etag(&spelled_out, 0));
        let other = json!({"services": {"s": {"source": {"image": "b"}}}});
        assert_ne!(etag(&plain, 0), etag(&other, 0));
    }
}

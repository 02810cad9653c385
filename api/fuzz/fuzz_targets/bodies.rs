//! Bodies: objects and patches of every type, on an object of every kind, through the whole server.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mirage_api_fuzz::{COLLECTIONS, ask};

const TYPES: [(&str, &str); 8] = [
    ("PATCH", "application/merge-patch+json"),
    ("PATCH", "application/json-patch+json"),
    ("PATCH", "application/apply-patch+yaml"),
    ("PATCH", "application/strategic-merge-patch+json"),
    ("PUT", "application/json"),
    ("PUT", "application/yaml"),
    ("POST", "application/json"),
    ("DELETE", "application/json"),
];

fuzz_target!(|data: &[u8]| {
    let Some((which, body)) = data.split_first() else {
        return;
    };
    let (method, content_type) = TYPES[usize::from(which & 7)];
    let collection = COLLECTIONS[usize::from(which >> 3) % COLLECTIONS.len()];
    let uri = match method {
        "POST" => format!("{collection}?dryRun=All"),
        // What is gone could not be patched any more.
        "DELETE" => format!("{collection}/web?dryRun=All"),
        _ if content_type.contains("apply") => format!("{collection}/web?fieldManager=f&force=true"),
        _ => format!("{collection}/web"),
    };
    ask(method, &uri, content_type, body.to_vec());
});

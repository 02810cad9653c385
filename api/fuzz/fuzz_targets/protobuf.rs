//! What comes in Kubernetes' protobuf envelope.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mirage_api_fuzz::{COLLECTIONS, ask};

fuzz_target!(|data: &[u8]| {
    let Some((which, message)) = data.split_first() else {
        return;
    };
    let collection = COLLECTIONS[usize::from(*which) % COLLECTIONS.len()];
    let body = [b"k8s\0".as_slice(), message].concat();
    let uri = format!("{collection}?dryRun=All");
    ask("POST", &uri, "application/vnd.kubernetes.protobuf", body);
});

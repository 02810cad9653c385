//! Paths and queries: a byte for the method, then the address as it is on the wire.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mirage_api_fuzz::ask;

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

fuzz_target!(|data: &[u8]| {
    let Some((method, address)) = data.split_first() else {
        return;
    };
    let Ok(address) = std::str::from_utf8(address) else {
        return;
    };
    let method = METHODS[usize::from(*method) % METHODS.len()];
    ask(method, &format!("/{address}"), "application/json", "{}");
});

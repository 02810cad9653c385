//! Continue tokens of somebody's own making, and versions that go with them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mirage_api_fuzz::{COLLECTIONS, ask, encoded};

fuzz_target!(|data: &[u8]| {
    let Some(([which, version], token)) = data.split_first_chunk() else {
        return;
    };
    let collection = COLLECTIONS[usize::from(*which) % COLLECTIONS.len()];
    let token = encoded(token);
    let version = ["", "&resourceVersion=0", "&resourceVersion=1&resourceVersionMatch=Exact"]
        [usize::from(*version) % 3];
    ask("GET", &format!("{collection}?limit=1&continue={token}{version}"), "", "");
});

//! Label and field selectors, in lists and in watches.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mirage_api_fuzz::{COLLECTIONS, ask, encoded};

fuzz_target!(|data: &[u8]| {
    let Some((which, selector)) = data.split_first() else {
        return;
    };
    let parameter = ["labelSelector", "fieldSelector"][usize::from(which & 1)];
    let watch = ["", "&watch=true&timeoutSeconds=1"][usize::from(which >> 1 & 1)];
    let collection = COLLECTIONS[usize::from(which >> 2) % COLLECTIONS.len()];
    let selector = encoded(selector);
    ask("GET", &format!("{collection}?{parameter}={selector}{watch}"), "", "");
});

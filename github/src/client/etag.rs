//! Answers that GitHub may tell us to use again.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use http::HeaderValue;

/// A page of 100 pull requests is about 2 MB at GitHub: room for the lists of some ten repositories.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// An answer and the tag it came with.
#[derive(Clone, Debug)]
pub(super) struct Tagged {
    pub(super) etag: HeaderValue,
    /// Where the next page is: a header, and part of the answer.
    pub(super) link: Option<HeaderValue>,
    pub(super) body: Bytes,
}

/// The latest answers by address, bounded by the size of their bodies; what was used longest ago goes first.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    answers: HashMap<String, (u64, Tagged)>,
    /// The same by when they were last used.
    by_use: BTreeMap<u64, String>,
    bytes: usize,
    uses: u64,
}

impl Remembered {
    /// The answer of an address, which counts as used.
    pub(super) fn get(&mut self, address: &str) -> Option<Tagged> {
        self.uses += 1;
        let (used, tagged) = self.answers.get_mut(address)?;
        if let Some(address) = self.by_use.remove(used) {
            self.by_use.insert(self.uses, address);
        }
        *used = self.uses;
        Some(tagged.clone())
    }

    /// Remembers an answer in place of the one before.
    pub(super) fn put(&mut self, address: &str, tagged: Tagged) {
        self.forget(address);
        if tagged.body.len() > MOST_BYTES {
            return;
        }
        self.uses += 1;
        self.bytes += tagged.body.len();
        self.by_use.insert(self.uses, address.to_owned());
        self.answers.insert(address.to_owned(), (self.uses, tagged));
        while self.bytes > MOST_BYTES
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, address: &str) {
        if let Some((used, tagged)) = self.answers.remove(address) {
            self.by_use.remove(&used);
            self.bytes -= tagged.body.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(bytes: usize) -> Tagged {
        Tagged {
            etag: HeaderValue::from_static("\"a\""),
            link: None,
            body: vec![0; bytes].into(),
        }
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let third = MOST_BYTES / 3;
        let mut remembered = Remembered::default();
        for address in ["a", "b", "c"] {
            remembered.put(address, tagged(third));
        }
        assert!(remembered.get("a").is_some());
        remembered.put("d", tagged(third));
        let there: Vec<_> = ["a", "b", "c", "d"]
            .into_iter()
            .filter(|address| remembered.answers.contains_key(*address))
            .collect();
        assert_eq!(there, ["a", "c", "d"]);
        assert_eq!(remembered.bytes, 3 * third);
        assert_eq!(remembered.by_use.len(), 3);
    }

    #[test]
    fn what_does_not_fit_is_not_remembered_and_forgets_what_was() {
        let mut remembered = Remembered::default();
        remembered.put("a", tagged(1));
        remembered.put("a", tagged(MOST_BYTES + 1));
        assert!(remembered.get("a").is_none());
        assert_eq!(remembered.bytes, 0);
    }
}

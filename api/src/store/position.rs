//! Behind which object a page of a list begins.

use std::cmp::Ordering;

use super::ListQuery;

/// Behind which (namespace, name) to begin; no name is empty, so the default comes before all.
pub(super) fn position(query: &ListQuery) -> (&str, &str) {
    match &query.after {
        Some((namespace, name)) => (namespace, name),
        None => ("", ""),
    }
}

/// Behind which name of this namespace to begin; `None` when the position is past the namespace. Asked this way, and
/// not as a pair, because a database then reads only the namespace, in order.
pub(super) fn position_in<'q>(query: &'q ListQuery, namespace: &str) -> Option<&'q str> {
    match &query.after {
        None => Some(""),
        Some((after, name)) => match after.as_str().cmp(namespace) {
            Ordering::Less => Some(""),
            Ordering::Equal => Some(name),
            Ordering::Greater => None,
        },
    }
}

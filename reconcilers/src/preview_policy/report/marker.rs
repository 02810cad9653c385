//! By what our comment on a pull request is found again. Pure.
//!
//! It is hidden in the comment's text, and counts only in a comment by our own account: anybody can copy a text. It also
//! holds the newest comment whose commands were carried out, so that they are not carried out again when everything else
//! that remembers it is gone, as after a pull request was closed and reopened.

/// The mark of one policy's comments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    policy: String,
}

const OPEN: &str = "<!-- mirage.dev/preview ";
const CLOSE: &str = " -->";
const HEARD: &str = " heard=";

impl Marker {
    /// Of a policy.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            policy: format!("{namespace}/{name}"),
        }
    }

    /// As the first line of a comment.
    pub fn write(&self, heard: Option<u64>) -> String {
        let heard = heard.map_or_else(String::new, |id| format!("{HEARD}{id}"));
        format!("{OPEN}{}{heard}{CLOSE}", self.policy)
    }

    /// Whether a comment bears it, and what it remembers.
    pub fn read(&self, body: &str) -> Option<Option<u64>> {
        let line = body.lines().next()?.trim_end();
        let inner = line.strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
        let rest = inner.strip_prefix(&self.policy)?;
        match rest {
            "" => Some(None),
            _ => Some(Some(rest.strip_prefix(HEARD)?.parse().ok()?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_again_and_only_by_its_own_policy() {
        let marker = Marker::new("default", "shop");
        for heard in [None, Some(17)] {
            let body = format!("{}\ntext", marker.write(heard));
            assert_eq!(marker.read(&body), Some(heard));
            assert_eq!(Marker::new("default", "sho").read(&body), None);
            assert_eq!(Marker::new("team", "shop").read(&body), None);
            assert_eq!(marker.read(&format!("> {body}")), None);
        }
        assert_eq!(marker.read(""), None);
    }
}

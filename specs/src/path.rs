//! Where something stands in an object, written as Kubernetes does: `spec.services.api.dependsOn[0]`.

use std::fmt;

/// The path of a field from the top of its object. The root is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(String);

impl FieldPath {
    /// The object itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// The entry `key` of the map at this path. Keys that would be misread after a dot stand in brackets.
    pub fn key(&self, key: &str) -> Self {
        let plain = !key.is_empty()
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        Self(match (plain, self.0.is_empty()) {
            (true, true) => key.to_owned(),
            (true, false) => format!("{}.{key}", self.0),
            (false, _) => format!("{}[{key}]", self.0),
        })
    }

    /// The entry of the list at this path.
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path above this one; `None` at the root.
    pub fn parent(&self) -> Option<Self> {
        if self.0.is_empty() {
            return None;
        }
        let end = match self.0.strip_suffix(']') {
            Some(_) => self.0.rfind('[').unwrap_or(0),
            None => self.0.rfind('.').unwrap_or(0),
        };
        Some(Self(self.0[..end].to_owned()))
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for FieldPath {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_like_those_of_kubernetes() {
        let spec = FieldPath::root().key("spec");
        assert_eq!(
            spec.key("services")
                .key("api")
                .key("dependsOn")
                .index(0)
                .as_str(),
            "spec.services.api.dependsOn[0]"
        );
        assert_eq!(spec.key("a.b").as_str(), "spec[a.b]");
        assert_eq!(spec.key("a.b").parent(), Some(spec.clone()));
        assert_eq!(spec.key("x").index(3).parent(), Some(spec.key("x")));
        assert_eq!(spec.parent(), Some(FieldPath::root()));
        assert_eq!(FieldPath::root().parent(), None);
    }
}

//! Mirage's own id, which is never mistaken for one of Railway's.

use std::fmt;

use kube::ResourceExt;

/// `metadata.uid`: the only thing that relates Mirage's records to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MirageId(String);

impl MirageId {
    /// The id of a stored object; `None` for one that was never stored.
    pub fn of(object: &impl ResourceExt) -> Option<Self> {
        object.uid().map(Self)
    }

    /// As text, for the mark and for owner references.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MirageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Environment, EnvironmentSpec};

    use super::*;

    #[test]
    fn only_a_stored_object_has_an_id() {
        let mut environment = Environment::new("web", EnvironmentSpec::default());
        assert_eq!(MirageId::of(&environment), None);
        environment.metadata.uid = Some("5b0e".into());
        assert_eq!(MirageId::of(&environment).unwrap().as_str(), "5b0e");
    }
}

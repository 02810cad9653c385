//! What someone would like to do.

/// A request, as far as rights are concerned: either about objects, or about a path that is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Attributes<'a> {
    /// `get`, `deletecollection`, `bind`, …
    pub(crate) verb: &'a str,
    /// Empty for the core group.
    pub(crate) group: &'a str,
    /// The plural.
    pub(crate) resource: &'a str,
    /// `status`; empty for the object itself.
    pub(crate) subresource: &'a str,
    /// Empty at the cluster scope, and for requests over all namespaces.
    pub(crate) namespace: &'a str,
    /// Empty for whole collections.
    pub(crate) name: &'a str,
    /// Set for paths such as `/openapi/v3`; the other fields but the verb mean nothing then.
    pub(crate) path: &'a str,
}

impl Attributes<'_> {
    /// `environments/status`
    pub(crate) fn resource_path(&self) -> String {
        if self.subresource.is_empty() {
            self.resource.to_owned()
        } else {
            format!("{}/{}", self.resource, self.subresource)
        }
    }
}

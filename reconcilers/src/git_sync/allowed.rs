//! What a repository may write. Pure.

use std::collections::BTreeSet;

use mirage_specs::git_sync::Allowed;

use super::key::{OWN_GROUP, in_words};

/// What may be written unless the spec says otherwise. A GitSync is not among them: it could allow itself more.
const USUAL: [&str; 3] = ["Environment", "EnvironmentTemplate", "RailwayAccount"];

/// Kinds and namespaces that a repository may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    kinds: BTreeSet<String>,
    namespaces: BTreeSet<String>,
}

impl Bounds {
    /// As the spec of a GitSync in `namespace` says.
    pub fn new(allowed: Option<&Allowed>, namespace: &str) -> Self {
        let kinds = allowed.and_then(|allowed| allowed.kinds.clone());
        let namespaces = allowed.and_then(|allowed| allowed.namespaces.clone());
        Self {
            kinds: kinds
                .unwrap_or_else(|| USUAL.map(str::to_owned).to_vec())
                .into_iter()
                .map(|kind| {
                    // Mirage's own kinds may be written with their group too.
                    match kind
                        .strip_suffix(OWN_GROUP)
                        .and_then(|kind| kind.strip_suffix('.'))
                    {
                        Some(short) => short.to_owned(),
                        None => kind,
                    }
                })
                .collect(),
            namespaces: namespaces
                .unwrap_or_else(|| vec![namespace.to_owned()])
                .into_iter()
                .collect(),
        }
    }

    /// Why a kind may not be written; `None` when it may.
    pub fn refuse_kind(&self, group: &str, kind: &str) -> Option<String> {
        let kind = in_words(group, kind);
        (!self.kinds.contains(&kind)).then(|| {
            format!(
                "this GitSync may not write {kind}; it may write {}; spec.allowed.kinds says which",
                list(&self.kinds)
            )
        })
    }

    /// Why a namespace may not be written to; `None` when it may.
    pub fn refuse_namespace(&self, namespace: &str) -> Option<String> {
        (!self.namespaces.contains(namespace)).then(|| {
            format!(
                "this GitSync may not write to namespace {namespace:?}; it may write to {}; \
                 spec.allowed.namespaces says which",
                list(&self.namespaces)
            )
        })
    }
}

fn list(words: &BTreeSet<String>) -> String {
    if words.is_empty() {
        return "nothing".to_owned();
    }
    words
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_bounds_hold_neither_secrets_nor_rights_nor_other_namespaces() {
        let bounds = Bounds::new(None, "shop");
        for (group, kind, may) in [
            ("mirage.dev", "Environment", true),
            ("mirage.dev", "EnvironmentTemplate", true),
            ("mirage.dev", "RailwayAccount", true),
            ("mirage.dev", "GitSync", false),
            ("mirage.dev", "Orphan", false),
            ("", "Secret", false),
            ("rbac.authorization.k8s.io", "Role", false),
            ("example.com", "Environment", false),
        ] {
            assert_eq!(
                bounds.refuse_kind(group, kind).is_none(),
                may,
                "{group} {kind}"
            );
        }
        assert_eq!(bounds.refuse_namespace("shop"), None);
        assert!(bounds.refuse_namespace("default").is_some());
    }

    #[test]
    fn what_is_listed_may_be_written_and_nothing_else() {
        let allowed = Allowed {
            kinds: Some(vec![
                "Secret".into(),
                "Role.rbac.authorization.k8s.io".into(),
                "Environment.mirage.dev".into(),
            ]),
            namespaces: Some(vec!["a".into()]),
        };
        let bounds = Bounds::new(Some(&allowed), "shop");
        assert_eq!(bounds.refuse_kind("", "Secret"), None);
        assert_eq!(
            bounds.refuse_kind("rbac.authorization.k8s.io", "Role"),
            None
        );
        assert_eq!(bounds.refuse_kind("mirage.dev", "Environment"), None);
        assert!(bounds.refuse_kind("", "Role").is_some());
        assert!(bounds.refuse_kind("mirage.dev", "RailwayAccount").is_some());
        assert!(
            bounds.refuse_namespace("shop").is_some(),
            "the own one is listed like any other"
        );
    }
}

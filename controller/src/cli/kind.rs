//! The kinds that the command line knows by name.

use kube::api::ApiResource;

/// One kind, and every word by which people may call it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) singular: &'static str,
    pub(crate) short: &'static [&'static str],
    pub(crate) namespaced: bool,
}

const MIRAGE: &str = "mirage.dev";

/// What a bare name means.
pub(crate) const ENVIRONMENT: Kind = Kind {
    group: MIRAGE,
    version: "v1alpha1",
    kind: "Environment",
    plural: "environments",
    singular: "environment",
    short: &["env", "envs"],
    namespaced: true,
};

/// What environments of a kind have in common.
pub(crate) const TEMPLATE: Kind = Kind {
    group: MIRAGE,
    version: "v1alpha1",
    kind: "EnvironmentTemplate",
    plural: "environmenttemplates",
    singular: "environmenttemplate",
    short: &["envt", "template", "templates"],
    namespaced: true,
};

/// A repository's folder that is kept applied.
pub(crate) const GIT_SYNC: Kind = Kind {
    group: MIRAGE,
    version: "v1alpha1",
    kind: "GitSync",
    plural: "gitsyncs",
    singular: "gitsync",
    short: &["gs", "sync", "syncs"],
    namespaced: true,
};

/// Ours first, then what Kubernetes clients expect around them.
pub(crate) const KINDS: &[Kind] = &[
    ENVIRONMENT,
    TEMPLATE,
    GIT_SYNC,
    Kind {
        group: MIRAGE,
        version: "v1alpha1",
        kind: "RailwayAccount",
        plural: "railwayaccounts",
        singular: "railwayaccount",
        short: &["rwa", "account", "accounts"],
        namespaced: true,
    },
    Kind {
        group: MIRAGE,
        version: "v1alpha1",
        kind: "Orphan",
        plural: "orphans",
        singular: "orphan",
        short: &[],
        namespaced: true,
    },
    Kind {
        group: MIRAGE,
        version: "v1alpha1",
        kind: "PreviewPolicy",
        plural: "previewpolicies",
        singular: "previewpolicy",
        short: &["pp", "preview", "previews"],
        namespaced: true,
    },
    Kind {
        group: MIRAGE,
        version: "v1alpha1",
        kind: "SecretStore",
        plural: "secretstores",
        singular: "secretstore",
        short: &["sst", "stores"],
        namespaced: true,
    },
    core("Secret", "secrets", "secret", &[], true),
    core("ConfigMap", "configmaps", "configmap", &["cm"], true),
    core("Event", "events", "event", &["ev"], true),
    core("Namespace", "namespaces", "namespace", &["ns"], false),
    Kind {
        group: "coordination.k8s.io",
        version: "v1",
        kind: "Lease",
        plural: "leases",
        singular: "lease",
        short: &[],
        namespaced: true,
    },
    Kind {
        group: "apiextensions.k8s.io",
        version: "v1",
        kind: "CustomResourceDefinition",
        plural: "customresourcedefinitions",
        singular: "customresourcedefinition",
        short: &["crd", "crds"],
        namespaced: false,
    },
    rbac("Role", "roles", "role", true),
    ROLE_BINDING,
    rbac("ClusterRole", "clusterroles", "clusterrole", false),
    CLUSTER_ROLE_BINDING,
    TOKEN,
];

/// What `mirage token` makes.
pub(crate) const TOKEN: Kind = Kind {
    group: "auth.mirage.dev",
    version: "v1alpha1",
    kind: "Token",
    plural: "tokens",
    singular: "token",
    short: &[],
    namespaced: false,
};

/// Gives a role in one namespace.
pub(crate) const ROLE_BINDING: Kind = rbac("RoleBinding", "rolebindings", "rolebinding", true);

/// Gives a role everywhere.
pub(crate) const CLUSTER_ROLE_BINDING: Kind = rbac(
    "ClusterRoleBinding",
    "clusterrolebindings",
    "clusterrolebinding",
    false,
);

const fn rbac(
    kind: &'static str,
    plural: &'static str,
    singular: &'static str,
    namespaced: bool,
) -> Kind {
    Kind {
        group: "rbac.authorization.k8s.io",
        version: "v1",
        kind,
        plural,
        singular,
        short: &[],
        namespaced,
    }
}

const fn core(
    kind: &'static str,
    plural: &'static str,
    singular: &'static str,
    short: &'static [&'static str],
    namespaced: bool,
) -> Kind {
    Kind {
        group: "",
        version: "v1",
        kind,
        plural,
        singular,
        short,
        namespaced,
    }
}

impl Kind {
    /// The kind that a person means by `word`, in any case, plural, singular, short or with its group.
    pub(crate) fn called(word: &str) -> Option<&'static Kind> {
        let word = word.to_ascii_lowercase();
        KINDS.iter().find(|kind| {
            word == kind.plural
                || word == kind.singular
                || kind.short.contains(&word.as_str())
                || (!kind.group.is_empty() && word == format!("{}.{}", kind.plural, kind.group))
        })
    }

    /// The kind of a manifest.
    pub(crate) fn of_manifest(api_version: &str, kind: &str) -> Option<&'static Kind> {
        KINDS
            .iter()
            .find(|known| known.kind == kind && known.api_version() == api_version)
    }

    /// `v1` or `mirage.dev/v1alpha1`.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The same for kube's dynamic API.
    pub(crate) fn resource(&self) -> ApiResource {
        ApiResource {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            api_version: self.api_version(),
            kind: self.kind.to_owned(),
            plural: self.plural.to_owned(),
        }
    }

    /// `environment.mirage.dev/shop`, the form in which kubectl names an object too.
    pub(crate) fn name_of(&self, name: &str) -> String {
        if self.group.is_empty() {
            format!("{}/{name}", self.singular)
        } else {
            format!("{}.{}/{name}", self.singular, self.group)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_answers_to_every_word_for_it() {
        for (word, kind) in [
            ("environments", "Environment"),
            ("Environment", "Environment"),
            ("env", "Environment"),
            ("environments.mirage.dev", "Environment"),
            ("templates", "EnvironmentTemplate"),
            ("account", "RailwayAccount"),
            ("previews", "PreviewPolicy"),
            ("gs", "GitSync"),
            ("ns", "Namespace"),
            ("secret", "Secret"),
        ] {
            assert_eq!(
                Kind::called(word).map(|kind| kind.kind),
                Some(kind),
                "{word}"
            );
        }
        assert_eq!(Kind::called("shop"), None);
    }

    #[test]
    fn no_word_means_two_kinds() {
        let mut words: Vec<&str> = KINDS
            .iter()
            .flat_map(|kind| {
                [kind.plural, kind.singular]
                    .into_iter()
                    .chain(kind.short.iter().copied())
            })
            .collect();
        let all = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), all);
    }
}

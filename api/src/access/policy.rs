//! All roles and bindings, in the form in which they are asked.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::Value;

use super::{RBAC, Rule};
use crate::auth::Identity;
use crate::store::Key;

/// The stored resources that make up the policy.
pub(super) const RESOURCES: [&str; 4] = [
    "roles.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
];

/// Roles and bindings at one point in time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    /// By namespace and name; cluster roles have no namespace.
    roles: BTreeMap<(String, String), Vec<Rule>>,
    /// By whom they bind, in order of namespace and name.
    bindings: HashMap<Subject, Vec<Binding>>,
}

/// To whom a role is given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Subject {
    User(String),
    Group(String),
}

/// One subject's part in a binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binding {
    /// Empty for a ClusterRoleBinding, which holds everywhere.
    namespace: String,
    name: String,
    role: RoleRef,
}

/// The role that a binding gives.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct RoleRef {
    kind: String,
    name: String,
}

#[derive(Deserialize)]
struct StoredSubject {
    kind: String,
    name: String,
    #[serde(default)]
    namespace: String,
}

/// A rule that someone has, and why.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'p> {
    pub(super) rule: &'p Rule,
    binding: &'p Binding,
    subject: &'p Subject,
}

impl Policy {
    /// Reads the stored objects. What cannot be read gives no rights; the API has admitted nothing of that sort.
    pub(super) fn compile<'o>(objects: impl Iterator<Item = (&'o Key, &'o Value)>) -> Self {
        let mut policy = Self::default();
        for (key, object) in objects {
            let at = (key.namespace.clone(), key.name.clone());
            if object["roleRef"].is_object() {
                policy.add_binding(at, object);
            } else {
                let rules = list(&object["rules"]);
                policy.roles.insert(at, rules);
            }
        }
        policy
    }

    fn add_binding(&mut self, (namespace, name): (String, String), object: &Value) {
        let Ok(role) = RoleRef::deserialize(&object["roleRef"]) else {
            return;
        };
        for subject in list::<StoredSubject>(&object["subjects"]) {
            let subject = match subject.kind.as_str() {
                "User" => Subject::User(subject.name),
                "Group" => Subject::Group(subject.name),
                // A service account of a Kubernetes cluster is known by this name to those who authenticate it.
                "ServiceAccount" => Subject::User(format!(
                    "system:serviceaccount:{}:{}",
                    subject.namespace, subject.name
                )),
                _ => continue,
            };
            self.bindings.entry(subject).or_default().push(Binding {
                namespace: namespace.clone(),
                name: name.clone(),
                role: role.clone(),
            });
        }
    }

    /// The rules of a ClusterRole; none when there is no such role.
    pub(crate) fn cluster_role(&self, name: &str) -> &[Rule] {
        self.role("", name).unwrap_or_default()
    }

    /// The rules of a role, if there is one.
    pub(crate) fn role(&self, namespace: &str, name: &str) -> Option<&[Rule]> {
        self.roles
            .get(&(namespace.to_owned(), name.to_owned()))
            .map(Vec::as_slice)
    }

    /// The rules that someone has in a namespace; an empty one is the cluster scope.
    pub(super) fn held<'p>(
        &'p self,
        identity: &Identity,
        namespace: &str,
    ) -> impl Iterator<Item = Held<'p>> {
        let user = Subject::User(identity.username.clone());
        let groups = identity.groups.iter().cloned().map(Subject::Group);
        std::iter::once(user)
            .chain(groups)
            .filter_map(move |subject| self.bindings.get_key_value(&subject))
            .flat_map(|(subject, bindings)| bindings.iter().map(move |binding| (subject, binding)))
            .filter(move |(_, binding)| {
                binding.namespace.is_empty() || binding.namespace == namespace
            })
            .flat_map(move |(subject, binding)| {
                let rules = self.role(binding.role_namespace(), &binding.role.name);
                let rules = rules.unwrap_or_default().iter();
                rules.map(move |rule| Held {
                    rule,
                    binding,
                    subject,
                })
            })
    }
}

impl Binding {
    fn role_namespace(&self) -> &str {
        match self.role.kind.as_str() {
            "ClusterRole" => "",
            _ => &self.namespace,
        }
    }
}

impl Held<'_> {
    /// In Kubernetes' words.
    pub(super) fn reason(&self) -> String {
        let binding = match self.binding.namespace.as_str() {
            "" => format!("ClusterRoleBinding {:?}", self.binding.name),
            namespace => format!(
                "RoleBinding {:?}",
                format!("{}/{namespace}", self.binding.name)
            ),
        };
        let (kind, name) = match self.subject {
            Subject::User(name) => ("User", name),
            Subject::Group(name) => ("Group", name),
        };
        let RoleRef {
            kind: role,
            name: of,
        } = &self.binding.role;
        format!("RBAC: allowed by {binding} of {role} {of:?} to {kind} {name:?}")
    }
}

/// The readable items of a list.
fn list<T: for<'de> Deserialize<'de>>(value: &Value) -> Vec<T> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(|item| T::deserialize(item).ok()).collect()
}

/// Whether writes to this group and resource change the policy. A namespace takes its roles with it.
pub(crate) fn is_made_of(group: &str, resource: &str) -> bool {
    group == RBAC || (group.is_empty() && resource == "namespaces")
}

//! What a token may be held down to.

use serde::{Deserialize, Serialize};

use super::{Attributes, Policy, Rule};

/// Takes away from what the bearer of a token may do; never adds. An empty list limits nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    /// Only what this ClusterRole allows, as it is at the time of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Only in these namespaces, and nothing at the cluster scope.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Only objects of these names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Only these verbs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verbs: Vec<String>,
    /// Only these resources: `environments`, `environments/status`, `environments.mirage.dev`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
}

impl Limits {
    /// Whether nothing is taken away.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether they leave this.
    pub(super) fn allow(&self, policy: &Policy, asked: &Attributes<'_>) -> bool {
        self.reach(asked.namespace)
            && self
                .conditions(policy)
                .iter()
                .all(|rules| rules.iter().any(|rule| rule.allows(asked)))
    }

    /// What they leave of these rules in a namespace; an empty one is the cluster scope.
    pub(super) fn narrow(&self, policy: &Policy, namespace: &str, rules: Vec<Rule>) -> Vec<Rule> {
        if !self.reach(namespace) {
            return Vec::new();
        }
        self.conditions(policy)
            .iter()
            .fold(rules, |rules, condition| {
                rules
                    .iter()
                    .flat_map(|rule| condition.iter().map(move |limit| rule.intersection(limit)))
                    .flatten()
                    .collect()
            })
    }

    fn reach(&self, namespace: &str) -> bool {
        self.namespaces.is_empty() || self.namespaces.iter().any(|known| known == namespace)
    }

    /// Sets of rules of which each must allow a request.
    fn conditions(&self, policy: &Policy) -> Vec<Vec<Rule>> {
        let mut conditions = Vec::new();
        if let Some(role) = &self.role {
            conditions.push(policy.cluster_role(role).to_vec());
        }
        if !(self.verbs.is_empty() && self.resources.is_empty() && self.names.is_empty()) {
            conditions.push(self.rules());
        }
        conditions
    }

    /// Verbs, resources and names as rules.
    fn rules(&self) -> Vec<Rule> {
        let verbs = if self.verbs.is_empty() {
            vec!["*".to_owned()]
        } else {
            self.verbs.clone()
        };
        let rule = |group: &str, resource: String, paths: &[&str]| Rule {
            verbs: verbs.clone(),
            api_groups: vec![group.to_owned()],
            resources: vec![resource],
            resource_names: self.names.clone(),
            non_resource_urls: paths.iter().map(ToString::to_string).collect(),
        };
        if self.resources.is_empty() {
            // Paths have neither names nor resources to be limited to.
            let paths: &[&str] = if self.names.is_empty() { &["*"] } else { &[] };
            return vec![rule("*", "*".to_owned(), paths)];
        }
        self.resources
            .iter()
            .map(|written| {
                let (resource, subresource) = match written.split_once('/') {
                    Some((resource, subresource)) => (resource, Some(subresource)),
                    None => (written.as_str(), None),
                };
                let (plural, group) = resource.split_once('.').unwrap_or((resource, "*"));
                let resource = match subresource {
                    Some(subresource) => format!("{plural}/{subresource}"),
                    None => plural.to_owned(),
                };
                rule(group, resource, &[])
            })
            .collect()
    }

    /// For people: `role editor, namespaces shop, verbs get list`.
    pub(crate) fn sentence(&self) -> String {
        let lists = [
            ("namespaces", &self.namespaces),
            ("names", &self.names),
            ("verbs", &self.verbs),
            ("resources", &self.resources),
        ];
        let role = self.role.iter().map(|role| format!("role {role}"));
        let lists = lists
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(what, list)| format!("{what} {}", list.join(" ")));
        role.chain(lists).collect::<Vec<_>>().join(", ")
    }
}

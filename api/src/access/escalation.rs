//! Nobody gives what they do not have.
//!
//! Kubernetes' rule: who writes a role must hold every right in it, and who writes a binding every right of the role that
//! is bound, in the namespace or in the whole cluster, as far as the write reaches. The verbs `escalate` on roles and
//! `bind` on the bound role are the exceptions that an administrator may grant.

use serde_json::Value;

use super::{Attributes, Policy, RBAC, Rule, decide, rights, rule::uncovered};
use crate::auth::Identity;

/// What a write would give away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Grant {
    /// The rules of a role.
    Rules(Vec<Rule>),
    /// A role, to somebody.
    Role {
        /// `roles` or `clusterroles`
        plural: &'static str,
        /// Its name.
        name: String,
    },
}

/// Why a grant is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Rights that the giver does not hold.
    #[error("{}", sentence(.user, .missing))]
    NotHeld {
        /// Who would give them.
        user: String,
        /// Each without a right.
        missing: Vec<Rule>,
    },
    /// Nobody knows what it would give, once it is there.
    #[error("{plural}.rbac.authorization.k8s.io {name:?} is not there: make it before the binding")]
    NoSuchRole {
        /// `roles` or `clusterroles`
        plural: &'static str,
        /// Its name.
        name: String,
    },
}

impl Grant {
    /// What the new state of an object of this resource gives beyond the old one; `None` for nothing.
    pub(crate) fn of(plural: &str, before: Option<&Value>, after: &Value) -> Option<Self> {
        let is_same = |field: &str| before.is_some_and(|before| before[field] == after[field]);
        match plural {
            "roles" | "clusterroles" if !is_same("rules") => {
                let rules = after["rules"].as_array().into_iter().flatten();
                let rules = rules.filter_map(|rule| serde_json::from_value(rule.clone()).ok());
                Some(Self::Rules(rules.collect()))
            }
            "rolebindings" | "clusterrolebindings"
                if !(is_same("subjects") && is_same("roleRef")) =>
            {
                let role = &after["roleRef"];
                Some(Self::Role {
                    plural: match role["kind"].as_str() {
                        Some("Role") => "roles",
                        _ => "clusterroles",
                    },
                    name: role["name"].as_str().unwrap_or_default().to_owned(),
                })
            }
            _ => None,
        }
    }
}

/// Whether someone may make this grant in a namespace (an empty one is the whole cluster), in an object of this name.
pub(crate) fn missing(
    policy: &Policy,
    identity: &Identity,
    namespace: &str,
    name: &str,
    grant: &Grant,
) -> Result<(), Refusal> {
    let may = |verb, resource, namespace, name| {
        let asked = Attributes {
            verb,
            group: RBAC,
            resource,
            namespace,
            name,
            ..Attributes::default()
        };
        decide(policy, identity, &asked).is_allowed()
    };
    let rules = match grant {
        Grant::Rules(rules) => {
            let plural = if namespace.is_empty() {
                "clusterroles"
            } else {
                "roles"
            };
            if may("escalate", plural, namespace, name) {
                return Ok(());
            }
            rules.as_slice()
        }
        Grant::Role { plural, name } => {
            if may("bind", plural, namespace, name) {
                return Ok(());
            }
            let of = match *plural {
                "roles" => namespace,
                _ => "",
            };
            policy.role(of, name).ok_or_else(|| Refusal::NoSuchRole {
                plural,
                name: name.clone(),
            })?
        }
    };
    let held = rights(policy, identity, namespace);
    let missing: Vec<Rule> = rules
        .iter()
        .flat_map(|rule| uncovered(&held, rule))
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Refusal::NotHeld {
            user: identity.username.clone(),
            missing,
        })
    }
}

/// The first ten are enough to see what is meant.
fn sentence(user: &str, missing: &[Rule]) -> String {
    let mut lines: Vec<String> = missing
        .iter()
        .take(10)
        .map(|rule| {
            let list = |list: &[String]| format!("{list:?}");
            let mut parts = Vec::new();
            for (what, values) in [
                ("APIGroups", &rule.api_groups),
                ("Resources", &rule.resources),
                ("ResourceNames", &rule.resource_names),
                ("NonResourceURLs", &rule.non_resource_urls),
                ("Verbs", &rule.verbs),
            ] {
                if !values.is_empty() {
                    parts.push(format!("{what}:{}", list(values)));
                }
            }
            format!("{{{}}}", parts.join(", "))
        })
        .collect();
    if missing.len() > lines.len() {
        lines.push(format!("and {} more", missing.len() - lines.len()));
    }
    format!(
        "user {user:?} is attempting to grant RBAC permissions not currently held:\n{}",
        lines.join("\n")
    )
}

//! May they?

use super::{Attributes, MASTERS, Policy, Rule};
use crate::auth::Identity;

/// Documents that say what there is; without them no client gets as far as being refused.
const DOCUMENTS: &[&str] = &[
    "/",
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi",
    "/openapi/*",
    "/readyz",
    "/version",
    "/version/",
];

/// An answer, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// They may.
    Allowed {
        /// The binding that says so, in Kubernetes' words.
        reason: String,
    },
    /// They may not.
    Denied {
        /// The limit that stands in the way; empty when there simply is no rule.
        reason: String,
    },
}

impl Decision {
    pub(crate) fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }

    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Allowed { reason } | Self::Denied { reason } => reason,
        }
    }
}

/// Whether the policy lets this identity do this.
pub(crate) fn decide(policy: &Policy, identity: &Identity, asked: &Attributes<'_>) -> Decision {
    if for_anybody().iter().any(|rule| rule.allows(asked)) {
        return Decision::Allowed {
            reason: "everyone with a good token may ask what there is and what they may do"
                .to_owned(),
        };
    }
    let Some(reason) = right(policy, identity, asked) else {
        return Decision::Denied {
            reason: String::new(),
        };
    };
    match identity
        .limits
        .iter()
        .find(|limits| !limits.allow(policy, asked))
    {
        None => Decision::Allowed { reason },
        Some(limits) => Decision::Denied {
            reason: format!("the token is limited to {}", limits.sentence()),
        },
    }
}

/// Why they may, as far as they themselves are concerned and not their token.
fn right(policy: &Policy, identity: &Identity, asked: &Attributes<'_>) -> Option<String> {
    if is_master(identity) {
        return Some(format!(
            "members of the group {MASTERS:?} may do everything"
        ));
    }
    if for_themselves().iter().any(|rule| rule.allows(asked)) {
        return Some("everyone may make tokens that may do no more than they do".to_owned());
    }
    policy
        .held(identity, asked.namespace)
        .find(|held| held.rule.allows(asked))
        .map(|held| held.reason())
}

/// Everything that an identity may do in a namespace; an empty one is the cluster scope.
pub(crate) fn rights(policy: &Policy, identity: &Identity, namespace: &str) -> Vec<Rule> {
    let mut own = if is_master(identity) {
        vec![
            Rule::on(&["*"], &["*"], &["*"]),
            Rule::on_paths(&["*"], &["*"]),
        ]
    } else {
        let held = policy.held(identity, namespace);
        let mut own = for_themselves();
        own.extend(held.map(|held| held.rule.clone()));
        own
    };
    for limits in &identity.limits {
        own = limits.narrow(policy, namespace, own);
    }
    let mut all = for_anybody();
    for rule in own {
        if !all.contains(&rule) {
            all.push(rule);
        }
    }
    all
}

fn is_master(identity: &Identity) -> bool {
    identity.groups.iter().any(|group| group == MASTERS)
}

/// What no limit takes away: asking.
fn for_anybody() -> Vec<Rule> {
    vec![
        Rule::on(
            &["create"],
            &["authentication.k8s.io"],
            &["selfsubjectreviews"],
        ),
        Rule::on(
            &["create"],
            &["authorization.k8s.io"],
            &["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
        ),
        Rule::on_paths(&["get", "head"], DOCUMENTS),
    ]
}

/// What everyone may who is not limited to something else.
fn for_themselves() -> Vec<Rule> {
    vec![Rule::on(&["create"], &["auth.mirage.dev"], &["tokens"])]
}

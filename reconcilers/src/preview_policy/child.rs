//! The Environment of a pull request: how it is written, whether it is ours, where it stands. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::{Resource as _, ResourceExt as _};
use mirage_specs::{
    Environment, EnvironmentSpec, PreviewPolicy,
    preview_policy::{POLICY_LABEL, PULL_REQUEST_LABEL, PreviewState},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::environment::request::REDEPLOY;

/// Fingerprint of what was last applied: what leaves the manifest must leave the object too, which its spec alone does
/// not show.
const APPLIED: &str = "mirage.dev/preview-applied";

/// The manifest by which an Environment is applied.
pub fn manifest(
    policy: &PreviewPolicy,
    number: u64,
    name: &str,
    spec: &EnvironmentSpec,
    redeploy_at: Option<Timestamp>,
) -> Value {
    let mut annotations = BTreeMap::new();
    if let Some(at) = redeploy_at {
        annotations.insert(REDEPLOY, at.to_string());
    }
    let mut manifest = json!({
        "apiVersion": Environment::api_version(&()),
        "kind": Environment::kind(&()),
        "metadata": {
            "name": name,
            "namespace": policy.namespace(),
            "labels": {POLICY_LABEL: policy.name_any(), PULL_REQUEST_LABEL: number.to_string()},
            "annotations": annotations,
            "ownerReferences": policy.controller_owner_ref(&()).into_iter().collect::<Vec<_>>(),
        },
        "spec": spec,
    });
    let fingerprint = fingerprint(&manifest.to_string());
    manifest["metadata"]["annotations"][APPLIED] = json!(fingerprint);
    manifest
}

/// Whether an Environment was made by this very policy: the label alone anybody may write.
pub fn is_of(environment: &Environment, policy: &PreviewPolicy) -> bool {
    let uid = policy.metadata.uid.as_deref();
    uid.is_some()
        && environment
            .owner_references()
            .iter()
            .any(|owner| owner.controller == Some(true) && Some(owner.uid.as_str()) == uid)
}

/// The pull request that an Environment is for.
pub fn number(environment: &Environment) -> Option<u64> {
    environment.labels().get(PULL_REQUEST_LABEL)?.parse().ok()
}

/// Whether an Environment is as its manifest says, and has nothing that an earlier one brought.
pub fn is_as(environment: &Environment, manifest: &Value) -> bool {
    let applied = environment.annotations().get(APPLIED).map(String::as_str);
    applied == manifest["metadata"]["annotations"][APPLIED].as_str()
        && serde_json::to_value(environment).is_ok_and(|actual| {
            covers(&actual["spec"], &manifest["spec"])
                && covers(
                    &actual["metadata"]["labels"],
                    &manifest["metadata"]["labels"],
                )
        })
}

/// Whether all that is wanted is there; what somebody added beside it is theirs.
fn covers(actual: &Value, wanted: &Value) -> bool {
    match (actual, wanted) {
        (Value::Object(actual), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| actual.get(key).is_some_and(|actual| covers(actual, wanted))),
        (actual, wanted) => actual == wanted,
    }
}

/// Where an Environment that is as it should be stands, by its own status, and why.
pub fn standing(environment: &Environment) -> (PreviewState, Option<String>) {
    if environment.metadata.deletion_timestamp.is_some() {
        return (PreviewState::TearingDown, None);
    }
    let Some(status) = &environment.status else {
        return (PreviewState::Deploying, None);
    };
    if status.observed_generation != environment.metadata.generation {
        return (PreviewState::Deploying, None);
    }
    let condition = |kind: &str| status.conditions.iter().find(|found| found.type_ == kind);
    let is_true = |kind: &str| condition(kind).is_some_and(|found| found.status == "True");
    let message = |kind: &str| {
        condition(kind)
            .map(|found| found.message.clone())
            .filter(|message| !message.is_empty())
    };
    if is_true("Ready") && is_true("Synced") {
        (PreviewState::Ready, None)
    } else if is_true("Degraded") {
        (PreviewState::Failed, message("Degraded"))
    } else if is_true("Ready") {
        (PreviewState::Deploying, message("Synced"))
    } else {
        (PreviewState::Deploying, message("Ready"))
    }
}

/// A short fingerprint of something that is no secret.
pub fn fingerprint(text: &str) -> String {
    hex::encode(&Sha256::digest(text.as_bytes())[..12])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(uid: &str) -> PreviewPolicy {
        let mut policy = PreviewPolicy::new("shop", mirage_specs::PreviewPolicySpec::default());
        policy.metadata.uid = Some(uid.to_owned());
        policy.metadata.namespace = Some("default".to_owned());
        policy
    }

    fn environment(manifest: &Value) -> Environment {
        serde_json::from_value(manifest.clone()).unwrap()
    }

    #[test]
    fn an_environment_belongs_to_the_policy_that_made_it_and_to_no_other() {
        let manifest = manifest(
            &policy("a"),
            7,
            "shop-pr-7",
            &EnvironmentSpec::default(),
            None,
        );
        let made = environment(&manifest);
        assert_eq!(number(&made), Some(7));
        assert!(is_of(&made, &policy("a")));
        assert!(!is_of(&made, &policy("b")));
        let mut labelled = made.clone();
        labelled.metadata.owner_references = None;
        assert!(!is_of(&labelled, &policy("a")));
    }

    #[test]
    fn what_somebody_added_is_left_and_what_somebody_changed_is_noticed() {
        let spec: EnvironmentSpec = serde_json::from_value(
            json!({"services": {"web": {"source": {"image": "nginx"}}}, "variables": {"A": "1"}}),
        )
        .unwrap();
        let wanted = manifest(&policy("a"), 7, "x", &spec, None);
        assert!(is_as(&environment(&wanted), &wanted));
        let mut more = wanted.clone();
        more["spec"]["variables"]["B"] = json!("2");
        assert!(is_as(&environment(&more), &wanted));
        let mut other = wanted.clone();
        other["spec"]["variables"]["A"] = json!("2");
        assert!(!is_as(&environment(&other), &wanted));
        // The policy no longer wants it, and the object still has it.
        let less = manifest(&policy("a"), 7, "x", &EnvironmentSpec::default(), None);
        assert!(!is_as(&environment(&wanted), &less));
        let again = manifest(&policy("a"), 7, "x", &spec, Some(Timestamp::UNIX_EPOCH));
        assert!(!is_as(&environment(&wanted), &again));
    }

    #[test]
    fn an_environment_is_ready_when_its_latest_spec_is() {
        let condition = |kind: &str, status: &str| {
            json!({"type": kind, "status": status, "reason": "R", "message": format!("{kind} {status}"),
                   "lastTransitionTime": "2026-11-21T12:00:00Z"})
        };
        let standing = |generation: i64, conditions: Vec<Value>| {
            let environment = environment(&json!({
                "metadata": {"name": "x", "generation": 2}, "spec": {},
                "status": {"observedGeneration": generation, "conditions": conditions},
            }));
            standing(&environment)
        };
        let ready = || vec![condition("Ready", "True"), condition("Synced", "True")];
        assert_eq!(standing(2, ready()), (PreviewState::Ready, None));
        assert_eq!(standing(1, ready()), (PreviewState::Deploying, None));
        assert_eq!(
            standing(
                2,
                vec![condition("Ready", "True"), condition("Synced", "False")]
            ),
            (PreviewState::Deploying, Some("Synced False".to_owned()))
        );
        assert_eq!(
            standing(
                2,
                vec![condition("Ready", "False"), condition("Degraded", "True")]
            ),
            (PreviewState::Failed, Some("Degraded True".to_owned()))
        );
    }
}

//! The laws of access: tables for what Kubernetes says, properties for what must hold whatever is written.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::rule::uncovered;
use super::*;
use crate::auth::Identity;
use crate::kinds::Registry;
use crate::store::Key;

fn key(plural: &str, namespace: &str, name: &str) -> Key {
    Key::new(format!("{plural}.{RBAC}"), namespace, name)
}

/// Ann edits in `shop` and reads everywhere; Bob may read one secret in `shop`.
fn policy() -> Policy {
    let bind = |role: (&str, &str), subject: Value| json!({"roleRef": {"apiGroup": RBAC, "kind": role.0, "name": role.1}, "subjects": [subject]});
    let user = |name: &str| json!({"kind": "User", "name": name});
    let mut objects: Vec<(Key, Value)> = builtin::objects(&Registry::mirage())
        .into_iter()
        .map(|builtin| (key(builtin.plural, "", builtin.name), builtin.object))
        .collect();
    objects.extend([
        (
            key("roles", "shop", "one-secret"),
            json!({"rules": [{"verbs": ["get", "list", "watch"], "apiGroups": [""], "resources": ["secrets"],
                "resourceNames": ["db"]}]}),
        ),
        (
            key("rolebindings", "shop", "ann"),
            bind(("ClusterRole", "editor"), user("ann")),
        ),
        (
            key("rolebindings", "shop", "bob"),
            bind(("Role", "one-secret"), user("bob")),
        ),
        (
            key("rolebindings", "shop", "carl"),
            bind(("ClusterRole", "admin"), user("carl")),
        ),
        (
            key("clusterrolebindings", "", "staff"),
            bind(
                ("ClusterRole", "viewer"),
                json!({"kind": "Group", "name": "staff"}),
            ),
        ),
        (
            key("clusterrolebindings", "", "robot"),
            bind(
                ("ClusterRole", "nothing-there"),
                json!({"kind": "ServiceAccount", "name": "robot", "namespace": "shop"}),
            ),
        ),
    ]);
    Policy::compile(objects.iter().map(|(key, object)| (key, object)))
}

fn identity(user: &str, groups: &[&str]) -> Identity {
    Identity {
        username: user.to_owned(),
        groups: groups.iter().map(ToString::to_string).collect(),
        ..Identity::default()
    }
}

/// `verb resource[.group][/subresource] [namespace] [name]`; a dot stands for none.
fn asked(text: &str) -> Attributes<'_> {
    let mut words = text.split(' ');
    let mut next = || words.next().filter(|word| *word != ".").unwrap_or_default();
    let (verb, thing, namespace, name) = (next(), next(), next(), next());
    if thing.starts_with('/') {
        return Attributes {
            verb,
            path: thing,
            ..Attributes::default()
        };
    }
    let (resource, subresource) = thing.split_once('/').unwrap_or((thing, ""));
    let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
    Attributes {
        verb,
        group,
        resource,
        subresource,
        namespace,
        name,
        path: "",
    }
}

#[test]
fn people_may_what_their_bindings_say() {
    let policy = policy();
    let ann = identity("ann", &["staff"]);
    let bob = identity("bob", &[]);
    let carl = identity("carl", &[]);
    let viewer = identity("v", &[VIEWERS]);
    let master = identity("root", &[MASTERS]);
    for (who, what, expected) in [
        (&ann, "create environments.mirage.dev shop web", true),
        (&ann, "patch environments.mirage.dev/status shop web", false),
        (&ann, "get environments.mirage.dev/status shop web", true),
        (&ann, "get environments.mirage.dev blog web", true),
        (&ann, "create environments.mirage.dev blog web", false),
        (&ann, "list environments.mirage.dev", true),
        (&ann, "deletecollection environments.mirage.dev shop", true),
        (&ann, "get secrets shop db", true),
        (&ann, "list secrets shop", true),
        (&ann, "list secrets blog", false),
        (&ann, "list secrets", false),
        (&ann, "get roles.rbac.authorization.k8s.io shop x", false),
        (&ann, "delete namespaces shop shop", false),
        (&ann, "get namespaces shop shop", true),
        (&bob, "get secrets shop db", true),
        (&bob, "get secrets shop other", false),
        (&bob, "list secrets shop", false),
        (&bob, "list secrets shop db", true),
        (&bob, "get secrets blog db", false),
        (&bob, "delete secrets shop db", false),
        (&bob, "list environments.mirage.dev shop", false),
        (
            &carl,
            "create rolebindings.rbac.authorization.k8s.io shop",
            true,
        ),
        (
            &carl,
            "create rolebindings.rbac.authorization.k8s.io blog",
            false,
        ),
        (
            &carl,
            "create clusterroles.rbac.authorization.k8s.io",
            false,
        ),
        (
            &carl,
            "bind clusterroles.rbac.authorization.k8s.io . cluster-admin",
            false,
        ),
        (&viewer, "list environments.mirage.dev", true),
        (&viewer, "watch events blog", true),
        (
            &viewer,
            "list customresourcedefinitions.apiextensions.k8s.io",
            true,
        ),
        (&viewer, "list secrets", false),
        (&viewer, "list *", false),
        (&viewer, "list tokens.auth.mirage.dev", false),
        (
            &viewer,
            "list clusterroles.rbac.authorization.k8s.io",
            false,
        ),
        (&viewer, "delete environments.mirage.dev shop web", false),
        (&master, "delete secrets shop db", true),
        (&master, "impersonate users . ann", true),
        (&master, "get /metrics", true),
        (&viewer, "get /metrics", false),
        (&viewer, "get /openapi/v3/apis", true),
        (&viewer, "post /openapi/v3/apis", false),
        (
            &bob,
            "create selfsubjectaccessreviews.authorization.k8s.io",
            true,
        ),
        (
            &bob,
            "create subjectaccessreviews.authorization.k8s.io",
            false,
        ),
        (&bob, "create tokens.auth.mirage.dev", true),
        (&bob, "list tokens.auth.mirage.dev", false),
    ] {
        let decision = decide(&policy, who, &asked(what));
        assert_eq!(decision.is_allowed(), expected, "{}: {what}", who.username);
    }
}

#[test]
fn the_reason_names_the_binding() {
    let policy = policy();
    let bob = identity("bob", &[]);
    let decision = decide(&policy, &bob, &asked("get secrets shop db"));
    assert_eq!(
        decision.reason(),
        "RBAC: allowed by RoleBinding \"bob/shop\" of Role \"one-secret\" to User \"bob\""
    );
    let viewer = identity("v", &[VIEWERS]);
    let decision = decide(&policy, &viewer, &asked("list namespaces"));
    assert_eq!(
        decision.reason(),
        "RBAC: allowed by ClusterRoleBinding \"mirage:viewers\" of ClusterRole \"viewer\" to Group \"mirage:viewers\""
    );
}

fn limited(limits: Value) -> Identity {
    Identity {
        limits: vec![serde_json::from_value(limits).unwrap()],
        ..identity("root", &[MASTERS])
    }
}

#[test]
fn limits_of_a_token_take_away() {
    let policy = policy();
    for (limits, what, expected) in [
        (json!({}), "delete secrets shop db", true),
        (
            json!({"role": "viewer"}),
            "list environments.mirage.dev",
            true,
        ),
        (json!({"role": "viewer"}), "get secrets shop db", false),
        (
            json!({"role": "no-such-role"}),
            "list environments.mirage.dev",
            false,
        ),
        (
            json!({"namespaces": ["shop"]}),
            "delete secrets shop db",
            true,
        ),
        (
            json!({"namespaces": ["shop"]}),
            "delete secrets blog db",
            false,
        ),
        (json!({"namespaces": ["shop"]}), "list secrets", false),
        (json!({"namespaces": ["shop"]}), "list namespaces", false),
        (
            json!({"namespaces": ["shop"]}),
            "get namespaces shop shop",
            true,
        ),
        (json!({"verbs": ["get", "list"]}), "get /metrics", true),
        (
            json!({"verbs": ["get", "list"]}),
            "delete secrets shop db",
            false,
        ),
        (
            json!({"names": ["web"]}),
            "get environments.mirage.dev shop web",
            true,
        ),
        (
            json!({"names": ["web"]}),
            "get environments.mirage.dev shop api",
            false,
        ),
        (
            json!({"names": ["web"]}),
            "list environments.mirage.dev shop",
            false,
        ),
        (
            json!({"resources": ["environments"]}),
            "get environments.mirage.dev shop web",
            true,
        ),
        (
            json!({"resources": ["environments"]}),
            "get environments.mirage.dev/status shop web",
            false,
        ),
        (
            json!({"resources": ["environments/status"]}),
            "get environments.mirage.dev/status shop web",
            true,
        ),
        (
            json!({"resources": ["environments.mirage.dev"]}),
            "get environments.mirage.dev shop web",
            true,
        ),
        (
            json!({"resources": ["environments.other.dev"]}),
            "get environments.mirage.dev shop web",
            false,
        ),
        (
            json!({"resources": ["environments"]}),
            "get /metrics",
            false,
        ),
        // Asking is never taken away, making tokens is.
        (
            json!({"verbs": ["get"]}),
            "create selfsubjectreviews.authentication.k8s.io",
            true,
        ),
        (json!({"verbs": ["get"]}), "get /apis", true),
        (
            json!({"verbs": ["get"]}),
            "create tokens.auth.mirage.dev",
            false,
        ),
    ] {
        let decision = decide(&policy, &limited(limits.clone()), &asked(what));
        assert_eq!(decision.is_allowed(), expected, "{limits}: {what}");
    }
    let token = limited(json!({"verbs": ["get"], "namespaces": ["shop"]}));
    let decision = decide(&policy, &token, &asked("delete secrets shop db"));
    assert_eq!(
        decision.reason(),
        "the token is limited to namespaces shop, verbs get"
    );
}

#[test]
fn nobody_gives_what_they_do_not_have() {
    let policy = policy();
    let carl = identity("carl", &[]);
    let master = identity("root", &[MASTERS]);
    let rules = |rules: Value| Grant::of("roles", None, &json!({"rules": rules})).unwrap();
    let role = |kind: &str, name: &str| {
        let binding = json!({"roleRef": {"kind": kind, "name": name}, "subjects": []});
        Grant::of("rolebindings", None, &binding).unwrap()
    };
    let read_secrets = json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}]);
    let tokens =
        json!([{"verbs": ["list"], "apiGroups": ["auth.mirage.dev"], "resources": ["tokens"]}]);
    let everything = json!([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]);
    for (who, namespace, grant, expected) in [
        (&carl, "shop", rules(read_secrets.clone()), true),
        (&carl, "blog", rules(read_secrets), false),
        (&carl, "shop", rules(tokens), false),
        (&carl, "shop", rules(everything.clone()), false),
        (&carl, "shop", role("ClusterRole", "editor"), true),
        (&carl, "shop", role("ClusterRole", "admin"), true),
        (&carl, "shop", role("ClusterRole", "cluster-admin"), false),
        (&carl, "", role("ClusterRole", "viewer"), false),
        (&carl, "shop", role("Role", "one-secret"), true),
        (&carl, "shop", role("Role", "not-there"), false),
        (&master, "", rules(everything), true),
        (&master, "", role("ClusterRole", "not-there"), true),
    ] {
        let answer = missing(&policy, who, namespace, "x", &grant);
        assert_eq!(
            answer.is_ok(),
            expected,
            "{namespace} {grant:?}: {answer:?}"
        );
    }
    let refusal = missing(&policy, &carl, "", "x", &role("ClusterRole", "one-secret"));
    assert!(refusal.unwrap_err().to_string().contains("is not there"));
    let grant =
        rules(json!([{"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}]));
    let refusal = missing(&policy, &carl, "shop", "x", &grant).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "user \"carl\" is attempting to grant RBAC permissions not currently held:\n\
         {APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\"]}\n\
         {APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"list\"]}"
    );
}

#[test]
fn a_change_that_gives_nothing_more_needs_no_right() {
    let before = json!({"rules": [{"verbs": ["*"]}], "metadata": {"labels": {}}});
    let after = json!({"rules": [{"verbs": ["*"]}], "metadata": {"labels": {"a": "b"}}});
    assert_eq!(Grant::of("roles", Some(&before), &after), None);
    assert_eq!(Grant::of("environments", None, &after), None);
}

#[test]
fn a_rule_of_very_many_combinations_is_not_taken_apart() {
    let many = |letter: char| {
        (0..1000)
            .map(|n| format!("{letter}{n}"))
            .collect::<Vec<_>>()
    };
    let rule = Rule {
        verbs: many('v'),
        api_groups: many('g'),
        resources: many('r'),
        ..Rule::default()
    };
    assert_eq!(uncovered(&[], &rule).len(), 1);
    let all = Rule::on(&["*"], &["*"], &["*"]);
    assert_eq!(uncovered(&[all], &rule), []);
}

fn some(values: &'static [&'static str], least: usize) -> impl Strategy<Value = Vec<String>> {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    proptest::sample::subsequence(values, least..=2)
}

prop_compose! {
    fn any_rule()(
        verbs in some(&["*", "get", "list"], 1),
        api_groups in some(&["*", "", "mirage.dev"], 0),
        resources in some(&["*", "a", "a/status", "*/status", "b"], 0),
        resource_names in some(&["x", "y"], 0),
        non_resource_urls in some(&["*", "/m", "/m/*", "/n"], 0),
    ) -> Rule {
        Rule { verbs, api_groups, resources, resource_names, non_resource_urls }
    }
}

prop_compose! {
    fn any_request()(
        verb in "get|list|delete",
        group in "|mirage.dev|other",
        resource in "a|b|c",
        subresource in "|status|scale",
        namespace in "|shop|blog",
        name in "|x|y|z",
        path in prop_oneof![3 => Just(""), 1 => Just("/m"), 1 => Just("/m/a"), 1 => Just("/o")],
    ) -> [String; 7] {
        [verb, group, resource, subresource, namespace, name, path.to_owned()]
    }
}

fn attributes(parts: &[String; 7]) -> Attributes<'_> {
    let [verb, group, resource, subresource, namespace, name, path] = parts;
    Attributes {
        verb,
        group,
        resource,
        subresource,
        namespace,
        name,
        path,
    }
}

/// A policy of one ClusterRole that Dora has everywhere, and one that a limit may name.
fn dora(rules: &[Rule], limit: &[Rule]) -> Policy {
    let objects = [
        (key("clusterroles", "", "r"), json!({"rules": rules})),
        (key("clusterroles", "", "limit"), json!({"rules": limit})),
        (
            key("clusterrolebindings", "", "b"),
            json!({"roleRef": {"kind": "ClusterRole", "name": "r"}, "subjects": [{"kind": "User", "name": "dora"}]}),
        ),
    ];
    Policy::compile(objects.iter().map(|(key, object)| (key, object)))
}

proptest! {
    #[test]
    fn an_intersection_allows_what_both_allow(one in any_rule(), other in any_rule(), request in any_request()) {
        let asked = attributes(&request);
        let both = one.intersection(&other).iter().any(|rule| rule.allows(&asked));
        prop_assert_eq!(both, one.allows(&asked) && other.allows(&asked));
    }

    #[test]
    fn a_role_that_may_be_given_allows_nothing_that_the_giver_may_not(
        held in prop::collection::vec(any_rule(), 0..4), wanted in any_rule(), request in any_request(),
    ) {
        let asked = attributes(&request);
        if uncovered(&held, &wanted).is_empty() && wanted.allows(&asked) {
            prop_assert!(held.iter().any(|rule| rule.allows(&asked)));
        }
    }

    #[test]
    fn rules_cover_themselves_and_their_intersections(one in any_rule(), other in any_rule()) {
        prop_assert_eq!(uncovered(std::slice::from_ref(&one), &one), []);
        for both in one.intersection(&other) {
            prop_assert_eq!(uncovered(std::slice::from_ref(&one), &both), []);
            prop_assert_eq!(uncovered(std::slice::from_ref(&other), &both), []);
        }
    }

    #[test]
    fn what_is_listed_is_what_is_decided_and_limits_never_add(
        rules in prop::collection::vec(any_rule(), 0..3), limit in prop::collection::vec(any_rule(), 0..3),
        has_role in any::<bool>(), namespaces in some(&["shop", "x"], 0), names in some(&["x", "y"], 0),
        verbs in some(&["get", "list"], 0), resources in some(&["a", "a/status", "b.mirage.dev", "*"], 0),
        request in any_request(),
    ) {
        let policy = dora(&rules, &limit);
        let asked = attributes(&request);
        let free = identity("dora", &[]);
        let held = Identity {
            limits: vec![Limits { role: has_role.then(|| "limit".to_owned()), namespaces, names, verbs, resources }],
            ..free.clone()
        };
        for who in [&free, &held] {
            let namespace = if asked.path.is_empty() { asked.namespace } else { "" };
            let listed = rights(&policy, who, namespace).iter().any(|rule| rule.allows(&asked));
            let asked = Attributes { namespace, ..asked };
            prop_assert_eq!(listed, decide(&policy, who, &asked).is_allowed());
        }
        if decide(&policy, &held, &asked).is_allowed() {
            prop_assert!(decide(&policy, &free, &asked).is_allowed());
        }
    }
}

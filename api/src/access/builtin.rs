//! The roles that there always are.
//!
//! They are made from the kinds that are served: a kind says for whom it is ([`Audience`]), so that a new one cannot be
//! forgotten here. Kubernetes' own names for two of them, `view` and `edit`, are there too.

use serde_json::{Value, json};

use super::{MASTERS, RBAC, Rule, VIEWERS};
use crate::audit;
use crate::kinds::{Audience, Registry};
use crate::product::railway::RAILWAY_PROJECTS;

const READ: [&str; 3] = ["get", "list", "watch"];

const WRITE: [&str; 5] = ["create", "delete", "deletecollection", "patch", "update"];

/// Set to `"false"` on an object, it keeps the start of a server from putting its old state back; Kubernetes' own name.
pub(crate) const AUTOUPDATE: &str = "rbac.authorization.kubernetes.io/autoupdate";

/// One object to be there: the plural of its kind, its name, and what it says.
pub(crate) struct Builtin {
    pub(crate) plural: &'static str,
    pub(crate) name: &'static str,
    pub(crate) object: Value,
}

/// Cluster roles and their bindings, as they are restored at every start.
pub(crate) fn objects(registry: &Registry) -> Vec<Builtin> {
    let viewer = viewer(registry);
    let editor = editor(registry);
    let admin = admin(registry);
    vec![
        role("cluster-admin", &all()),
        role("admin", &admin),
        role("editor", &editor),
        role("edit", &editor),
        role("viewer", &viewer),
        role("view", &viewer),
        binding("cluster-admin", "cluster-admin", MASTERS),
        binding(VIEWERS, "viewer", VIEWERS),
    ]
}

fn all() -> Vec<Rule> {
    vec![
        Rule::on(&["*"], &["*"], &["*"]),
        Rule::on_paths(&["*"], &["*"]),
    ]
}

fn viewer(registry: &Registry) -> Vec<Rule> {
    let mut rules = by_group(registry, &READ, |audience| {
        matches!(
            audience,
            Audience::Everyone | Audience::Readers | Audience::Delegators
        )
    });
    rules.push(browsing());
    rules
}

/// Names and states of what is on Railway, whoever made it; never a value.
fn browsing() -> Rule {
    Rule::on(&["get", "list"], &[audit::GROUP], &[RAILWAY_PROJECTS])
}

fn editor(registry: &Registry) -> Vec<Rule> {
    let mut rules = by_group(registry, &READ, |audience| {
        matches!(
            audience,
            Audience::Everyone | Audience::Readers | Audience::Editors | Audience::Delegators
        )
    });
    rules.extend(by_group(registry, &WRITE, |audience| {
        matches!(audience, Audience::Everyone | Audience::Editors)
    }));
    rules.push(browsing());
    rules
}

fn admin(registry: &Registry) -> Vec<Rule> {
    let mut rules = editor(registry);
    let verbs: Vec<&str> = READ.into_iter().chain(WRITE).collect();
    rules.extend(by_group(registry, &verbs, |audience| {
        audience == Audience::Administrators
    }));
    rules.extend(by_group(registry, &WRITE, |audience| {
        audience == Audience::Delegators
    }));
    rules.push(Rule::on(
        &["create"],
        &["authorization.k8s.io"],
        &["localsubjectaccessreviews"],
    ));
    rules.push(Rule::on(
        &["list", "watch"],
        &[audit::GROUP],
        &[audit::PLURAL],
    ));
    rules.push(Rule::on(&["import"], &[audit::GROUP], &[RAILWAY_PROJECTS]));
    rules.push(Rule::on(
        &["get"],
        &[audit::GROUP],
        &["railwayprojects/values"],
    ));
    rules
}

/// One rule a group. Status belongs to those who reconcile: others only read it.
fn by_group(registry: &Registry, verbs: &[&str], is_meant: impl Fn(Audience) -> bool) -> Vec<Rule> {
    let is_reading = verbs == READ;
    let mut rules: Vec<Rule> = Vec::new();
    for kind in registry.kinds().filter(|kind| is_meant(kind.audience)) {
        let status = (is_reading && kind.has_status).then(|| format!("{}/status", kind.plural));
        let resources = std::iter::once(kind.plural.clone()).chain(status);
        match rules
            .iter_mut()
            .find(|rule| rule.api_groups[0] == kind.group)
        {
            Some(rule) => rule.resources.extend(resources),
            None => rules.push(Rule {
                verbs: verbs.iter().map(ToString::to_string).collect(),
                api_groups: vec![kind.group.clone()],
                resources: resources.collect(),
                ..Rule::default()
            }),
        }
    }
    rules
}

fn metadata() -> Value {
    json!({
        "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
        "annotations": {AUTOUPDATE: "true"},
    })
}

fn role(name: &'static str, rules: &[Rule]) -> Builtin {
    Builtin {
        plural: "clusterroles",
        name,
        object: json!({"metadata": metadata(), "rules": rules}),
    }
}

fn binding(name: &'static str, role: &str, group: &str) -> Builtin {
    Builtin {
        plural: "clusterrolebindings",
        name,
        object: json!({
            "metadata": metadata(),
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": group}],
        }),
    }
}

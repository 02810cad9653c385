//! What a GitSync decides, in tables: which documents count, what is applied, and above all what is deleted.

#![expect(clippy::unwrap_used, reason = "in a test a failure is the message")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use mirage_reconcilers::git_sync::{
    allowed::Bounds,
    declare::{Declared, declare},
    diff::{Action, Over, Plan, Situation, diff},
    fetch::{Snapshot, SourceFile},
    key::Key,
    kinds::Kinds,
    mark::Owner,
    observe::{Found, Live, Observed},
    order::in_order,
    parse::parse,
    resolve::{Policy, Rules},
    substitute::Variables,
};
use mirage_specs::git_sync::{InventoryEntry, Reverts, SyncDrift, SyncResult};

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn owner(name: &str) -> Owner {
    Owner {
        namespace: "default".to_owned(),
        name: name.to_owned(),
    }
}

fn policy() -> Policy {
    Policy {
        owner: owner("shop"),
        prune: true,
        drift: SyncDrift::Revert,
        adopt: false,
        dry_run: false,
    }
}

fn rules() -> Rules {
    Rules {
        namespace: "default".to_owned(),
        bounds: Bounds::new(None, "default"),
        variables: None,
        atomic: false,
    }
}

fn template(name: &str) -> String {
    format!(
        "apiVersion: mirage.dev/v1alpha1\nkind: EnvironmentTemplate\nmetadata: {{name: {name}}}\nspec: {{base: {{}}}}\n"
    )
}

fn declared_by(files: &[(&str, String)], rules: &Rules) -> Declared {
    let snapshot = Snapshot {
        commit: "c".to_owned(),
        files: files
            .iter()
            .map(|(path, text)| SourceFile {
                path: (*path).to_owned(),
                text: text.clone(),
            })
            .collect(),
        ..Snapshot::default()
    };
    let documents = parse(&snapshot, rules.variables.as_ref());
    declare(&documents, &Kinds::known(), rules)
}

fn key(name: &str) -> Key {
    Key {
        group: "mirage.dev".to_owned(),
        kind: "EnvironmentTemplate".to_owned(),
        namespace: Some("default".to_owned()),
        name: name.to_owned(),
    }
}

fn entry(name: &str, applied: Option<&str>) -> InventoryEntry {
    InventoryEntry {
        api_version: "mirage.dev/v1alpha1".to_owned(),
        kind: "EnvironmentTemplate".to_owned(),
        namespace: Some("default".to_owned()),
        name: name.to_owned(),
        applied: applied.map(str::to_owned),
        reverts: None,
    }
}

fn present(owner: Option<Owner>) -> Live {
    Live::Present(Found {
        uid: Some("u".to_owned()),
        owner,
        ..Found::default()
    })
}

fn plan(
    declared: &Declared,
    live: &[(&str, Live)],
    inventory: &[InventoryEntry],
    policy: &Policy,
) -> Plan {
    let observed: Observed = live
        .iter()
        .map(|(name, live)| (key(name), live.clone()))
        .collect();
    let fingerprints: BTreeMap<Key, String> = declared
        .objects
        .keys()
        .map(|key| (key.clone(), "f1".to_owned()))
        .collect();
    diff(Situation {
        declared,
        observed: &observed,
        inventory,
        fingerprints,
        policy,
        now: now(),
    })
}

fn action(plan: &Plan, name: &str) -> Action {
    plan.actions[&key(name)].clone()
}

fn held(action: &Action) -> Option<SyncResult> {
    match action {
        Action::Hold { result, .. } => Some(*result),
        _ => None,
    }
}

#[test]
fn what_git_declares_is_applied_according_to_whose_it_is() {
    let declared = declared_by(&[("a.yaml", template("a"))], &rules());
    let apply = |over, is_settled| Action::Apply { over, is_settled };
    let ours = || present(Some(owner("shop")));
    let adopting = Policy {
        adopt: true,
        ..policy()
    };
    let reporting = Policy {
        drift: SyncDrift::Report,
        ..policy()
    };
    let dry = Policy {
        dry_run: true,
        ..policy()
    };
    let leaving = Live::Present(Found {
        owner: Some(owner("shop")),
        is_leaving: true,
        ..Found::default()
    });
    let (none, old, same) = (
        vec![],
        vec![entry("a", Some("f0"))],
        vec![entry("a", Some("f1"))],
    );
    for (live, inventory, policy, expected) in [
        (Live::Absent, &none, policy(), Ok(Action::Create)),
        (Live::Absent, &same, policy(), Ok(Action::Create)),
        (
            Live::Unknown("?".into()),
            &none,
            policy(),
            Err(SyncResult::Unknown),
        ),
        (leaving, &same, policy(), Err(SyncResult::Waiting)),
        (ours(), &old, policy(), Ok(apply(Over::Hands, false))),
        (ours(), &same, policy(), Ok(apply(Over::Hands, true))),
        // A process that died after making it and before saying so.
        (ours(), &none, policy(), Ok(apply(Over::Hands, false))),
        (present(None), &none, policy(), Err(SyncResult::Conflict)),
        (
            present(None),
            &none,
            adopting.clone(),
            Ok(apply(Over::Everybody, false)),
        ),
        // The mark was taken off by hand.
        (present(None), &same, policy(), Ok(apply(Over::Hands, true))),
        (
            present(Some(owner("other"))),
            &none,
            adopting.clone(),
            Err(SyncResult::Conflict),
        ),
        (
            present(Some(owner("other"))),
            &same,
            adopting,
            Err(SyncResult::Conflict),
        ),
        (
            ours(),
            &same,
            reporting.clone(),
            Ok(Action::Try { is_settled: true }),
        ),
        (ours(), &old, reporting, Ok(apply(Over::Hands, false))),
        (
            ours(),
            &old,
            dry.clone(),
            Ok(Action::Try { is_settled: false }),
        ),
        (
            Live::Absent,
            &none,
            dry,
            Ok(Action::Try { is_settled: false }),
        ),
    ] {
        let plan = plan(&declared, &[("a", live.clone())], inventory, &policy);
        let found = action(&plan, "a");
        match expected {
            Ok(expected) => assert_eq!(found, expected, "{live:?} {inventory:?}"),
            Err(result) => assert_eq!(
                held(&found),
                Some(result),
                "{live:?} {inventory:?} {found:?}"
            ),
        }
    }
}

#[test]
fn only_what_was_brought_is_marked_and_is_certainly_gone_is_deleted() {
    let nothing = declared_by(&[], &rules());
    let doubtful = declared_by(&[("x.yaml", "kind: [".to_owned())], &rules());
    let nameless = declared_by(
        &[("x.yaml", "kind: EnvironmentTemplate".to_owned())],
        &rules(),
    );
    let elsewhere = declared_by(&[("b.yaml", template("b"))], &rules());
    let atomic = Rules {
        atomic: true,
        ..rules()
    };
    let held_back = declared_by(
        &[
            ("b.yaml", template("b")),
            ("c.yaml", template("c").replace("base", "bass")),
        ],
        &atomic,
    );
    let keeping = Policy {
        prune: false,
        ..policy()
    };
    let dry = Policy {
        dry_run: true,
        ..policy()
    };
    let ours = || present(Some(owner("shop")));
    for (case, declared, live, policy, expected) in [
        ("gone", &nothing, ours(), policy(), Ok(Action::Prune)),
        (
            "gone beside others",
            &elsewhere,
            ours(),
            policy(),
            Ok(Action::Prune),
        ),
        (
            "already away",
            &nothing,
            Live::Absent,
            policy(),
            Ok(Action::Forget),
        ),
        (
            "unmarked",
            &nothing,
            present(None),
            policy(),
            Ok(Action::Forget),
        ),
        (
            "another's",
            &nothing,
            present(Some(owner("other"))),
            policy(),
            Ok(Action::Forget),
        ),
        (
            "not seen",
            &nothing,
            Live::Unknown("?".into()),
            policy(),
            Err(SyncResult::Unknown),
        ),
        (
            "unreadable file",
            &doubtful,
            ours(),
            policy(),
            Err(SyncResult::Kept),
        ),
        (
            "nameless document",
            &nameless,
            ours(),
            policy(),
            Err(SyncResult::Kept),
        ),
        (
            "all held back",
            &held_back,
            ours(),
            policy(),
            Err(SyncResult::Kept),
        ),
        (
            "prune is off",
            &nothing,
            ours(),
            keeping,
            Err(SyncResult::Kept),
        ),
        (
            "dry run",
            &nothing,
            ours(),
            dry,
            Err(SyncResult::WouldPrune),
        ),
    ] {
        let inventory = [entry("a", Some("f1"))];
        let live = [("a", live), ("b", Live::Absent), ("c", Live::Absent)];
        let plan = plan(declared, &live, &inventory, &policy);
        let found = action(&plan, "a");
        match expected {
            Ok(expected) => assert_eq!(found, expected, "{case}"),
            Err(result) => assert_eq!(held(&found), Some(result), "{case}: {found:?}"),
        }
        let is_kept = plan.inventory.contains_key(&key("a"));
        assert_eq!(is_kept, found != Action::Forget, "{case}: the inventory");
    }
    let unknown = plan(&nothing, &[("a", ours())], &[], &policy());
    assert_eq!(
        unknown.actions.len(),
        0,
        "what is in no inventory is not even looked at"
    );
}

#[test]
fn what_is_about_to_be_made_is_claimed_and_what_is_anothers_is_not() {
    let declared = declared_by(
        &[("a.yaml", template("a")), ("b.yaml", template("b"))],
        &rules(),
    );
    let plan = plan(
        &declared,
        &[("a", Live::Absent), ("b", present(None))],
        &[],
        &policy(),
    );
    let claimed: Vec<&str> = plan.inventory.keys().map(|key| key.name.as_str()).collect();
    assert_eq!(claimed, ["a"]);
    assert_eq!(plan.inventory[&key("a")].applied, None);
    assert_eq!(plan.inventory[&key("a")].api_version, "mirage.dev/v1alpha1");
}

#[test]
fn a_fight_is_left_for_a_while_and_forgotten_then() {
    let declared = declared_by(&[("a.yaml", template("a"))], &rules());
    for (count, since, is_left) in [
        (4, "2025-12-31T23:55:00Z", false),
        (5, "2025-12-31T23:55:00Z", true),
        (5, "2025-12-31T23:45:00Z", false),
    ] {
        let mut entry = entry("a", Some("f1"));
        entry.reverts = Some(Reverts {
            count,
            since: since.parse().unwrap(),
        });
        let plan = plan(
            &declared,
            &[("a", present(Some(owner("shop"))))],
            &[entry],
            &policy(),
        );
        let found = action(&plan, "a");
        assert_eq!(
            found == Action::Try { is_settled: true },
            is_left,
            "{count} {since} {found:?}"
        );
    }
}

#[test]
fn documents_are_placed_defaulted_and_cleaned() {
    let text = format!(
        "{}---\n{}---\n# nothing\n---\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
        template("a"),
        template("b").replace(
            "{name: b}",
            "{name: b, uid: x, resourceVersion: '7', managedFields: []}"
        ),
    );
    let declared = declared_by(&[("envs/all.yaml", text)], &rules());
    assert_eq!(declared.faults, []);
    assert!(!declared.is_doubtful);
    let b = &declared.objects[&key("b")];
    assert_eq!((b.place.file.as_str(), b.place.line), ("envs/all.yaml", 6));
    assert_eq!(
        b.value["metadata"],
        serde_json::json!({"name": "b", "namespace": "default"})
    );
    assert_eq!(declared.ignored.len(), 1);
}

#[test]
fn a_fault_holds_its_file_back_and_keeps_what_it_declares_from_being_pruned() {
    let wrong = template("b").replace("base", "bass");
    let files = [
        ("a.yaml", template("a")),
        ("bc.yaml", format!("{wrong}---\n{}", template("c"))),
    ];
    let declared = declared_by(&files, &rules());
    let names = |keys: Vec<&Key>| keys.iter().map(|key| key.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(declared.objects.keys().collect()), ["a"]);
    assert_eq!(names(declared.held.keys().collect()), ["b", "c"]);
    assert!(!declared.is_doubtful, "it is known what the file declares");
    assert_eq!(declared.faults.len(), 1);
    assert_eq!(
        (declared.faults[0].file.as_str(), declared.faults[0].line),
        ("bc.yaml", Some(4))
    );
    let inventory = ["b", "c", "d"].map(|name| entry(name, Some("f1")));
    let mut live = ["b", "c", "d"]
        .map(|name| (name, present(Some(owner("shop")))))
        .to_vec();
    live.push(("a", Live::Absent));
    let plan = plan(&declared, &live, &inventory, &policy());
    assert_eq!(held(&action(&plan, "b")), Some(SyncResult::Invalid));
    assert_eq!(action(&plan, "d"), Action::Prune);
    assert!(plan.inventory.contains_key(&key("b")));
}

#[test]
fn what_may_only_have_got_a_new_name_is_not_deleted_while_the_new_one_is_faulty() {
    let variables = Rules {
        variables: Some(Variables::default()),
        ..rules()
    };
    let faulty = template("new").replace("base", "bass");
    for (case, text, rules) in [
        ("a typo beside the new name", faulty, rules()),
        ("a typo in the new name", template("New_Name"), rules()),
        (
            "a variable without a value",
            template("'shop-${REGION}'"),
            variables,
        ),
    ] {
        let declared = declared_by(&[("b.yaml", template("b")), ("x.yaml", text)], &rules);
        assert_eq!(declared.faults.len(), 1, "{case}: {:?}", declared.faults);
        let inventory = ["a", "b"].map(|name| entry(name, Some("f1")));
        let live = ["a", "b"].map(|name| (name, present(Some(owner("shop")))));
        let plan = plan(&declared, &live, &inventory, &policy());
        let found = action(&plan, "a");
        assert_eq!(held(&found), Some(SyncResult::Kept), "{case}: {found:?}");
        assert!(plan.inventory.contains_key(&key("a")), "{case}");
    }
}

#[test]
fn a_namespace_is_not_gone_because_it_may_not_be_written_any_more() {
    let text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n";
    let declared = declared_by(&[("team.yaml", text.to_owned())], &rules());
    let team = Key {
        group: String::new(),
        kind: "Namespace".to_owned(),
        namespace: None,
        name: "team".to_owned(),
    };
    assert!(declared.held.contains_key(&team), "{declared:?}");
}

#[test]
fn everything_is_made_before_what_needs_it_and_deleted_after() {
    let mut plan = Plan::default();
    let of = |kind: &str, name: &str| Key {
        kind: kind.to_owned(),
        ..key(name)
    };
    for (kind, name, action) in [
        ("Environment", "new", Action::Create),
        ("EnvironmentTemplate", "new", Action::Create),
        ("Secret", "new", Action::Create),
        ("Environment", "old", Action::Prune),
        ("EnvironmentTemplate", "old", Action::Prune),
    ] {
        plan.actions.insert(of(kind, name), action);
    }
    let order: Vec<String> = in_order(&plan)
        .into_iter()
        .map(|key| format!("{} {}", key.kind, key.name))
        .collect();
    assert_eq!(
        order,
        [
            "Secret new",
            "EnvironmentTemplate new",
            "Environment new",
            "Environment old",
            "EnvironmentTemplate old",
        ]
    );
}

//! Whose turn it is when a template changes, and what becomes of the rest.

#![allow(clippy::unwrap_used, reason = "in tests a failure is the message")]

use std::collections::BTreeMap;

use mirage_reconcilers::environment::{
    action::Action,
    follow::{Revision, Turn, counts, followed, keep_back, standing_after, taken, turn},
    plan::{Entry, Hold, Plan},
};
use mirage_specs::{
    Environment, EnvironmentTemplateSpec,
    plan::PlanReason,
    status::{TemplateStanding, TemplateStatus},
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn template(replicas: u16, rollout: Value) -> Revision {
    let spec: EnvironmentTemplateSpec = serde_json::from_value(json!({
        "rollout": rollout,
        "base": {"project": {"name": "shop"}, "services": {"web": {
            "source": {"image": "nginx"}, "deploy": {"replicas": replicas},
        }}},
    }))
    .unwrap();
    Revision::new("web", Some(i64::from(replicas)), spec)
}

/// An environment that was ready and settled with the revision of one replica.
fn environment(name: &str, environment_type: &str) -> Environment {
    with(
        name,
        environment_type,
        &template(1, json!({})),
        TemplateStanding::Settled,
        "True",
    )
}

fn with(
    name: &str,
    environment_type: &str,
    revision: &Revision,
    standing: TemplateStanding,
    ready: &str,
) -> Environment {
    let degraded = if standing == TemplateStanding::Failed {
        "True"
    } else {
        "False"
    };
    let condition = |kind: &str, status: &str| {
        json!({"type": kind, "status": status, "reason": "X", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z"})
    };
    serde_json::from_value(json!({
        "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment",
        "metadata": {"name": name, "namespace": "default", "generation": 1},
        "spec": {"type": environment_type, "templateRef": {"name": "web"}},
        "status": {
            "observedGeneration": 1,
            "conditions": [condition("Ready", ready), condition("Degraded", degraded)],
            "template": {"name": "web", "digest": revision.digest, "standing": standing},
        },
    }))
    .unwrap()
}

fn all() -> Vec<Environment> {
    [
        ("dev-1", "dev"),
        ("dev-2", "dev"),
        ("dev-3", "ephemeral"),
        ("stage", "staging"),
        ("live", "prod"),
    ]
    .map(|(name, kind)| environment(name, kind))
    .into()
}

struct Boxed(Environment);

impl AsRef<Environment> for Boxed {
    fn as_ref(&self) -> &Environment {
        &self.0
    }
}

fn turn_of(revision: &Revision, name: &str, all: &[Environment]) -> Turn {
    let all: Vec<Boxed> = all.iter().cloned().map(Boxed).collect();
    let own = all
        .iter()
        .find(|one| one.0.metadata.name.as_deref() == Some(name))
        .unwrap();
    turn(revision, &own.0, &all)
}

fn wait(on: &[&str]) -> Turn {
    Turn::Wait {
        on: on.iter().map(ToString::to_string).collect(),
    }
}

/// Puts one of them where a visit with the revision would have put it.
fn set(all: &mut [Environment], name: &str, revision: &Revision, standing: TemplateStanding) {
    let one = all
        .iter_mut()
        .find(|one| one.metadata.name.as_deref() == Some(name))
        .unwrap();
    let kind = one.spec.environment_type.unwrap().to_string();
    let ready = if standing == TemplateStanding::Settled {
        "True"
    } else {
        "False"
    };
    *one = with(name, &kind, revision, standing, ready);
}

#[test]
fn development_goes_first_so_many_at_a_time_and_production_last() {
    let changed = template(2, json!({"parallel": 2}));
    let mut all = all();
    assert_eq!(turn_of(&changed, "dev-1", &all), Turn::Go);
    assert_eq!(turn_of(&changed, "dev-2", &all), Turn::Go);
    assert_eq!(turn_of(&changed, "dev-3", &all), wait(&["dev-1", "dev-2"]));
    assert_eq!(
        turn_of(&changed, "stage", &all),
        wait(&["dev-1", "dev-2", "dev-3"])
    );

    // The same from what a watch shows that lags: the two have their places before and after they begin.
    set(&mut all, "dev-1", &changed, TemplateStanding::Applying);
    assert_eq!(turn_of(&changed, "dev-3", &all), wait(&["dev-1", "dev-2"]));
    set(&mut all, "dev-1", &changed, TemplateStanding::Settled);
    assert_eq!(turn_of(&changed, "dev-3", &all), Turn::Go);
    for name in ["dev-2", "dev-3"] {
        set(&mut all, name, &changed, TemplateStanding::Settled);
    }
    assert_eq!(turn_of(&changed, "stage", &all), Turn::Go);
    assert_eq!(turn_of(&changed, "live", &all), wait(&["stage"]));
    set(&mut all, "stage", &changed, TemplateStanding::Settled);
    assert_eq!(turn_of(&changed, "live", &all), Turn::Go);
}

#[test]
fn a_failure_halts_what_comes_after_it_unless_the_template_says_otherwise() {
    for (rollout, expected) in [
        (
            json!({"parallel": 1}),
            Turn::Halted {
                by: vec!["dev-1".to_owned()],
            },
        ),
        (json!({"parallel": 1, "onFailure": "continue"}), Turn::Go),
    ] {
        let changed = template(2, rollout);
        let mut all = all();
        set(&mut all, "dev-1", &changed, TemplateStanding::Failed);
        assert_eq!(turn_of(&changed, "dev-2", &all), expected);
        for name in ["dev-2", "dev-3"] {
            set(&mut all, name, &changed, TemplateStanding::Settled);
        }
        assert_eq!(turn_of(&changed, "stage", &all), expected);
        // A later revision is another try, and the one that failed is waited for again.
        let mended = template(3, json!({}));
        assert_eq!(turn_of(&mended, "dev-1", &all), Turn::Go);
        assert_eq!(
            turn_of(&mended, "stage", &all),
            wait(&["dev-1", "dev-2", "dev-3"])
        );
    }
    let changed = template(2, json!({}));
    let mut all = all();
    set(&mut all, "live", &changed, TemplateStanding::Failed);
    assert_eq!(
        turn_of(&changed, "dev-1", &all),
        Turn::Go,
        "production says nothing to those before it"
    );
}

#[test]
fn who_was_broken_before_neither_holds_others_up_nor_stops_them() {
    let (old, changed) = (template(1, json!({})), template(2, json!({})));
    let broken = with("dev-1", "dev", &old, TemplateStanding::Uncounted, "False");
    assert!(!counts(&broken));
    let unknown = with("dev-1", "dev", &old, TemplateStanding::Uncounted, "Unknown");
    assert!(counts(&unknown), "what is not known is waited for");
    let live = environment("live", "prod");
    assert_eq!(
        turn_of(&changed, "live", &[broken.clone(), live.clone()]),
        Turn::Go
    );
    assert_eq!(
        turn_of(&changed, "live", &[unknown, live]),
        wait(&["dev-1"])
    );
    assert_eq!(
        taken(&changed, &broken).standing,
        TemplateStanding::Uncounted
    );
}

#[test]
fn who_is_suspended_or_on_its_way_out_or_follows_another_template_is_not_waited_for() {
    let changed = template(2, json!({}));
    let mut suspended = environment("dev-1", "dev");
    suspended.spec.suspend = Some(true);
    let mut leaving = environment("dev-2", "dev");
    leaving.metadata.deletion_timestamp = leaving.status.as_ref().unwrap().conditions[0]
        .last_transition_time
        .clone()
        .into();
    let mut other = environment("dev-3", "dev");
    other.spec.template_ref.as_mut().unwrap().name = "another".to_owned();
    let mut elsewhere = environment("dev-4", "dev");
    elsewhere.metadata.namespace = Some("team".to_owned());
    let all = [
        suspended,
        leaving,
        other,
        elsewhere,
        environment("live", "prod"),
    ];
    assert_eq!(turn_of(&changed, "live", &all), Turn::Go);
}

fn entry(reason: PlanReason) -> Entry {
    Entry {
        action: Action::Mark,
        reason,
    }
}

#[test]
fn what_waits_is_what_the_template_brings_and_nothing_else() {
    let changed = template(2, json!({}));
    let live = environment("live", "prod");
    let turn = wait(&["stage"]);
    let plan = || Plan {
        entries: vec![entry(PlanReason::SpecChanged), entry(PlanReason::Drifted)],
        ..Plan::default()
    };
    let mut held = plan();
    keep_back(&mut held, &changed, &live, &turn, false);
    assert_eq!(held.entries, [entry(PlanReason::Drifted)], "repairs go on");
    assert!(matches!(
        held.holds.as_slice(),
        [Hold::WaitingForWave { .. }]
    ));
    assert_ne!(
        held.hash,
        plan().hash,
        "an approval of what is left is none of what is kept back"
    );
    let status = followed(&changed, &live, &held, &turn, false).unwrap();
    assert_ne!(
        status.digest, changed.digest,
        "it still follows the one before"
    );

    let mut forced = plan();
    keep_back(&mut forced, &changed, &live, &turn, true);
    assert_eq!(forced, plan(), "a person's wish goes before");
    let status = followed(&changed, &live, &forced, &turn, true).unwrap();
    assert_eq!(
        (status.digest, status.standing),
        (changed.digest.clone(), TemplateStanding::Applying)
    );

    let mut first = live.clone();
    first.status.as_mut().unwrap().template = None;
    let mut own = plan();
    keep_back(&mut own, &changed, &first, &turn, false);
    assert_eq!(
        own,
        plan(),
        "an environment that is new to the template is not a change of it"
    );

    let nothing = Plan::default();
    let status = followed(&changed, &live, &nothing, &turn, false).unwrap();
    assert_eq!(
        status.digest, changed.digest,
        "what changes nothing needs no turn"
    );
    let unknown = Plan {
        holds: vec![Hold::ChangeApplying],
        ..Plan::default()
    };
    let status = followed(&changed, &live, &unknown, &turn, false).unwrap();
    assert_ne!(
        status.digest, changed.digest,
        "not known yet whether it changes nothing"
    );
}

#[test]
fn a_revision_is_what_its_environments_come_to() {
    let digest = |spec: Value| {
        let spec = serde_json::from_value(spec).unwrap();
        Revision::new("web", None, spec).digest
    };
    let plain = digest(json!({"base": {"approval": "always"}}));
    assert_eq!(
        plain,
        digest(
            json!({"base": {"approval": "always"}, "description": "x", "rollout": {"parallel": 1}})
        )
    );
    assert_ne!(plain, digest(json!({"base": {"approval": "destructive"}})));
}

#[test]
fn overrides_are_counted_and_the_first_of_them_named() {
    let revision = template(1, json!({}));
    let mut own = environment("live", "prod");
    own.metadata.generation = Some(2);
    own.spec.services =
        serde_json::from_value(json!({"web": {"deploy": {"replicas": 4}}})).unwrap();
    let status: TemplateStatus = taken(&revision, &own);
    assert_eq!(status.overrides, 1);
    assert_eq!(status.overridden, ["spec.services.web.deploy.replicas"]);
    assert_eq!(
        status.standing,
        TemplateStanding::Settled,
        "the same revision as before"
    );
}

#[test]
fn a_standing_follows_from_the_one_before_and_what_was_seen() {
    use TemplateStanding::{Applying, Failed, Settled, Uncounted};
    for (before, fine, degraded, after) in [
        (Applying, false, false, Applying),
        (Applying, true, false, Settled),
        (Applying, false, true, Failed),
        (Failed, false, false, Applying),
        (Failed, true, false, Settled),
        (Settled, false, true, Settled),
        (Uncounted, false, true, Uncounted),
        (Uncounted, true, false, Settled),
    ] {
        assert_eq!(
            standing_after(before, fine, degraded),
            after,
            "{before} {fine} {degraded}"
        );
    }
}

/// What a visit does to one environment, as far as templates go.
fn visit(all: &mut [Environment], index: usize, revision: &Revision, fails: bool) {
    let name = all[index].metadata.name.clone().unwrap();
    let status = all[index].status.clone().unwrap().template.unwrap();
    if status.digest == revision.digest {
        if status.standing == TemplateStanding::Applying {
            let standing = if fails {
                TemplateStanding::Failed
            } else {
                TemplateStanding::Settled
            };
            set(all, &name, revision, standing);
        }
        return;
    }
    if turn_of(revision, &name, all) == Turn::Go {
        set(all, &name, revision, TemplateStanding::Applying);
    }
}

proptest! {
    #[test]
    fn in_whatever_order_they_are_visited_no_wave_overtakes_another_and_all_arrive(
        order in prop::collection::vec(0..7_usize, 0..60),
        failing in prop::option::of(0..7_usize),
        parallel in 1..4_u16,
    ) {
        let changed = template(2, json!({"parallel": parallel}));
        let kinds = ["dev", "ephemeral", "dev", "dev", "staging", "staging", "prod"];
        let mut all: Vec<Environment> = kinds
            .iter()
            .enumerate()
            .map(|(index, kind)| environment(&format!("e{index}"), kind))
            .collect();
        // Enough rounds for everybody, whatever the order was before.
        let rounds = (0..20).flat_map(|_| 0..7);
        for index in order.into_iter().chain(rounds) {
            visit(&mut all, index, &changed, failing == Some(index));
            let mut waves: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
            for environment in &all {
                let wave = changed.spec.rollout.clone().unwrap().wave(environment.spec.environment_type.unwrap());
                let status = environment.status.clone().unwrap().template.unwrap();
                let entry = waves.entry(wave).or_default();
                let begun = status.digest == changed.digest;
                entry.0 += usize::from(begun && status.standing == TemplateStanding::Applying);
                entry.1 += usize::from(!begun || status.standing != TemplateStanding::Settled);
                if begun {
                    let before_done = waves.range(..wave).all(|(_, (_, open))| *open == 0);
                    prop_assert!(before_done, "{} overtook", environment.metadata.name.clone().unwrap());
                }
            }
            prop_assert!(waves.values().all(|(under_way, _)| *under_way <= usize::from(parallel)));
        }
        let settled = |environment: &Environment| {
            let status = environment.status.clone().unwrap().template.unwrap();
            status.digest == changed.digest && status.standing == TemplateStanding::Settled
        };
        if failing.is_none() {
            prop_assert!(all.iter().all(settled));
        }
    }
}

//! Leaving Railway as it was: what teardown decides in every situation.

use crate::support::{UID, World, effective};
use jiff::SignedDuration;
use mirage_railway::{secret::Fingerprint, snapshot::VariableSnapshot};
use mirage_reconcilers::environment::{
    identity::MirageId,
    ledger,
    observe::Observed,
    patience::Patience,
    plan::Action,
    teardown::{Teardown, project, teardown},
};
use mirage_specs::{
    EnvironmentStatus,
    environment::Deletion,
    ledger::{LedgerKind, LedgerState},
};

const SPEC: &str = "services: {api: {source: {image: 'nginx:1'}}}";

fn status(world: &World) -> EnvironmentStatus {
    EnvironmentStatus {
        ledger: world.ledger.clone(),
        teardown_since: Some(world.now),
        ..EnvironmentStatus::default()
    }
}

fn decide(world: &World, status: &EnvironmentStatus, deletion: Deletion) -> Teardown {
    teardown(
        &MirageId::new(UID),
        status,
        &world.observed(),
        deletion,
        world.now,
    )
}

fn actions(decision: &Teardown) -> Vec<&Action> {
    match decision {
        Teardown::Work(plan) => plan.entries.iter().map(|entry| &entry.action).collect(),
        Teardown::Done { .. } | Teardown::GiveUp { .. } => Vec::new(),
    }
}

fn is_waiting(decision: &Teardown) -> bool {
    matches!(decision, Teardown::Work(plan) if plan.entries.is_empty() && !plan.holds.is_empty())
}

#[test]
fn what_was_never_made_needs_no_teardown() {
    let world = World::with_project();
    let status = status(&world);
    assert_eq!(project(&status), None);
    assert_eq!(
        decide(&world, &status, Deletion::Delete),
        Teardown::Done { note: None }
    );
}

#[test]
fn what_is_ours_is_deleted_and_done_when_it_is_gone() {
    let mut world = World::synced(&effective(SPEC));
    let mut status = status(&world);
    assert!(matches!(
        actions(&decide(&world, &status, Deletion::Delete))[..],
        [Action::DeleteEnvironment { .. }]
    ));
    let id = world.environment().id.clone();
    world.project.as_mut().unwrap().environments.remove(&id);
    for entry in &mut status.ledger {
        entry.state = LedgerState::Removing;
    }
    assert_eq!(
        decide(&world, &status, Deletion::Delete),
        Teardown::Done { note: None }
    );
    world.project = None;
    assert_eq!(
        decide(&world, &status, Deletion::Delete),
        Teardown::Done { note: None }
    );
}

#[test]
fn trap_20_a_delete_that_was_accepted_and_ignored_is_seen_and_asked_for_again() {
    let mut world = World::synced(&effective(SPEC));
    let mut status = status(&world);
    for entry in &mut status.ledger {
        entry.state = LedgerState::Removing;
    }
    world.in_grace = true;
    // Railway may still be at it.
    assert!(is_waiting(&decide(&world, &status, Deletion::Delete)));
    // Still there afterwards: the answer said done, and the look decides.
    world.in_grace = false;
    assert_eq!(actions(&decide(&world, &status, Deletion::Delete)).len(), 1);
}

#[test]
fn a_create_that_may_still_take_effect_is_waited_for() {
    let mut world = World::with_project();
    ledger::intend(&mut world.ledger, LedgerKind::Environment, "web", world.now);
    let status = status(&world);
    assert!(is_waiting(&decide(&world, &status, Deletion::Delete)));
    world.now += SignedDuration::from_secs(181);
    assert_eq!(
        decide(&world, &status, Deletion::Delete),
        Teardown::Done { note: None }
    );
}

#[test]
fn a_create_that_took_effect_late_is_deleted() {
    let mut world = World::with_project();
    ledger::intend(&mut world.ledger, LedgerKind::Environment, "web", world.now);
    let status = status(&world);
    world.create_environment("web");
    assert_eq!(actions(&decide(&world, &status, Deletion::Delete)).len(), 1);
}

#[test]
fn retaining_takes_the_mark_off_and_nothing_else() {
    let mut world = World::synced(&effective(SPEC));
    let status = status(&world);
    assert!(matches!(
        actions(&decide(&world, &status, Deletion::Retain))[..],
        [Action::Unmark { .. }]
    ));
    world.config().mark = None;
    world.environment().instances.clear();
    assert!(matches!(
        decide(&world, &status, Deletion::Retain),
        Teardown::Done { note: Some(_) }
    ));
}

#[test]
fn nothing_is_deleted_that_does_not_carry_our_mark() {
    let mut world = World::synced(&effective(SPEC));
    let status = status(&world);
    world.config().mark = Some("another".to_owned());
    assert!(matches!(
        decide(&world, &status, Deletion::Delete),
        Teardown::GiveUp { .. }
    ));
    world.config().mark = None;
    assert!(matches!(
        decide(&world, &status, Deletion::Delete),
        Teardown::GiveUp { .. }
    ));
}

#[test]
fn an_environment_made_by_hand_is_left_alone() {
    let mut world = World::with_project();
    ledger::intend(&mut world.ledger, LedgerKind::Environment, "web", world.now);
    let status = status(&world);
    world.create_environment("web");
    let theirs = VariableSnapshot::Value(Fingerprint::from_stored("theirs"));
    world
        .config()
        .shared_variables
        .insert("THEIRS".to_owned(), theirs);
    world.config().mark = Some("another".to_owned());
    assert!(matches!(
        decide(&world, &status, Deletion::Delete),
        Teardown::Done { note: Some(_) }
    ));
}

#[test]
fn what_cannot_be_seen_is_waited_for_and_then_left_behind_with_a_receipt() {
    let mut world = World::synced(&effective(SPEC));
    let status = status(&world);
    let unseen = Observed::nothing("503".to_owned(), Patience::default());
    let blind = |now| teardown(&MirageId::new(UID), &status, &unseen, Deletion::Delete, now);
    assert!(is_waiting(&blind(world.now)));
    world.now += Patience::default().teardown;
    assert!(matches!(blind(world.now), Teardown::GiveUp { why, .. } if why == "503"));
}

#[test]
fn a_removal_that_never_happens_ends_at_the_deadline() {
    let mut world = World::synced(&effective(SPEC));
    let status = status(&world);
    world.now += Patience::default().teardown;
    assert!(matches!(
        decide(&world, &status, Deletion::Delete),
        Teardown::GiveUp {
            railway_id: Some(_),
            ..
        }
    ));
}

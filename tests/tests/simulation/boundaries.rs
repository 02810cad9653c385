//! Killed at every boundary of a provision, an update and a teardown, on both ways of writing.

#![expect(clippy::panic, reason = "in a test a failure is the message")]

use mirage_tests::boundary::{Act, walk};

fn must_survive(act: Act, change_sets: bool) {
    match walk(act, change_sets) {
        Ok(effects) => assert!(effects > 0, "an act without effects was walked"),
        Err(failures) => panic!("{failures}"),
    }
}

#[test]
fn a_provision_by_change_set_survives_a_kill_at_every_boundary() {
    must_survive(Act::Provision, true);
}

#[test]
fn a_provision_by_patch_survives_a_kill_at_every_boundary() {
    must_survive(Act::Provision, false);
}

#[test]
fn an_update_by_change_set_survives_a_kill_at_every_boundary() {
    must_survive(Act::Update, true);
}

#[test]
fn an_update_by_patch_survives_a_kill_at_every_boundary() {
    must_survive(Act::Update, false);
}

#[test]
fn a_teardown_survives_a_kill_at_every_boundary() {
    must_survive(Act::Teardown, true);
}

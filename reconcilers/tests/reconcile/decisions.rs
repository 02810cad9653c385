//! The smaller decisions: approval, rivals, status and the record of what was applied.

#![allow(clippy::unwrap_used, reason = "in tests a failure is the message")]

use crate::support::{World, effective, environment};
use mirage_railway::{
    error::{Error, Failure},
    snapshot::DeploymentStatus,
};
use mirage_reconcilers::environment::{
    approval::{Gate, gate},
    observe::Observed,
    patience::Patience,
    plan::Plan,
    rival::rival,
    status::{Visit, status},
};
use mirage_specs::{Environment, EnvironmentStatus, environment::Approval};

const SPEC: &str = "services: {api: {source: {image: 'nginx:1'}, variables: {A: one, B: two}}}";

fn visit(world: &World, spec: &str, plan: &Plan, error: Option<&Error>) -> EnvironmentStatus {
    let (wanted, observed) = (effective(spec), world.observed());
    let earlier = EnvironmentStatus {
        ledger: world.ledger.clone(),
        ..EnvironmentStatus::default()
    };
    let visit = Visit {
        effective: &wanted,
        observed: &observed,
        plan,
        gate: &Gate::Open,
        changed: false,
        error,
        now: world.now,
    };
    status(&earlier, &visit)
}

fn condition<'a>(status: &'a EnvironmentStatus, kind: &str) -> (&'a str, &'a str) {
    let found = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == kind)
        .unwrap();
    (&found.status, &found.reason)
}

#[test]
fn a_settled_environment_is_ready_and_says_where() {
    let world = World::synced(&effective(SPEC));
    let status = visit(&world, SPEC, &Plan::default(), None);
    assert_eq!(status.phase.as_deref(), Some("Ready"));
    assert_eq!(condition(&status, "Ready"), ("True", "ServicesHealthy"));
    assert_eq!(condition(&status, "Synced"), ("True", "InSync"));
    assert_eq!(status.services_ready.as_deref(), Some("1/1"));
    assert!(
        status
            .railway
            .unwrap()
            .dashboard_url
            .unwrap()
            .starts_with("https://railway.com/project/")
    );
}

#[test]
fn each_state_of_a_deployment_has_its_word() {
    for (railway, state, ready) in [
        (DeploymentStatus::Building, "Deploying", "False"),
        (DeploymentStatus::Queued, "Deploying", "False"),
        (DeploymentStatus::NeedsApproval, "Blocked", "False"),
        (DeploymentStatus::Success, "Ready", "True"),
        (DeploymentStatus::Sleeping, "Sleeping", "True"),
        (DeploymentStatus::Crashed, "Failed", "False"),
        (DeploymentStatus::Failed, "Failed", "False"),
        (
            DeploymentStatus::Other("NEWFANGLED".to_owned()),
            "Unknown",
            "False",
        ),
    ] {
        let mut world = World::synced(&effective(SPEC));
        world
            .instance("api")
            .latest_deployment
            .as_mut()
            .unwrap()
            .status = railway;
        let status = visit(&world, SPEC, &Plan::default(), None);
        assert_eq!(status.services["api"].state.to_string(), state);
        assert_eq!(condition(&status, "Ready").0, ready, "{state}");
    }
}

#[test]
fn what_was_not_observed_is_unknown_and_never_guessed() {
    let world = World::synced(&effective(SPEC));
    let wanted = effective(SPEC);
    let seen = visit(&world, SPEC, &Plan::default(), None);
    let unseen = Observed::nothing("503".to_owned(), Patience::default());
    let failure = Failure {
        operation: "ObserveProjects",
        message: "upstream connect error".to_owned(),
        trace_id: Some("42".to_owned()),
    };
    let error = Error::Transient(failure);
    let plan = Plan::default();
    let visit = Visit {
        effective: &wanted,
        observed: &unseen,
        plan: &plan,
        gate: &Gate::Open,
        changed: false,
        error: Some(&error),
        now: world.now,
    };
    let next = status(&seen, &visit);
    assert_eq!(condition(&next, "Ready"), ("Unknown", "NotObserved"));
    assert_eq!(condition(&next, "Synced"), ("False", "RailwayUnreachable"));
    let told = &next
        .conditions
        .iter()
        .find(|condition| condition.type_ == "Synced")
        .unwrap()
        .message;
    assert!(
        told.contains("upstream connect error")
            && told.contains("42")
            && told.contains("tries again"),
        "{told}"
    );
    assert_eq!(next.applied, seen.applied);
}

#[test]
fn an_equal_visit_makes_an_equal_status() {
    let mut world = World::synced(&effective(SPEC));
    let wanted = effective(SPEC);
    let first = visit(&world, SPEC, &Plan::default(), None);
    world.now += jiff::SignedDuration::from_hours(3);
    let (observed, plan) = (world.observed(), Plan::default());
    let visit = Visit {
        effective: &wanted,
        observed: &observed,
        plan: &plan,
        gate: &Gate::Open,
        changed: false,
        error: None,
        now: world.now,
    };
    assert_eq!(status(&first, &visit), first);
}

#[test]
fn an_approval_is_for_one_plan_and_what_remains_of_it() {
    let world = World::synced(&effective(SPEC));
    let plan = world.plan(&effective("services: {api: {source: {image: 'nginx:1'}}}"));
    assert!(plan.is_destructive());
    assert_eq!(gate(&plan, Approval::Automatic, 2, None, None), Gate::Open);
    assert_eq!(
        gate(&plan, Approval::Destructive, 2, None, None),
        Gate::Closed
    );
    assert_eq!(
        gate(&plan, Approval::Always, 2, Some("another"), None),
        Gate::Closed
    );
    let Gate::Approved(approved) = gate(&plan, Approval::Destructive, 2, Some(&plan.hash), None)
    else {
        panic!()
    };
    let mut rest = plan.clone();
    rest.entries.pop();
    rest.hash = "changed".to_owned();
    assert_eq!(
        gate(&rest, Approval::Destructive, 2, None, Some(&approved)),
        Gate::Open
    );
    assert_eq!(
        gate(&rest, Approval::Destructive, 3, None, Some(&approved)),
        Gate::Closed
    );
    let other = world.plan(&effective("services: {}"));
    assert_eq!(
        gate(&other, Approval::Destructive, 2, None, Some(&approved)),
        Gate::Closed
    );
}

#[test]
fn safe_plans_need_no_approval_where_only_destruction_does() {
    let world = World::synced(&effective(SPEC));
    let plan = world.plan(&effective(&SPEC.replace("one", "three")));
    assert_eq!(
        gate(&plan, Approval::Destructive, 2, None, None),
        Gate::Open
    );
    assert_eq!(gate(&plan, Approval::Always, 2, None, None), Gate::Closed);
    assert_eq!(
        gate(&Plan::default(), Approval::Always, 2, None, None),
        Gate::Open
    );
}

fn other(uid: &str, name: &str, created: &str) -> Environment {
    let mut other = environment(SPEC);
    other.metadata.uid = Some(uid.to_owned());
    other.metadata.name = Some(name.to_owned());
    other.metadata.creation_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(
        created.parse().unwrap(),
    ));
    other
}

#[test]
fn of_two_specs_for_one_place_the_older_keeps_it() {
    let ours = environment(SPEC);
    let mut younger = other("2", "copy", "2026-01-02T00:00:00Z");
    younger.spec.name = Some("web".to_owned());
    assert_eq!(rival(&ours, [&ours, &younger]), None);
    assert_eq!(
        rival(&younger, [&ours, &younger]),
        Some("default/web".to_owned())
    );
    let elsewhere = other("3", "elsewhere", "2025-01-01T00:00:00Z");
    assert_eq!(rival(&ours, [&elsewhere]), None);
}

#[test]
fn whoever_made_the_environment_keeps_it_even_if_younger() {
    let mut ours = environment(SPEC);
    let older = {
        let mut older = other("2", "older", "2025-01-02T00:00:00Z");
        older.spec.name = Some("web".to_owned());
        older
    };
    assert!(rival(&ours, [&older]).is_some());
    let world = World::synced(&effective(SPEC));
    ours.status = Some(EnvironmentStatus {
        ledger: world.ledger,
        ..EnvironmentStatus::default()
    });
    assert_eq!(rival(&ours, [&older]), None);
    assert!(rival(&older, [&ours]).is_some());
}

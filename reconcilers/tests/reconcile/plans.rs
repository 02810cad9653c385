//! Plans as people read them: what a spec and a Railway lead to, reviewed as text.

use crate::support::{World, effective, text};
use jiff::SignedDuration;
use mirage_railway::{
    secret::Fingerprint,
    snapshot::{DeploymentStatus, VariableSnapshot},
};
use mirage_reconcilers::environment::{
    ledger, observe::Observed, patience::Patience, plan::Hold, request,
};
use mirage_specs::ledger::LedgerKind;
use serde_json::json;

/// Compares with `tests/reconcile/plans/<name>.snap`.
fn assert_plan(name: &str, plan: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("plans");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, plan));
}

const SHOP: &str = "
variables: {TIER: dev}
services:
  api:
    source: {repo: acme/shop, branch: feature, rootDirectory: apps/api}
    deploy: {replicas: 2, healthcheck: {path: /health, timeout: 60s}}
    variables: {LOG_LEVEL: debug, TOKEN: {secretRef: {name: api, key: token}}, URL: '${{db.URL}}'}
    domains: [{port: 8080}, {name: api.example.com}]
    dependsOn: [db]
  db:
    source: {image: 'postgres:17'}
    volumes: {data: {mountPath: /var/lib/postgresql/data, size: 5Gi}}
    variables: {PASSWORD: {generate: {length: 32}}}
    tcpProxies: [5432]
";

#[test]
fn an_empty_workspace_gets_everything() {
    assert_plan(
        "an_empty_workspace_gets_everything",
        &text(&World::empty().plan(&effective(SHOP))),
    );
}

#[test]
fn a_second_apply_plans_nothing() {
    let wanted = effective(SHOP);
    let mut world = World::empty();
    world.converge(&wanted);
    assert_eq!(text(&world.plan(&wanted)), "");
}

#[test]
fn a_changed_spec_changes_just_that() {
    let mut world = World::synced(&effective(SHOP));
    let next = effective(
        &SHOP
            .replace("replicas: 2", "replicas: 3")
            .replace("LOG_LEVEL: debug", "LOG_LEVEL: info"),
    );
    assert_plan(
        "a_changed_spec_changes_just_that",
        &text(&world.plan(&next)),
    );
    world.converge(&next);
}

#[test]
fn what_leaves_the_spec_is_removed_and_says_what_it_destroys() {
    let mut world = World::synced(&effective(SHOP));
    let next = effective(
        "
services:
  api:
    source: {repo: acme/shop, branch: feature, rootDirectory: apps/api}
    deploy: {replicas: 2}
    variables: {LOG_LEVEL: debug}
",
    );
    assert_plan(
        "what_leaves_the_spec_is_removed_and_says_what_it_destroys",
        &text(&world.plan(&next)),
    );
    world.converge(&next);
}

#[test]
fn what_was_never_declared_is_not_touched() {
    let wanted = effective(SHOP);
    let mut world = World::synced(&wanted);
    let fingerprint = Fingerprint::from_stored("somebody's");
    world.service_config("api").variables.insert(
        "THEIRS".to_owned(),
        VariableSnapshot::Value(fingerprint.clone()),
    );
    world.config().shared_variables.insert(
        "THEIRS_TOO".to_owned(),
        VariableSnapshot::Value(fingerprint),
    );
    world.service_config("api").settings["deploy"]["startCommand"] = json!("sh run.sh");
    assert_eq!(text(&world.plan(&wanted)), "");
}

#[test]
fn drift_is_told_from_a_changed_spec_and_repaired() {
    let wanted = effective(SHOP);
    let mut world = World::synced(&wanted);
    world.service_config("api").variables.remove("LOG_LEVEL");
    world.service_config("api").settings["deploy"]["multiRegionConfig"] =
        json!({"us-west2": {"numReplicas": 1}});
    world.remove_service("db");
    assert_plan(
        "drift_is_told_from_a_changed_spec_and_repaired",
        &text(&world.plan(&wanted)),
    );
    world.converge(&wanted);
}

#[test]
fn drift_is_reported_and_left_where_the_spec_says_so() {
    let wanted = effective(&format!("{SHOP}\ndrift: {{mode: report}}"));
    let mut world = World::synced(&wanted);
    world.service_config("api").variables.remove("LOG_LEVEL");
    assert_plan(
        "drift_is_reported_and_left_where_the_spec_says_so",
        &text(&world.plan(&wanted)),
    );
}

#[test]
fn an_ignored_path_may_differ_and_others_may_not() {
    let wanted = effective(&format!(
        "{SHOP}\ndrift: {{ignore: [services.api.deploy.replicas]}}"
    ));
    let mut world = World::synced(&wanted);
    world.service_config("api").settings["deploy"]["multiRegionConfig"] =
        json!({"us-west2": {"numReplicas": 7}});
    assert_eq!(text(&world.plan(&wanted)), "");
    world.service_config("api").variables.remove("LOG_LEVEL");
    assert!(text(&world.plan(&wanted)).contains("LOG_LEVEL"));
}

#[test]
fn the_same_repair_again_and_again_is_a_fight() {
    let wanted = effective(SHOP);
    let mut world = World::synced(&wanted);
    world.service_config("api").variables.remove("LOG_LEVEL");
    let target = "service/api/variable/LOG_LEVEL".to_owned();
    let repairs = mirage_specs::status::Repairs {
        count: 5,
        since: world.now,
        reason: mirage_specs::plan::PlanReason::Drifted,
    };
    world.repairs.insert(target, repairs);
    assert_plan(
        "the_same_repair_again_and_again_is_a_fight",
        &text(&world.plan(&wanted)),
    );
    world.retry = true;
    assert!(!world.plan(&wanted).entries.is_empty());
}

#[test]
fn an_unreadable_project_plans_nothing() {
    let wanted = effective(SHOP);
    let world = World::synced(&wanted);
    let unseen = Observed::nothing("503".to_owned(), Patience::default());
    let plan = world.plan_seeing(&wanted, &unseen);
    assert!(plan.entries.is_empty());
    assert!(matches!(plan.holds.as_slice(), [Hold::Unobserved { .. }]));
}

#[test]
fn an_unreadable_configuration_plans_nothing() {
    let wanted = effective(SHOP);
    let mut world = World::synced(&wanted);
    world.environment().config = None;
    assert!(world.plan(&wanted).entries.is_empty());
    world.environment().can_access = false;
    assert!(world.plan(&wanted).entries.is_empty());
}

#[test]
fn absence_within_the_grace_time_is_not_believed() {
    let wanted = effective(SHOP);
    let mut world = World::synced(&wanted);
    world.remove_service("db");
    world.in_grace = true;
    let plan = world.plan(&wanted);
    assert!(plan.entries.is_empty(), "{}", text(&plan));
    assert!(matches!(
        plan.holds.as_slice(),
        [Hold::AwaitingVisibility { .. }]
    ));
}

#[test]
fn an_intention_without_an_answer_waits_before_it_is_repeated() {
    let wanted = effective(SHOP);
    let mut world = World::with_project();
    ledger::intend(&mut world.ledger, LedgerKind::Environment, "web", world.now);
    assert!(world.plan(&wanted).entries.is_empty());
    world.now += SignedDuration::from_secs(181);
    assert!(!world.plan(&wanted).entries.is_empty());
}

#[test]
fn an_intention_that_took_effect_is_adopted_when_its_result_is_empty() {
    let wanted = effective(SHOP);
    let mut world = World::with_project();
    ledger::intend(&mut world.ledger, LedgerKind::Environment, "web", world.now);
    world.create_environment("web");
    assert!(text(&world.plan(&wanted)).starts_with("  mark the environment"));
    world.converge(&wanted);
}

#[test]
fn an_environment_made_by_hand_is_never_touched() {
    let wanted = effective(SHOP);
    let mut world = World::with_project();
    world.create_environment("web");
    assert_plan(
        "an_environment_made_by_hand_is_never_touched",
        &text(&world.plan(&wanted)),
    );
    // Neither when an older intention of ours lies about: what it would have made is younger than it.
    world.now += SignedDuration::from_mins(5);
    ledger::intend(&mut world.ledger, LedgerKind::Environment, "web", world.now);
    assert!(world.plan(&wanted).entries.is_empty());
}

#[test]
fn a_copied_mark_does_not_make_an_environment_ours() {
    let wanted = effective(SHOP);
    let mut world = World::synced(&wanted);
    // Duplicated in the dashboard, and the original deleted: the copy carries the mark and takes the name.
    let original = world.environment().clone();
    let project = world.project.as_mut().unwrap();
    project.environments.remove(&original.id);
    let mut copy = original;
    copy.id = mirage_railway::id::EnvironmentId::new("copy");
    project.environments.insert(copy.id.clone(), copy);
    let plan = world.plan(&wanted);
    assert!(plan.entries.is_empty());
    assert!(matches!(plan.holds.as_slice(), [Hold::Conflict { .. }]));
}

#[test]
fn suspension_stops_everything_and_resuming_starts_it_again() {
    let wanted = effective(SHOP);
    let mut world = World::synced(&wanted);
    let stopped = effective(&format!("{SHOP}\nsuspend: true"));
    assert_plan(
        "suspension_stops_everything_and_resuming_starts_it_again",
        &text(&world.plan(&stopped)),
    );
    world.converge(&stopped);
    assert_plan(
        "suspension_stops_everything_and_resuming_starts_it_again_2",
        &text(&world.plan(&wanted)),
    );
    world.converge(&wanted);
}

#[test]
fn a_stop_of_everything_that_was_not_ours_is_not_fought() {
    let wanted = effective(SHOP);
    let mut world = World::synced(&wanted);
    for service in ["api", "db"] {
        let instance = world.instance(service);
        instance.active_deployments.clear();
        instance.latest_deployment.as_mut().unwrap().status = DeploymentStatus::Removed;
    }
    let plan = world.plan(&wanted);
    assert!(plan.entries.is_empty());
    assert_eq!(plan.holds, [Hold::EverythingStopped]);
}

#[test]
fn a_sequential_rollout_goes_wave_by_wave() {
    let wanted = effective(&format!("{SHOP}\nrollout: {{strategy: sequential}}"));
    let mut world = World::with_project();
    let first = world.plan(&wanted);
    assert_plan("a_sequential_rollout_goes_wave_by_wave", &text(&first));
    world.apply(&wanted, &first);
    world
        .instance("db")
        .latest_deployment
        .as_mut()
        .unwrap()
        .status = DeploymentStatus::Building;
    assert!(
        world
            .plan(&wanted)
            .entries
            .iter()
            .all(|entry| entry.action.service() != Some("api"))
    );
    world
        .instance("db")
        .latest_deployment
        .as_mut()
        .unwrap()
        .status = DeploymentStatus::Success;
    assert!(
        world
            .plan(&wanted)
            .entries
            .iter()
            .any(|entry| entry.action.service() == Some("api"))
    );
}

#[test]
fn volume_growth_is_safe_and_shrinking_is_destructive() {
    let world = World::synced(&effective(SHOP));
    let grow = world.plan(&effective(&SHOP.replace("size: 5Gi", "size: 9Gi")));
    let shrink = world.plan(&effective(&SHOP.replace("size: 5Gi", "size: 1Gi")));
    assert!(!grow.is_destructive() && grow.entries.len() == 1);
    assert!(shrink.is_destructive() && shrink.entries.len() == 1);
}

#[test]
fn a_services_volume_goes_with_it() {
    let world = World::synced(&effective(SHOP));
    let plan = world.plan(&effective("services: {api: {source: {repo: acme/shop}}}"));
    assert!(text(&plan).contains("delete service db and its 1 volume(s)"));
}

#[test]
fn trap_18_a_removed_deployment_that_lists_leave_out_is_not_needed_to_start_again() {
    let wanted = effective(SHOP);
    let mut world = World::synced(&wanted);
    let stopped = effective(&format!("{SHOP}\nsuspend: true"));
    world.converge(&stopped);
    for service in ["api", "db"] {
        world.instance(service).latest_deployment = None;
    }
    let plan = text(&world.plan(&wanted));
    assert!(
        plan.contains("api: start a deployment (Suspension)"),
        "{plan}"
    );
    assert!(
        plan.contains("db: start a deployment (Suspension)"),
        "{plan}"
    );
}

#[test]
fn trap_23_a_service_that_crashes_for_want_of_its_network_is_left_to_recover() {
    let wanted = effective(SHOP);
    let mut world = World::synced(&wanted);
    let instance = world.instance("api");
    instance.active_deployments.clear();
    instance.latest_deployment.as_mut().unwrap().status = DeploymentStatus::Crashed;
    // Told as failed, and neither deployed again nor rolled into a new plan: it was declared right.
    assert_eq!(text(&world.plan(&wanted)), "");
}

#[test]
fn a_redeploy_that_was_asked_for_covers_what_is_older_and_nothing_else() {
    let wanted = effective(SHOP);
    let mut world = World::synced(&wanted);
    let asked = world
        .now
        .checked_add(SignedDuration::from_secs(60))
        .unwrap();
    world.redeploy = request::asked(Some(&asked.to_string()), None);
    let plan = text(&world.plan(&wanted));
    assert!(
        plan.contains("api: start a deployment (Requested)"),
        "{plan}"
    );
    assert!(
        plan.contains("db: start a deployment (Requested)"),
        "{plan}"
    );
    let newer = asked.checked_add(SignedDuration::from_secs(1)).unwrap();
    for service in ["api", "db"] {
        world
            .instance(service)
            .latest_deployment
            .as_mut()
            .unwrap()
            .created_at = newer;
    }
    assert_eq!(text(&world.plan(&wanted)), "");
}

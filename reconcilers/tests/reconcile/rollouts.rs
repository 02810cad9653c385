//! Rollouts decided: what counts as failed, the way back, what is held, and that nothing is pushed again.

#![allow(clippy::unwrap_used, reason = "in tests a failure is the message")]

use crate::support::{World, effective, text};
use jiff::SignedDuration;
use mirage_railway::{
    id::DeploymentId,
    snapshot::{DeploymentSnapshot, DeploymentStatus, Presence},
};
use mirage_reconcilers::environment::{
    applied,
    approval::{Gate, gate},
    effective::Effective,
    patience::Patience,
    request,
    rollout::{
        begin::{Sending, begin},
        good::good,
        judge::{Scene, conclude, judge},
        waves,
        way::Failed,
        words,
    },
    status::{Visit, status},
    wake::news,
};
use mirage_specs::{
    EnvironmentStatus,
    environment::{Approval, OnFailure},
    rollout::{RollbackWay, RolloutServiceState as Is, RolloutState},
};

const SPEC: &str = "
rollout: {strategy: sequential, healthTimeout: 5m, onFailure: rollback}
services:
  api: {source: {image: 'nginx:1'}, variables: {A: one}}
  web: {source: {image: 'nginx:1'}, dependsOn: [api]}
";

fn next(spec: &str) -> Effective {
    let mut next = effective(&spec.replace("nginx:1", "nginx:2"));
    next.generation = 2;
    next
}

/// A world in which generation 1 is applied and healthy, and known as good.
fn settled(spec: &str) -> World {
    let first = effective(spec);
    let mut world = World::synced(&first);
    let environment = world.environment().clone();
    world.good = good(&world.good, &first, &world.applied, None, &environment);
    assert_eq!(world.good.len(), first.services.len());
    world
}

impl World {
    fn scene<'a>(
        &self,
        effective: &'a Effective,
        environment: &'a mirage_railway::snapshot::EnvironmentSnapshot,
        retry: bool,
    ) -> Scene<'a> {
        Scene {
            effective,
            environment,
            is_pending: false,
            in_grace: self.in_grace,
            patience: Patience::default(),
            retry,
            now: self.now,
        }
    }

    /// A look, with Railway's answer to whether it still has what was good.
    fn look(&mut self, effective: &Effective, restorable: &Presence<bool>, retry: bool) {
        let environment = self.environment().clone();
        let scene = self.scene(effective, &environment, retry);
        let mut rollout = judge(self.rollout.as_ref(), scene);
        if let Some(rollout) = &mut rollout
            && effective.rollout.on_failure == Some(OnFailure::Rollback)
        {
            for (name, service) in &mut rollout.services {
                if service.state != Is::Failed || service.way.is_some() {
                    continue;
                }
                let instance = environment.instance_named(name).unwrap();
                let config = environment.config.as_ref().unwrap();
                let failed = Failed {
                    service,
                    good: self.good.get(name),
                    desired: &effective.services[name],
                    instance,
                    config: &config.services[&instance.service_id],
                };
                *service = failed.decided(restorable);
            }
            conclude(rollout, scene);
        }
        self.good = good(
            &self.good,
            effective,
            &self.applied,
            rollout.as_ref(),
            &environment,
        );
        self.rollout = rollout;
    }

    /// The commit of a service's new image: its configuration changes, and a deployment begins.
    fn send(&mut self, effective: &Effective, service: &str) {
        let environment = self.environment().clone();
        let sending = Sending {
            effective,
            environment: Some(&environment),
            plan: "4f1c",
            is_call: false,
            now: self.now,
        };
        self.rollout = begin(self.rollout.take(), &[service.to_owned()], sending);
        let image = effective.services[service].settings
            [&mirage_reconcilers::environment::field::Field::Image]
            .clone();
        self.service_config(service).settings["source"]["image"] = image;
        let wanted = applied::record(effective);
        self.applied
            .services
            .insert(service.to_owned(), wanted.services[service].clone());
    }

    /// The newest deployment becomes another one, of that status; the one before it serves on, or not.
    fn deploys(&mut self, service: &str, id: &str, status: DeploymentStatus, replaces: bool) {
        let deployment = DeploymentSnapshot {
            id: DeploymentId::new(id),
            status,
            status_since: Some(self.now),
            stopped: false,
            created_at: self.now,
        };
        let instance = self.instance(service);
        instance.latest_deployment = Some(deployment.clone());
        if replaces {
            instance.active_deployments = vec![deployment];
        }
    }

    fn of(&self, service: &str) -> &mirage_specs::rollout::RolloutService {
        &self.rollout.as_ref().unwrap().services[service]
    }

    fn state(&self) -> RolloutState {
        self.rollout.as_ref().unwrap().state
    }
}

#[test]
fn waves_come_after_what_they_depend_on() {
    let spec = "
rollout: {strategy: sequential}
services:
  a: {source: {image: x}}
  b: {source: {image: x}, dependsOn: [a]}
  c: {source: {image: x}, dependsOn: [a, b]}
  d: {source: {image: x}}
";
    let sequential = effective(spec);
    let seen: Vec<_> = waves(&sequential).into_iter().collect();
    assert_eq!(seen, [("a", 1), ("b", 2), ("c", 3), ("d", 1)]);
    let parallel = effective(&spec.replace("sequential", "parallel"));
    assert!(waves(&parallel).values().all(|wave| *wave == 1));
}

#[test]
fn what_a_deployment_comes_to_decides_how_its_service_goes() {
    for (status, after_minutes, expected) in [
        (DeploymentStatus::Building, 1, Is::Deploying),
        (DeploymentStatus::Deploying, 4, Is::Deploying),
        (DeploymentStatus::Success, 1, Is::Healthy),
        (DeploymentStatus::Sleeping, 1, Is::Healthy),
        (DeploymentStatus::Failed, 1, Is::Failed),
        (DeploymentStatus::Crashed, 1, Is::Failed),
        // Its time is five minutes.
        (DeploymentStatus::Queued, 5, Is::Failed),
        (DeploymentStatus::Deploying, 6, Is::Failed),
        (DeploymentStatus::NeedsApproval, 6, Is::Failed),
    ] {
        let halts = SPEC.replace("rollback", "halt");
        let mut world = settled(&halts);
        let wanted = next(&halts);
        world.send(&wanted, "api");
        world.deploys("api", "new", status.clone(), false);
        world.now += SignedDuration::from_mins(after_minutes);
        world.look(&wanted, &Presence::Absent, false);
        assert_eq!(world.of("api").state, expected, "{status} {after_minutes}");
        let halted = expected == Is::Failed;
        let state = if halted {
            RolloutState::Halted
        } else {
            RolloutState::Progressing
        };
        assert_eq!(world.state(), state);
    }
}

#[test]
fn progress_says_which_wave_who_until_when_and_who_waits() {
    let mut world = settled(SPEC);
    let wanted = next(SPEC);
    assert!(text(&world.plan(&wanted)).contains("web waits until api is healthy"));
    world.send(&wanted, "api");
    world.deploys("api", "new", DeploymentStatus::Building, false);
    world.look(&wanted, &Presence::Absent, false);
    let until = world.now + SignedDuration::from_mins(5);
    let told = words::progress(world.rollout.as_ref().unwrap()).unwrap();
    assert_eq!(
        told,
        format!("wave 1 of 1: api has until {until} to become healthy")
    );
}

#[test]
fn a_halted_rollout_deploys_nothing_more_and_repairs_nothing_until_a_retry() {
    let halts = SPEC.replace("rollback", "halt");
    let mut world = settled(&halts);
    let wanted = next(&halts);
    world.send(&wanted, "api");
    world.deploys("api", "new", DeploymentStatus::Failed, false);
    world.look(&wanted, &Presence::Absent, false);
    world.service_config("api").variables.remove("A");
    let plan = world.plan(&wanted);
    assert!(plan.entries.is_empty(), "{}", text(&plan));
    let told = text(&plan);
    for word in [
        "generation 2",
        "plan 4f1c",
        "api",
        "deployment new ended as FAILED",
        "mirage retry",
    ] {
        assert!(told.contains(word), "{word}: {told}");
    }
    // The same again is the same; a person has it tried again.
    world.look(&wanted, &Presence::Absent, false);
    assert_eq!(world.state(), RolloutState::Halted);
    world.look(&wanted, &Presence::Absent, true);
    assert_eq!(world.of("api").state, Is::Again);
    let plan = text(&world.plan(&wanted));
    assert!(plan.contains("api: add variable A"), "{plan}");
    world.service_config("api").variables = settled(&halts).service_config("api").variables.clone();
    let plan = text(&world.plan(&wanted));
    assert!(
        plan.contains("api: start a deployment (Requested)"),
        "{plan}"
    );
}

#[test]
fn another_declaration_begins_anew_and_another_ttl_does_not() {
    let halts = SPEC.replace("rollback", "halt");
    let mut world = settled(&halts);
    let wanted = next(&halts);
    world.send(&wanted, "api");
    world.deploys("api", "new", DeploymentStatus::Failed, false);
    world.look(&wanted, &Presence::Absent, false);
    let mut with_ttl = effective(&format!(
        "{}\nttl: 24h",
        halts.replace("nginx:1", "nginx:2")
    ));
    with_ttl.generation = 3;
    world.look(&with_ttl, &Presence::Absent, false);
    assert_eq!(world.state(), RolloutState::Halted);
    let mut other = effective(&halts.replace("nginx:1", "nginx:3"));
    other.generation = 4;
    world.look(&other, &Presence::Absent, false);
    assert_eq!(world.state(), RolloutState::Progressing);
    assert_eq!(world.rollout.as_ref().unwrap().generation, 4);
    let plan = text(&world.plan(&other));
    assert!(plan.contains("nginx:3"), "{plan}");
}

#[test]
fn the_way_back_follows_from_what_there_is() {
    struct Row {
        name: &'static str,
        /// Whether the deployment before was replaced.
        replaced: bool,
        restorable: Presence<bool>,
        forgets_good: bool,
        /// Only a variable changed.
        only_variable: bool,
        way: Option<RollbackWay>,
    }
    let row = |name, replaced, restorable, way| Row {
        name,
        replaced,
        restorable,
        forgets_good: false,
        only_variable: false,
        way,
    };
    for row in [
        row(
            "it still serves",
            false,
            Presence::Absent,
            Some(RollbackWay::Serving),
        ),
        row(
            "Railway has it",
            true,
            Presence::Present(true),
            Some(RollbackWay::Deployment),
        ),
        row(
            "Railway says no",
            true,
            Presence::Present(false),
            Some(RollbackWay::Configuration),
        ),
        row(
            "Railway forgot it",
            true,
            Presence::Absent,
            Some(RollbackWay::Configuration),
        ),
        row(
            "nobody answered",
            true,
            Presence::Unknown("503".to_owned()),
            None,
        ),
        Row {
            forgets_good: true,
            ..row(
                "first ever",
                true,
                Presence::Absent,
                Some(RollbackWay::Nowhere),
            )
        },
        Row {
            only_variable: true,
            ..row(
                "same settings",
                true,
                Presence::Absent,
                Some(RollbackWay::Nowhere),
            )
        },
    ] {
        let mut world = settled(SPEC);
        let wanted = if row.only_variable {
            effective(&SPEC.replace("one", "two"))
        } else {
            next(SPEC)
        };
        if row.forgets_good {
            world.good.clear();
        }
        world.send(&wanted, "api");
        let status = if row.replaced {
            DeploymentStatus::Crashed
        } else {
            DeploymentStatus::Failed
        };
        world.deploys("api", "new", status, row.replaced);
        world.look(&wanted, &row.restorable, false);
        assert_eq!(world.of("api").way, row.way, "{}", row.name);
        let state = match row.way {
            Some(RollbackWay::Nowhere) => RolloutState::Halted,
            _ => RolloutState::RollingBack,
        };
        assert_eq!(world.state(), state, "{}", row.name);
        let plan = text(&world.plan(&wanted));
        let expected = match row.way {
            Some(RollbackWay::Deployment) => "api: go back to deployment",
            Some(RollbackWay::Configuration) => {
                "api: set source.image from \"nginx:2\" to \"nginx:1\" (RolledBack)"
            }
            Some(RollbackWay::Nowhere) => "mirage retry",
            _ => "failed",
        };
        assert!(plan.contains(expected), "{}: {plan}", row.name);
        assert!(
            !plan.contains("SpecChanged") && !plan.contains("Drifted"),
            "{}: {plan}",
            row.name
        );
    }
}

#[test]
fn a_rollback_ends_rolled_back_and_remembers_the_deployment_it_became() {
    let mut world = settled(SPEC);
    let wanted = next(SPEC);
    world.send(&wanted, "api");
    world.deploys("api", "new", DeploymentStatus::Crashed, true);
    world.look(&wanted, &Presence::Present(true), false);
    let plan = world.plan(&wanted);
    // A declared way back needs no second person.
    assert_eq!(gate(&plan, Approval::Always, 2, None, None), Gate::Open);
    world
        .rollout
        .as_mut()
        .unwrap()
        .services
        .get_mut("api")
        .unwrap()
        .asked = Some(world.now);
    world.deploys("api", "back", DeploymentStatus::Deploying, false);
    world.look(&wanted, &Presence::Absent, false);
    assert!(world.plan(&wanted).entries.is_empty());
    world.deploys("api", "back", DeploymentStatus::Success, true);
    world.look(&wanted, &Presence::Absent, false);
    assert_eq!(world.state(), RolloutState::RolledBack);
    assert_eq!(world.good["api"].deployment_id, "back");
    let told = text(&world.plan(&wanted));
    assert!(
        told.contains("deployment back serves what was good") && told.contains("mirage retry"),
        "{told}"
    );
    // Days later it is still so: nobody pushes generation 2 again.
    world.now += SignedDuration::from_hours(72);
    world.look(&wanted, &Presence::Absent, false);
    assert!(world.plan(&wanted).entries.is_empty());
}

#[test]
fn a_rollback_that_fails_too_takes_the_next_way_and_then_none() {
    let mut world = settled(SPEC);
    let wanted = next(SPEC);
    world.send(&wanted, "api");
    world.deploys("api", "new", DeploymentStatus::Crashed, true);
    world.look(&wanted, &Presence::Present(true), false);
    world.deploys("api", "back", DeploymentStatus::Crashed, true);
    world.look(&wanted, &Presence::Present(true), false);
    assert_eq!(world.of("api").way, Some(RollbackWay::Configuration));
    world.deploys("api", "again", DeploymentStatus::Failed, false);
    world.look(&wanted, &Presence::Present(true), false);
    assert_eq!(world.of("api").way, Some(RollbackWay::Nowhere));
    assert_eq!(world.state(), RolloutState::Halted);
}

#[test]
fn a_lost_answer_is_waited_for_and_then_asked_again() {
    let mut world = settled(SPEC);
    let wanted = next(SPEC);
    world.send(&wanted, "api");
    world.deploys("api", "new", DeploymentStatus::Crashed, true);
    world.look(&wanted, &Presence::Present(true), false);
    world
        .rollout
        .as_mut()
        .unwrap()
        .services
        .get_mut("api")
        .unwrap()
        .asked = Some(world.now);
    world.now += SignedDuration::from_secs(60);
    world.look(&wanted, &Presence::Present(true), false);
    assert!(world.plan(&wanted).entries.is_empty(), "it may still show");
    world.now += SignedDuration::from_secs(180);
    world.look(&wanted, &Presence::Present(true), false);
    assert!(text(&world.plan(&wanted)).contains("go back to deployment"));
}

#[test]
fn a_deployment_that_is_too_late_is_given_up_and_what_serves_stays() {
    let mut world = settled(SPEC);
    let wanted = next(SPEC);
    world.send(&wanted, "api");
    world.deploys("api", "new", DeploymentStatus::Building, false);
    world.now += SignedDuration::from_mins(6);
    world.look(&wanted, &Presence::Absent, false);
    assert!(text(&world.plan(&wanted)).contains("api: give up deployment new"));
    world.deploys("api", "new", DeploymentStatus::Removed, false);
    world.look(&wanted, &Presence::Absent, false);
    assert_eq!(world.state(), RolloutState::RolledBack);
    assert!(world.plan(&wanted).entries.is_empty());
}

#[test]
fn a_restart_is_asked_for_once_for_each_service_that_runs() {
    let wanted = effective(SPEC);
    let mut world = World::synced(&wanted);
    world.now += SignedDuration::from_mins(1);
    let token = format!("{} api", world.now);
    world.restart = request::asked(Some(&token), None);
    assert_eq!(
        text(&world.plan(&wanted)),
        "  api: restart its processes (Requested)"
    );
    let latest = world.instance("api").latest_deployment.clone().unwrap();
    mirage_reconcilers::environment::restarts::begin(
        &mut world.restarts,
        &world.restart.clone().unwrap(),
        "api",
        mirage_reconcilers::environment::diff::restart_mark(&latest),
        world.now,
    );
    assert!(text(&world.plan(&wanted)).contains("waiting for Railway to show the restart of api"));
    world.now += SignedDuration::from_mins(1);
    let now = world.now;
    let since = &mut world
        .instance("api")
        .latest_deployment
        .as_mut()
        .unwrap()
        .status_since;
    *since = Some(now);
    assert_eq!(text(&world.plan(&wanted)), "");
}

#[test]
fn a_rollback_is_told_in_conditions_status_and_an_event() {
    let mut world = settled(SPEC);
    let wanted = next(SPEC);
    world.send(&wanted, "api");
    world.deploys("api", "new", DeploymentStatus::Failed, false);
    world.look(&wanted, &Presence::Absent, false);
    // What failed never took over, so there is nothing more to do.
    world.look(&wanted, &Presence::Absent, false);
    assert_eq!(world.state(), RolloutState::RolledBack);
    let earlier = EnvironmentStatus {
        ledger: world.ledger.clone(),
        rollout: world.rollout.clone(),
        ..EnvironmentStatus::default()
    };
    let (plan, observed) = (world.plan(&wanted), world.observed());
    let visit = Visit {
        effective: &wanted,
        observed: &observed,
        plan: &plan,
        gate: &Gate::Open,
        changed: false,
        error: None,
        now: world.now,
    };
    let next = status(&earlier, &visit);
    let told = |kind: &str| {
        let found = next.conditions.iter().find(|one| one.type_ == kind);
        found.map(|one| (one.status.as_str(), one.reason.as_str()))
    };
    assert_eq!(told("Ready"), Some(("False", "RolledBack")));
    assert_eq!(told("Synced"), Some(("False", "RolledBack")));
    assert_eq!(told("Degraded"), Some(("True", "RolledBack")));
    assert_eq!(next.services["api"].state.to_string(), "Ready");
    let message = next.services["api"].message.clone().unwrap_or_default();
    assert!(message.starts_with("rolled back: deployment "), "{message}");
    let news = news(Some(&earlier), &next);
    assert!(
        news.iter()
            .any(|(_, reason, note)| reason == "RolledBack" && note.contains("generation 2")),
        "{news:?}"
    );
}

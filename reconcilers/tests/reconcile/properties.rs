//! Laws of deciding, over generated specs and observed states.

use std::{collections::BTreeMap, sync::Arc};

use crate::support::{self, World, effective};
use mirage_railway::snapshot::VariableSnapshot;
use mirage_reconcilers::{
    copy::{OnRailway, Source, Surroundings, copy},
    environment::{
        effective::Effective, field::Field, observe::Observed, patience::Patience, plan::Plan,
    },
};
use mirage_specs::{
    CopyOptions, Environment, EnvironmentSpec, Variable,
    copy::{Change, Copied},
    merge,
    variable::ValueRef,
};
use proptest::{prelude::*, test_runner::FileFailurePersistence};
use serde_json::{Value, json};

/// A spec as JSON text, which is YAML. Names come from small sets, so that two specs have much in common.
fn spec() -> impl Strategy<Value = Value> {
    let services = prop::collection::btree_map(
        prop::sample::select(vec!["api", "db", "web", "worker"]),
        service(),
        0..4,
    );
    let shared = prop::collection::btree_map(
        prop::sample::select(vec!["TIER", "REGION"]),
        variable(),
        0..3,
    );
    (services, shared, any::<bool>()).prop_map(|(services, variables, sequential)| {
        json!({
            "services": services, "variables": variables,
            "rollout": {"strategy": if sequential { "sequential" } else { "parallel" }},
        })
    })
}

fn service() -> impl Strategy<Value = Value> {
    let image = prop::sample::select(vec!["nginx:1", "nginx:2", "redis:8"]);
    let variables =
        prop::collection::btree_map(prop::sample::select(vec!["A", "B", "C"]), variable(), 0..4);
    let replicas = prop::option::of(1..4u16);
    let start = prop::option::of(prop::sample::select(vec!["run", "serve --fast"]));
    let volume = prop::option::of((
        prop::sample::select(vec!["/data", "/var/lib"]),
        prop::option::of(1..9u16),
    ));
    let domain = prop::option::of(prop::option::of(prop::sample::select(vec![80u16, 8080])));
    let tcp = prop::collection::btree_set(prop::sample::select(vec![5432u16, 6379]), 0..3);
    let sleep = prop::option::of(any::<bool>());
    (image, variables, replicas, start, volume, domain, tcp, sleep).prop_map(
        |(image, variables, replicas, start, volume, domain, tcp, sleep)| {
            let mut deploy = json!({});
            // Railway runs a service with a volume as one replica.
            if let Some(replicas) = replicas.filter(|_| volume.is_none()) {
                deploy["replicas"] = json!(replicas);
            }
            if let Some(start) = start {
                deploy["startCommand"] = json!(start);
            }
            if let Some(sleep) = sleep {
                deploy["sleep"] = json!(sleep);
            }
            let mut service = json!({"source": {"image": image}, "deploy": deploy, "variables": variables, "tcpProxies": tcp});
            if let Some((path, size)) = volume {
                let mut volume = json!({"mountPath": path});
                if let Some(size) = size {
                    volume["size"] = json!(format!("{size}Gi"));
                }
                service["volumes"] = json!({"data": volume});
            }
            if let Some(port) = domain {
                service["domains"] = port.map_or(json!([{}]), |port| json!([{"port": port}]));
            }
            service
        },
    )
}

fn variable() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => prop::sample::select(vec!["one", "two", "${{RAILWAY_PUBLIC_DOMAIN}}"]).prop_map(|text| json!(text)),
        1 => Just(json!({"preserve": true})),
        1 => Just(json!({"generate": {"length": 32}})),
        1 => prop::sample::select(vec!["k1", "k2"]).prop_map(|key| json!({"secretRef": {"name": "s", "key": key}})),
    ]
}

fn wanted(spec: &Value) -> Effective {
    effective(&spec.to_string())
}

/// A copy of which nothing was asked but its name.
fn unchanged_copy(source: &Environment, spec: &EnvironmentSpec, railway: OnRailway<'_>) -> Copied {
    let secrets = ["k1", "k2"].map(|key| ValueRef::secret("s", key));
    let options = CopyOptions {
        name: "web".to_owned(),
        force: true,
        ..CopyOptions::default()
    };
    let around = Surroundings {
        secrets: &secrets.into_iter().collect(),
        is_same_project: true,
        mentions: &BTreeMap::new(),
        now: support::start(),
    };
    let source = Source {
        environment: source,
        spec,
        railway,
    };
    copy(source, &options, around)
}

/// A spec in which what is copied from Railway is kept as Railway has it: the value is the same.
fn without_copies(spec: &EnvironmentSpec) -> EnvironmentSpec {
    let mut spec = spec.clone();
    let of_services = spec
        .services
        .values_mut()
        .flatten()
        .flat_map(|service| service.variables.values_mut());
    for variable in spec.variables.values_mut().chain(of_services).flatten() {
        if matches!(variable, Variable::CopyFrom(_)) {
            *variable = Variable::Preserve;
        }
    }
    spec
}

/// What somebody may do in Railway's dashboard.
#[derive(Clone, Debug)]
enum Edit {
    Variable(usize, &'static str, bool),
    Replicas(usize, u16),
    Image(usize),
    Remove(usize),
    Undeclared(usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let which = 0..4usize;
    prop_oneof![
        (
            which.clone(),
            prop::sample::select(vec!["A", "B"]),
            any::<bool>()
        )
            .prop_map(|(s, v, gone)| Edit::Variable(s, v, gone)),
        (which.clone(), 1..9u16).prop_map(|(s, n)| Edit::Replicas(s, n)),
        which.clone().prop_map(Edit::Image),
        which.clone().prop_map(Edit::Remove),
        which.prop_map(Edit::Undeclared),
    ]
}

fn disturb(world: &mut World, wanted: &Effective, edit: &Edit) {
    let names: Vec<String> = wanted.services.keys().cloned().collect();
    let (Edit::Variable(which, ..)
    | Edit::Replicas(which, _)
    | Edit::Image(which)
    | Edit::Remove(which)
    | Edit::Undeclared(which)) = edit;
    let Some(name) = names.get(which % names.len().max(1)) else {
        return;
    };
    if world.environment().instance_named(name).is_none() {
        return;
    }
    let other = VariableSnapshot::Value(support::key().fingerprint("theirs"));
    match edit {
        Edit::Variable(_, variable, true) => {
            drop(world.service_config(name).variables.remove(*variable))
        }
        Edit::Variable(_, variable, false) => drop(
            world
                .service_config(name)
                .variables
                .insert((*variable).to_owned(), other),
        ),
        Edit::Replicas(_, count) => {
            world.service_config(name).settings["deploy"]["multiRegionConfig"] =
                json!({"us-west2": {"numReplicas": count}});
        }
        Edit::Image(_) => world.service_config(name).settings["source"]["image"] = json!("evil:1"),
        Edit::Remove(_) => world.remove_service(name),
        Edit::Undeclared(_) => drop(
            world
                .service_config(name)
                .variables
                .insert("UNDECLARED".to_owned(), other),
        ),
    }
}

fn assert_sane(plan: &Plan, wanted: &Effective) {
    for entry in &plan.entries {
        let target = entry.action.target();
        assert!(
            !target.contains("UNDECLARED"),
            "an undeclared thing is in the plan: {target}"
        );
        if let mirage_reconcilers::environment::plan::Action::ChangeSetting {
            service,
            field,
            to: Some(_),
            ..
        } = &entry.action
        {
            assert!(
                wanted.services[service].settings.contains_key(field),
                "{field:?} was not declared"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 192,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/reconcile/properties.regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn applying_a_plan_leaves_an_empty_plan(first in spec(), second in spec(), edits in prop::collection::vec(edit(), 0..5)) {
        let (first, second) = (wanted(&first), wanted(&second));
        let mut world = World::with_project();
        world.converge(&first);
        for edit in &edits {
            disturb(&mut world, &first, edit);
        }
        assert_sane(&world.plan(&first), &first);
        world.converge(&first);
        assert_sane(&world.plan(&second), &second);
        world.converge(&second);
        prop_assert!(world.plan(&second).is_synced());
        let left: Vec<String> = world.environment().instances.values().map(|instance| instance.service_name.clone()).collect();
        prop_assert!(left.iter().all(|name| second.services.contains_key(name)), "left over: {left:?}");
    }

    #[test]
    fn plans_are_deterministic_and_their_hash_follows_them(spec in spec(), other in spec(), edits in prop::collection::vec(edit(), 0..3)) {
        let (spec, other) = (wanted(&spec), wanted(&other));
        let mut world = World::synced(&spec);
        for edit in &edits {
            disturb(&mut world, &spec, edit);
        }
        let (one, two) = (world.plan(&other), world.plan(&other));
        prop_assert_eq!(&one, &two);
        let unchanged = world.plan(&spec);
        prop_assert!(one.entries == unchanged.entries || one.hash != unchanged.hash);
    }

    #[test]
    fn a_copy_without_options_comes_to_the_same_and_its_second_plan_is_empty(spec in spec()) {
        let source = support::environment(&spec.to_string());
        let whole = merge::effective(None, &source.spec).unwrap();
        let mut world = World::synced(&wanted(&spec));
        let project = world.project.clone().unwrap();
        let seen = world.environment().clone();
        for railway in [OnRailway::NeverMade, OnRailway::Seen(&project.id, &seen)] {
            let copied = unchanged_copy(&source, &whole, railway);
            prop_assert_eq!(&copied.refusals, &[]);
            let copy: Environment = serde_json::from_value(copied.object.clone()).unwrap();
            let comes_to = merge::effective(None, &copy.spec).unwrap();
            prop_assert_eq!(without_copies(&comes_to), without_copies(&whole));
            for part in &copied.difference {
                let is_generated = part.to.as_deref().is_some_and(|to| to.starts_with("generated"));
                let is_around = !part.path.contains(".variables.") && part.change == Change::Changed;
                prop_assert!(part.change == Change::Unchanged || is_generated || is_around, "{part:?}");
            }
        }
        let copied = unchanged_copy(&source, &whole, OnRailway::NeverMade);
        let mut copy: Environment = serde_json::from_value(copied.object).unwrap();
        copy.metadata.uid = source.metadata.uid.clone();
        let copy = support::resolved(&copy);
        let mut twin = World::with_project();
        twin.converge(&copy);
        prop_assert!(twin.plan(&copy).is_synced());
    }

    #[test]
    fn what_cannot_be_read_leads_to_nothing(spec in spec(), next in spec()) {
        let (spec, next) = (wanted(&spec), wanted(&next));
        let mut world = World::synced(&spec);
        let unseen = Observed::nothing("unreadable".to_owned(), Patience::default());
        prop_assert!(world.plan_seeing(&next, &unseen).entries.is_empty());
        world.environment().config = None;
        prop_assert!(world.plan(&next).entries.is_empty());
    }

    #[test]
    fn a_plan_never_shows_a_value(text in "[a-zA-Z0-9]{12,40}") {
        let spec = json!({"services": {"api": {"source": {"image": "nginx"}, "variables": {"A": text}}}, "variables": {"B": text}});
        let wanted = wanted(&spec);
        let mut world = World::with_project();
        let shown = |plan: &Plan| format!("{plan:?} {} {}", support::text(plan), serde_json::to_string(&plan.view(1)).unwrap());
        prop_assert!(!shown(&world.plan(&wanted)).contains(&text));
        world.converge(&wanted);
        Arc::make_mut(world.environment().config.as_mut().unwrap()).shared_variables.clear();
        prop_assert!(!shown(&world.plan(&wanted)).contains(&text));
        let debugged = format!("{wanted:?}");
        prop_assert!(!debugged.contains(&text));
    }
}

#[test]
fn every_field_of_a_service_can_be_declared_and_is_compared() {
    let spec = "
services:
  web:
    source: {repo: acme/shop, branch: dev, rootDirectory: apps/web}
    build: {builder: dockerfile, command: make, dockerfile: docker/web, watchPatterns: [apps/web/**]}
    deploy:
      startCommand: run
      preDeployCommand: [migrate]
      healthcheck: {path: /health, timeout: 60s}
      replicas: 2
      restart: {policy: always, maxRetries: 3}
      sleep: true
      overlap: 5s
      draining: 10s
      limits: {cpu: 0.5, memory: 512Mi}
  job:
    source: {repo: acme/shop, commit: '0123456789012345678901234567890123456789'}
    deploy: {cron: '0 3 * * *'}
  image:
    source: {image: 'nginx:1'}
    deploy: {regions: {us-west2: 2, europe-west4-drams3a: 1}}
";
    let wanted = effective(spec);
    let declared: std::collections::BTreeSet<Field> = wanted
        .services
        .values()
        .flat_map(|service| service.settings.keys().copied())
        .collect();
    assert_eq!(declared, Field::all().collect());
    let mut world = World::synced(&wanted);
    for service in ["web", "job", "image"] {
        let fields: Vec<Field> = wanted.services[service].settings.keys().copied().collect();
        for field in fields {
            let before = world.service_config(service).settings.clone();
            mirage_reconcilers::environment::field::put(
                &mut world.service_config(service).settings,
                field.pointer(),
                Value::Null,
            );
            if field == Field::Replicas {
                world.service_config(service).settings["deploy"]["multiRegionConfig"] =
                    json!({"us-west2": {"numReplicas": 9}});
            }
            assert!(
                !world.plan(&wanted).entries.is_empty(),
                "a difference in {field:?} goes unnoticed"
            );
            world.service_config(service).settings = before;
        }
    }
}

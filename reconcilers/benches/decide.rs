//! What deciding costs: an environment of 50 services with 50 variables each, through four layers, in microseconds.
//!
//! Nothing here waits for anybody, so it is measured by the clock; no test holds it to a number.

#![allow(
    clippy::unwrap_used,
    reason = "in a benchmark a failure is the message"
)]

#[path = "../tests/reconcile/support/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod support;

use std::{
    hint::black_box,
    io::{self, Write as _},
    time::Instant,
};

use mirage_reconcilers::environment::{
    effective::Effective,
    resolve::{Inputs, resolve},
};
use mirage_specs::{Environment, EnvironmentTemplateSpec, merge};
use serde_json::{Map, Value, json};
use support::{World, key};

const SERVICES: usize = 50;
const VARIABLES: usize = 50;
const ROUNDS: usize = 30;

/// So many variables, each named by its number; `from` of them on.
fn variables(from: usize, value: &str) -> Map<String, Value> {
    (from..VARIABLES)
        .map(|index| (format!("VARIABLE_{index:02}"), json!(value)))
        .collect()
}

fn services(service: &Value) -> Map<String, Value> {
    (0..SERVICES)
        .map(|index| (format!("service-{index:02}"), service.clone()))
        .collect()
}

/// Base and type: every value with a parameter in it, and half of them once more.
fn template() -> EnvironmentTemplateSpec {
    let base =
        json!({"deploy": {"replicas": 1}, "variables": variables(0, "base of ${{params.host}}")});
    let typed = json!({"deploy": {"replicas": 2}, "variables": variables(VARIABLES / 2, "type")});
    serde_json::from_value(json!({
        "parameters": {"host": {"type": "string", "default": "example.com"}},
        "base": {
            "project": {"name": "shop"},
            "source": {"repo": "acme/shop", "branch": "main"},
            "services": services(&base),
        },
        "types": {"prod": {"services": services(&typed)}},
    }))
    .unwrap()
}

/// The instance, and below it services that take over its source.
fn environment(value: &str) -> Environment {
    let own = json!({"variables": variables(VARIABLES * 3 / 4, value)});
    let mut environment = support::environment("{type: prod, templateRef: {name: shop}}");
    environment.spec.project = None;
    environment.spec.services = serde_json::from_value(json!(services(&own))).unwrap();
    environment
}

fn resolved(environment: &Environment, template: &EnvironmentTemplateSpec) -> Effective {
    let spec = merge::effective(Some(template), &environment.spec).unwrap();
    resolve(environment, &spec, &Inputs::default(), &key()).unwrap()
}

/// The median of all rounds, in microseconds.
fn median<T>(mut work: impl FnMut() -> T) -> u128 {
    let mut times: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            black_box(work());
            start.elapsed().as_micros()
        })
        .collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}

fn main() -> io::Result<()> {
    let (template, environment) = (template(), environment("instance"));
    let other = self::environment("changed");
    let spec = merge::effective(Some(&template), &environment.spec).unwrap();
    let effective = resolved(&environment, &template);
    let changed = resolved(&other, &template);
    let world = World::synced(&effective);
    assert!(world.plan(&effective).is_synced());
    assert!(!world.plan(&changed).entries.is_empty());
    let rows = [
        (
            "merge four layers",
            median(|| merge::effective(Some(&template), &environment.spec)),
        ),
        (
            "the same with the origin of every value",
            median(|| merge::explain(Some(&template), &environment.spec, "web")),
        ),
        (
            "resolve what was merged, fingerprints included",
            median(|| resolve(&environment, &spec, &Inputs::default(), &key())),
        ),
        (
            "diff without a difference",
            median(|| world.plan(&effective)),
        ),
        (
            "diff with 650 changed variables",
            median(|| world.plan(&changed)),
        ),
        (
            "merge, resolve and diff",
            median(|| world.plan(&resolved(&environment, &template))),
        ),
    ];
    let mut out = io::stdout();
    writeln!(
        out,
        "{SERVICES} services with {VARIABLES} variables each, median of {ROUNDS}"
    )?;
    for (what, micros) in rows {
        writeln!(out, "{what:<50} {micros:>9} µs")?;
    }
    Ok(())
}

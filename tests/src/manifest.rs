//! Environments as their owners write them, said in as few words as a test needs.

use std::collections::BTreeMap;

use mirage_specs::environment::DriftMode;
use serde_json::{Value as Json, json};

use crate::history::wish::{Value, Wish, WishService};

/// An Environment of a project, with nothing in it.
pub fn environment(name: &str, project: &str) -> Json {
    json!({
        "apiVersion": "mirage.dev/v1alpha1",
        "kind": "Environment",
        "metadata": {"name": name},
        "spec": {"project": {"name": project}, "services": {}},
    })
}

/// An Environment of so many small services, named `service-00` and so on.
pub fn many_services(name: &str, project: &str, count: usize) -> Json {
    let mut manifest = environment(name, project);
    for index in 0..count {
        manifest["spec"]["services"][format!("service-{index:02}")] = json!({
            "source": {"image": "nginx:1.29"},
            "variables": {"INDEX": index.to_string(), "LEVEL": "info"},
        });
    }
    manifest
}

/// An Environment with one of everything.
pub fn one_of_everything(name: &str, project: &str) -> Json {
    wish_for_everything(name, project).manifest()
}

/// A wish for one of everything.
pub fn wish_for_everything(name: &str, project: &str) -> Wish {
    let plain = |text: &str| Value::Plain(text.to_owned());
    let web = WishService {
        image: "nginx:1.29".to_owned(),
        replicas: Some(2),
        variables: BTreeMap::from([
            ("TOKEN".to_owned(), Value::Secret("token".to_owned())),
            ("LEVEL".to_owned(), plain("${{shared.LEVEL}}")),
        ]),
        domain: true,
        custom_domains: vec![format!("{name}.example.com")],
        depends_on: vec!["db".to_owned()],
        ..WishService::default()
    };
    let db = WishService {
        image: "postgres:17".to_owned(),
        variables: BTreeMap::from([("PASSWORD".to_owned(), Value::Generated)]),
        tcp_proxies: vec![5432],
        volume: Some("data".to_owned()),
        ..WishService::default()
    };
    Wish {
        name: name.to_owned(),
        project: project.to_owned(),
        railway_name: name.to_owned(),
        services: BTreeMap::from([("web".to_owned(), web), ("db".to_owned(), db)]),
        variables: BTreeMap::from([("LEVEL".to_owned(), plain("info"))]),
        suspend: false,
        sequential: false,
        rollback: false,
        drift: DriftMode::Repair,
        retain: false,
        ttl_minutes: None,
        is_refused: false,
    }
}

/// The same wish with something changed, something added and something left out.
pub fn another_wish_for_everything(name: &str, project: &str) -> Wish {
    let mut wish = wish_for_everything(name, project);
    wish.variables
        .insert("LEVEL".to_owned(), Value::Plain("debug".to_owned()));
    if let Some(web) = wish.services.get_mut("web") {
        web.image = "nginx:1.30".to_owned();
        web.replicas = Some(3);
        web.variables.remove("LEVEL");
        web.custom_domains.clear();
    }
    if let Some(db) = wish.services.get_mut("db") {
        db.tcp_proxies.clear();
        db.domain = true;
    }
    let worker = WishService {
        image: "worker:1".to_owned(),
        variables: BTreeMap::from([("TOKEN".to_owned(), Value::Secret("token".to_owned()))]),
        volume: Some("files".to_owned()),
        ..WishService::default()
    };
    wish.services.insert("worker".to_owned(), worker);
    wish
}

use mirage_specs::{copy::Change, merge};

use super::*;

fn source(spec: Value) -> Environment {
    let mut object = json!({
        "metadata": {"name": "prod", "namespace": "default", "uid": "uid-prod", "generation": 1},
        "spec": {"project": {"name": "shop"}},
        "status": {"observedGeneration": 1, "conditions": [
            {"type": "Ready", "status": "True", "reason": "R", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"},
        ]},
    });
    for (key, value) in spec.as_object().unwrap() {
        object["spec"][key] = value.clone();
    }
    serde_json::from_value(object).unwrap()
}

fn copied(source: &Environment, options: Value) -> Copied {
    let options: CopyOptions = serde_json::from_value(options).unwrap();
    let spec = merge::effective(None, &source.spec).unwrap();
    let source = Source {
        environment: source,
        spec: &spec,
        railway: OnRailway::NeverMade,
    };
    let around = Surroundings {
        secrets: &BTreeSet::new(),
        is_same_project: true,
        mentions: &BTreeMap::new(),
        now: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    copy(source, &options, around)
}

fn shop() -> Environment {
    source(json!({
        "suspend": false, "name": "production", "expiresAt": "2030-01-01T00:00:00Z",
        "services": {
            "web": {"source": {"image": "nginx"}, "deploy": {"regions": {"us-west2": 2}}},
            "db": {"engine": "redis"},
        },
    }))
}

#[test]
fn what_belongs_to_the_source_alone_stays_with_it() {
    let copy = copied(&shop(), json!({"name": "twin"}));
    assert_eq!(copy.refusals, []);
    let spec = &copy.object["spec"];
    assert!(spec["name"].is_null() && spec["suspend"].is_null());
    assert_eq!(spec["expiresAt"], "2030-01-01T00:00:00Z");
    let metadata = &copy.object["metadata"];
    assert_eq!(metadata["labels"], json!({CLONED_FROM: "uid-prod"}));
    assert_eq!(metadata["annotations"][READY_BY], "2026-01-01T00:30:00Z");
    let origin: Value =
        serde_json::from_str(metadata["annotations"][ORIGIN].as_str().unwrap()).unwrap();
    assert_eq!(origin["ancestors"][0]["name"], "prod");
    let kept = copied(&shop(), json!({"name": "twin", "onFailure": "keep"}));
    assert!(kept.object["metadata"]["annotations"][READY_BY].is_null());
}

#[test]
fn a_time_to_live_takes_the_place_of_a_fixed_end() {
    let copy = copied(&shop(), json!({"name": "twin", "ttl": "3d"}));
    assert_eq!(copy.object["spec"]["ttl"], "3d");
    assert!(copy.object["spec"]["expiresAt"].is_null());
}

#[test]
fn a_number_of_replicas_takes_the_place_of_regions() {
    let options = json!({"name": "twin", "services": {"web": {"replicas": 1}}});
    let copy = copied(&shop(), options);
    assert_eq!(copy.refusals, []);
    assert_eq!(
        copy.object["spec"]["services"]["web"]["deploy"],
        json!({"replicas": 1})
    );
    // A database has a volume, and Railway runs it as one replica.
    let options = json!({"name": "twin", "services": {"db": {"replicas": 2}}});
    let refused = copied(&shop(), options).refusals;
    assert_eq!(refused.len(), 1);
    assert!(refused[0].field.contains("services.db.deploy.replicas"));
}

#[test]
fn two_services_that_would_have_one_name_are_refused() {
    let source = source(json!({"services": {
        "Web": {"source": {"image": "nginx"}}, "web-2": {"source": {"image": "nginx"}},
    }}));
    let copy = copied(&source, json!({"name": "twin", "suffix": " "}));
    assert!(!copy.refusals.is_empty());
}

#[test]
fn a_source_that_is_being_deleted_is_refused_also_by_force() {
    let mut source = shop();
    source.metadata.deletion_timestamp =
        serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
    let copy = copied(&source, json!({"name": "twin", "force": true}));
    assert!(copy.refusals[0].message.contains("being deleted"));
}

#[test]
fn a_difference_never_shows_a_value() {
    let canary = "canary-77ab";
    let source = source(json!({
        "variables": {"A": canary, "B": format!("{canary}${{{{web.X}}}}")},
        "services": {"web": {"source": {"image": "nginx"}, "variables": {"C": canary}}},
    }));
    let options = json!({
        "name": "twin", "prefix": "x-", "variables": {"A": format!("{canary}-other")},
        "services": {"web": {"variables": {"D": canary}}},
    });
    let copy = copied(&source, options);
    let shown = serde_json::to_string(&copy.difference).unwrap();
    assert!(!shown.contains(canary), "{shown}");
    let change = |path: &str| {
        let found = copy.difference.iter().find(|one| one.path == path);
        found.map(|one| one.change)
    };
    assert_eq!(change("variables.A"), Some(Change::Changed));
    assert_eq!(change("variables.B"), Some(Change::Changed));
    assert_eq!(
        change("services.x-web.variables.C"),
        Some(Change::Unchanged)
    );
    assert_eq!(change("services.x-web.variables.D"), Some(Change::New));
}

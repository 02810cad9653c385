//! What Railway fills in by itself. Reads show it; comparisons (etag, "does this deploy?") ignore it.

use serde_json::{Map, Value, json};

/// The region of services that name none.
pub(crate) const REGION: &str = "us-west2";

/// What stands for credentials in a read.
pub(crate) const MASK: &str = "*****";

fn block<'a>(
    service: &'a mut Map<String, Value>,
    name: &str,
) -> Option<&'a mut Map<String, Value>> {
    service.get_mut(name).and_then(Value::as_object_mut)
}

fn filled<'a>(service: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let slot = service
        .entry(name.to_owned())
        .or_insert_with(|| Value::Object(Map::new()));
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    slot.as_object_mut().expect("made an object just above")
}

/// The legacy `deploy.numReplicas` becomes the count of the one region; a region without a count is gone.
pub(crate) fn canonical(service: &mut Map<String, Value>) {
    let Some(deploy) = block(service, "deploy") else {
        return;
    };
    if let Some(count) = deploy
        .remove("numReplicas")
        .filter(|count| !count.is_null())
    {
        let regions = deploy
            .entry("multiRegionConfig")
            .or_insert_with(|| json!({}));
        match regions.as_object_mut() {
            Some(regions) if regions.len() == 1 => {
                for region in regions.values_mut() {
                    *region = json!({"numReplicas": count});
                }
            }
            Some(regions) if regions.is_empty() => {
                regions.insert(REGION.to_owned(), json!({"numReplicas": count}));
            }
            _ => {}
        }
    }
    if let Some(regions) = deploy
        .get_mut("multiRegionConfig")
        .and_then(Value::as_object_mut)
    {
        regions.retain(|_, region| {
            region
                .get("numReplicas")
                .is_none_or(|count| !count.is_null())
        });
    }
}

/// A service's settings as a read shows them. Source: the official IaC engine's normaliser, which undoes these.
pub(crate) fn fill(service: &Map<String, Value>) -> Map<String, Value> {
    let mut shown = service.clone();
    let from_repo = shown
        .get("source")
        .is_some_and(|source| source.get("repo").is_some());
    if from_repo {
        let source = filled(&mut shown, "source");
        for (key, value) in [
            ("branch", json!("main")),
            ("checkSuites", json!(false)),
            ("rootDirectory", json!("")),
        ] {
            source.entry(key).or_insert(value);
        }
    }
    let build = filled(&mut shown, "build");
    for (key, value) in [
        ("builder", json!("RAILPACK")),
        ("buildEnvironment", json!("V3")),
        ("buildCommand", json!("")),
        ("dockerfilePath", json!("Dockerfile")),
    ] {
        build.entry(key).or_insert(value);
    }
    let deploy = filled(&mut shown, "deploy");
    for (key, value) in [
        ("runtime", json!("V2")),
        ("useLegacyStacker", json!(false)),
        ("ipv6EgressEnabled", json!(false)),
        ("multiRegionConfig", json!({REGION: {"numReplicas": 1}})),
    ] {
        deploy.entry(key).or_insert(value);
    }
    if let Some(credentials) = deploy.get_mut("registryCredentials") {
        *credentials = json!({"username": MASK, "password": MASK});
    }
    shown
}

fn drop_if(map: &mut Map<String, Value>, key: &str, default: &Value) {
    if map.get(key) == Some(default) {
        map.remove(key);
    }
}

/// A service's settings without what is only a default: equal effect, equal value.
pub(crate) fn strip(service: &Map<String, Value>) -> Map<String, Value> {
    let mut bare = service.clone();
    canonical(&mut bare);
    if let Some(source) = block(&mut bare, "source") {
        drop_if(source, "branch", &json!("main"));
        drop_if(source, "checkSuites", &json!(false));
        drop_if(source, "rootDirectory", &json!(""));
    }
    if let Some(build) = block(&mut bare, "build") {
        drop_if(build, "builder", &json!("RAILPACK"));
        drop_if(build, "buildEnvironment", &json!("V3"));
        drop_if(build, "buildCommand", &json!(""));
        drop_if(build, "dockerfilePath", &json!("Dockerfile"));
    }
    if let Some(deploy) = block(&mut bare, "deploy") {
        drop_if(deploy, "runtime", &json!("V2"));
        drop_if(deploy, "useLegacyStacker", &json!(false));
        drop_if(deploy, "ipv6EgressEnabled", &json!(false));
        drop_if(
            deploy,
            "multiRegionConfig",
            &json!({REGION: {"numReplicas": 1}}),
        );
        drop_if(deploy, "multiRegionConfig", &json!({REGION: {}}));
        drop_if(deploy, "multiRegionConfig", &json!({}));
        drop_if(deploy, "restartPolicyType", &json!("ON_FAILURE"));
        drop_if(deploy, "restartPolicyMaxRetries", &json!(10));
        drop_if(deploy, "sleepApplication", &json!(false));
        drop_if(deploy, "overlapSeconds", &json!(0));
        drop_if(deploy, "drainingSeconds", &json!(0));
        drop_if(deploy, "healthcheckTimeout", &json!(300));
    }
    bare.retain(|_, value| value.as_object().is_none_or(|map| !map.is_empty()));
    bare
}

/// Replicas in all regions together.
pub(crate) fn replicas(service: &Map<String, Value>) -> i64 {
    match service
        .get("deploy")
        .and_then(|deploy| deploy.get("multiRegionConfig"))
        .and_then(Value::as_object)
    {
        Some(regions) if !regions.is_empty() => regions
            .values()
            .map(|region| {
                region
                    .get("numReplicas")
                    .and_then(Value::as_i64)
                    .unwrap_or(1)
            })
            .sum(),
        _ => 1,
    }
}

/// The first region.
pub(crate) fn region(service: &Map<String, Value>) -> String {
    service
        .get("deploy")
        .and_then(|deploy| deploy.get("multiRegionConfig"))
        .and_then(Value::as_object)
        .and_then(|regions| regions.keys().min().cloned())
        .unwrap_or_else(|| REGION.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn filling_and_stripping_are_inverse() {
        let table = [
            json!({}),
            json!({"source": {"image": "nginx:1"}}),
            json!({"source": {"repo": "acme/web", "branch": "next"}}),
            json!({"deploy": {"startCommand": "run"}, "variables": {"A": {"value": "1"}}}),
            json!({"deploy": {"multiRegionConfig": {"us-west2": {"numReplicas": 3}}}}),
            json!({"build": {"builder": "DOCKERFILE", "dockerfilePath": "web/Dockerfile"}}),
        ];
        for config in table {
            let config = object(config);
            assert_eq!(strip(&fill(&config)), config);
        }
    }

    #[test]
    fn the_legacy_replica_count_moves_into_the_one_region() {
        let table = [
            (
                json!({"deploy": {"numReplicas": 2}}),
                json!({"deploy": {"multiRegionConfig": {"us-west2": {"numReplicas": 2}}}}),
            ),
            (
                json!({"deploy": {"numReplicas": 2, "multiRegionConfig": {"eu": {"numReplicas": 1}}}}),
                json!({"deploy": {"multiRegionConfig": {"eu": {"numReplicas": 2}}}}),
            ),
            (
                json!({"deploy": {"numReplicas": 9, "multiRegionConfig": {"a": {"numReplicas": 1}, "b": {"numReplicas": 1}}}}),
                json!({"deploy": {"multiRegionConfig": {"a": {"numReplicas": 1}, "b": {"numReplicas": 1}}}}),
            ),
        ];
        for (before, after) in table {
            let mut service = object(before);
            canonical(&mut service);
            assert_eq!(service, object(after));
        }
        assert_eq!(replicas(&object(json!({}))), 1);
    }

    #[test]
    fn registry_credentials_are_never_shown() {
        let shown = fill(&object(
            json!({"deploy": {"registryCredentials": {"username": "u", "password": "canary"}}}),
        ));
        assert!(!Value::Object(shown).to_string().contains("canary"));
    }
}

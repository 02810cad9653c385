//! What Railway fills in by itself, in one place, so that it is never mistaken for a difference.
//!
//! Both sides of a comparison pass through [`canonical`]: `None` means "Railway's default", however it is written.

use serde_json::{Map, Value, json};

use super::field::Field;

/// The canonical form of a setting's value, `None` where it says no more than Railway's default.
///
/// The defaults are those Railway's own configuration client treats as absent (branch `main`, builder `RAILPACK`,
/// Dockerfile `Dockerfile`, one replica) and those its documentation gives (healthcheck 300 s, `ON_FAILURE` with 10 retries,
/// no overlap, no draining).
pub fn canonical(field: Field, value: &Value) -> Option<Value> {
    let default = match field {
        Field::Branch => json!("main"),
        Field::Builder => json!("RAILPACK"),
        Field::Dockerfile => json!("Dockerfile"),
        Field::HealthcheckTimeout => json!(300),
        Field::Replicas => json!(1),
        Field::RestartPolicy => json!("ON_FAILURE"),
        Field::RestartRetries => json!(10),
        Field::Sleep => json!(false),
        Field::Overlap | Field::Draining => json!(0),
        Field::Image
        | Field::Repo
        | Field::Commit
        | Field::RootDirectory
        | Field::BuildCommand
        | Field::WatchPatterns
        | Field::StartCommand
        | Field::PreDeployCommand
        | Field::HealthcheckPath
        | Field::Regions
        | Field::Cron
        | Field::Cpu
        | Field::Memory => Value::Null,
    };
    let shaped = shape(field, value);
    (!is_empty(&shaped) && shaped != default).then_some(shaped)
}

/// The observed value of a setting in a service's config, canonical.
pub fn observed(field: Field, settings: &Value) -> Option<Value> {
    if field == Field::Replicas {
        return canonical(field, &observed_replicas(settings));
    }
    canonical(field, settings.pointer(field.pointer())?)
}

/// Railway keeps the count per region; a spec that gives only a count means the sum of what runs.
fn observed_replicas(settings: &Value) -> Value {
    let regions = settings
        .pointer(Field::Regions.pointer())
        .and_then(Value::as_object);
    let per_region: Vec<u64> = regions
        .into_iter()
        .flat_map(Map::values)
        .filter_map(|region| region.get("numReplicas").and_then(Value::as_u64))
        .collect();
    if per_region.is_empty() {
        settings
            .pointer(Field::Replicas.pointer())
            .cloned()
            .unwrap_or(Value::Null)
    } else {
        json!(per_region.iter().sum::<u64>())
    }
}

fn shape(field: Field, value: &Value) -> Value {
    match (field, value) {
        (Field::RootDirectory, Value::String(path)) => json!(path.trim_matches('/')),
        // A list of one and the bare string are the same command.
        (Field::PreDeployCommand, Value::String(command)) if !command.is_empty() => {
            json!([command])
        }
        (Field::Regions, Value::Object(regions)) => Value::Object(
            regions
                .iter()
                .filter_map(|(region, counts)| {
                    let count = counts.get("numReplicas").and_then(Value::as_u64)?;
                    Some((region.clone(), json!({ "numReplicas": count })))
                })
                .collect(),
        ),
        // 2 and 2.0 are the same number of vCPUs.
        (Field::Cpu, Value::Number(number)) => {
            number.as_f64().map_or(Value::Null, |cpu| json!(cpu))
        }
        _ => value.clone(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_railway_fills_in_is_nothing() {
        let filled = json!({
            "source": {"branch": "main", "rootDirectory": "", "checkSuites": false},
            "build": {"builder": "RAILPACK", "buildEnvironment": "V3", "buildCommand": "", "dockerfilePath": "Dockerfile"},
            "deploy": {
                "runtime": "V2", "useLegacyStacker": false, "ipv6EgressEnabled": false, "healthcheckTimeout": 300,
                "multiRegionConfig": {"us-west2": {"numReplicas": 1}}, "restartPolicyType": "ON_FAILURE",
                "restartPolicyMaxRetries": 10, "sleepApplication": false, "overlapSeconds": 0, "drainingSeconds": 0
            }
        });
        for field in Field::all().filter(|field| *field != Field::Regions) {
            assert_eq!(observed(field, &filled), None, "{field:?}");
        }
    }

    #[test]
    fn different_spellings_of_one_value_are_one_value() {
        for (field, a, b) in [
            (Field::RootDirectory, json!("/apps/web"), json!("apps/web/")),
            (
                Field::PreDeployCommand,
                json!("migrate"),
                json!(["migrate"]),
            ),
            (Field::Cpu, json!(2), json!(2.0)),
            (
                Field::Regions,
                json!({"a": {"numReplicas": 2, "stackerAssignment": "x"}, "b": null}),
                json!({"a": {"numReplicas": 2}}),
            ),
        ] {
            assert_eq!(canonical(field, &a), canonical(field, &b), "{field:?}");
        }
    }

    #[test]
    fn replicas_are_read_from_regions_where_railway_keeps_them() {
        let settings = json!({"deploy": {"multiRegionConfig": {"us-west2": {"numReplicas": 2}, "eu": {"numReplicas": 1}}}});
        assert_eq!(observed(Field::Replicas, &settings), Some(json!(3)));
        assert_eq!(
            observed(Field::Replicas, &json!({"deploy": {"numReplicas": 4}})),
            Some(json!(4))
        );
    }
}

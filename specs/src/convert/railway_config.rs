//! Railway's `railway.json` and `railway.toml` (docs.railway.com: config as code), read as one service.
//!
//! Railway stops reading these files on 2026-12-01; what they say moves into an Environment's spec.

use serde_json::{Map, Value, json};

use super::{Read, Remarks, Unreadable, entries};
use crate::{duration::Span, quantity::format_bytes};

/// What a file does not say itself.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Name of the Environment.
    pub name: &'a str,
    /// Name of the service.
    pub service: &'a str,
    /// Repository that the file is in, `owner/name`.
    pub repo: Option<&'a str>,
    /// Environment whose overrides apply, as the file calls it.
    pub environment: Option<&'a str>,
}

/// Where each setting stands in the file and in a service's spec.
const PLACES: [(&str, &str, Form); 18] = [
    ("/build/builder", "/build/builder", Form::Builder),
    ("/build/buildCommand", "/build/command", Form::Same),
    ("/build/dockerfilePath", "/build/dockerfile", Form::Same),
    ("/build/watchPatterns", "/build/watchPatterns", Form::Same),
    ("/deploy/startCommand", "/deploy/startCommand", Form::Same),
    (
        "/deploy/preDeployCommand",
        "/deploy/preDeployCommand",
        Form::List,
    ),
    (
        "/deploy/healthcheckPath",
        "/deploy/healthcheck/path",
        Form::Same,
    ),
    (
        "/deploy/healthcheckTimeout",
        "/deploy/healthcheck/timeout",
        Form::Seconds,
    ),
    ("/deploy/numReplicas", "/deploy/replicas", Form::Same),
    (
        "/deploy/multiRegionConfig",
        "/deploy/regions",
        Form::Regions,
    ),
    (
        "/deploy/restartPolicyType",
        "/deploy/restart/policy",
        Form::Restart,
    ),
    (
        "/deploy/restartPolicyMaxRetries",
        "/deploy/restart/maxRetries",
        Form::Same,
    ),
    ("/deploy/cronSchedule", "/deploy/cron", Form::Same),
    ("/deploy/sleepApplication", "/deploy/sleep", Form::Same),
    ("/deploy/overlapSeconds", "/deploy/overlap", Form::Seconds),
    ("/deploy/drainingSeconds", "/deploy/draining", Form::Seconds),
    (
        "/deploy/limitOverride/containers/cpu",
        "/deploy/limits/cpu",
        Form::Same,
    ),
    (
        "/deploy/limitOverride/containers/memoryBytes",
        "/deploy/limits/memory",
        Form::Bytes,
    ),
];

/// How a value is written over there.
#[derive(Clone, Copy)]
enum Form {
    Same,
    List,
    Seconds,
    Bytes,
    Regions,
    Builder,
    Restart,
}

/// Reads JSON.
///
/// # Errors
/// When the text is not JSON, or not an object.
pub fn read_json(text: &str, around: Around<'_>) -> Result<Read, Unreadable> {
    let file = serde_json::from_str(text).map_err(|error| Unreadable::Syntax {
        line: error.line(),
        message: error.to_string(),
    })?;
    read(&file, around)
}

/// Reads TOML.
///
/// # Errors
/// When the text is not TOML.
pub fn read_toml(text: &str, around: Around<'_>) -> Result<Read, Unreadable> {
    let file: Value = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        Unreadable::Syntax {
            line: text.get(..at).unwrap_or_default().matches('\n').count() + 1,
            message: error.message().to_owned(),
        }
    })?;
    read(&file, around)
}

fn read(file: &Value, around: Around<'_>) -> Result<Read, Unreadable> {
    if !file.is_object() {
        let message = "a configuration is an object with build and deploy";
        return Err(Unreadable::Meaning(message.to_owned()));
    }
    let mut remarks = Remarks::default();
    let mut merged = file.clone();
    for (name, overrides) in entries(&file["environments"]) {
        if around.environment == Some(name) {
            overlay(&mut merged, overrides);
        } else {
            remarks.say(
                None,
                format!("environments.{name}"),
                format!("is left out; --environment {name} reads the file for it"),
            );
        }
    }
    if let Some(wanted) = around.environment
        && file["environments"][wanted].is_null()
    {
        remarks.say(None, "environments", format!("has nothing for {wanted}"));
    }
    let mut service = json!({});
    for (from, to, form) in PLACES {
        let Some(value) = merged.pointer(from).filter(|value| !value.is_null()) else {
            continue;
        };
        match converted(value, form) {
            Some(value) => put(&mut service, to, value),
            None => remarks.say(
                None,
                dotted(from),
                format!("{value} has no equivalent and is left out"),
            ),
        }
    }
    for section in ["build", "deploy"] {
        for (key, _) in entries(&merged[section]) {
            let pointer = format!("/{section}/{key}");
            let is_read = PLACES
                .iter()
                .any(|(from, _, _)| *from == pointer || from.starts_with(&format!("{pointer}/")));
            if !is_read {
                remarks.say(None, dotted(&pointer), "has no equivalent and is left out");
            }
        }
    }
    for (key, _) in entries(&merged) {
        if !matches!(
            key.as_str(),
            "$schema" | "build" | "deploy" | "environments"
        ) {
            remarks.say(None, key, "has no equivalent and is left out");
        }
    }
    // A count per region and a plain count are two spellings; Railway lets the regions win.
    if service.pointer("/deploy/regions").is_some()
        && let Some(deploy) = service["deploy"].as_object_mut()
    {
        deploy.remove("replicas");
    }
    match around.repo {
        Some(repo) => service["source"] = json!({"repo": repo}),
        None => remarks.say(
            None,
            "source",
            "the file does not say its repository: name it with --repo owner/name",
        ),
    }
    let manifest = json!({
        "apiVersion": "mirage.dev/v1alpha1",
        "kind": "Environment",
        "metadata": {"name": around.name},
        "spec": {"project": {"name": around.name}, "services": {around.service: service}},
    });
    Ok(Read {
        manifest,
        remarks: remarks.0,
    })
}

fn converted(value: &Value, form: Form) -> Option<Value> {
    match form {
        Form::Same => Some(value.clone()),
        Form::List => Some(match value {
            Value::String(one) => json!([one]),
            other => other.clone(),
        }),
        Form::Seconds => Some(json!(Span::from_secs(value.as_u64()?)?.to_string())),
        Form::Bytes => Some(json!(format_bytes(value.as_u64()?)?)),
        Form::Regions => {
            let counts: Map<String, Value> = entries(value)
                .filter_map(|(region, counts)| {
                    Some((region.clone(), counts.get("numReplicas")?.clone()))
                })
                .collect();
            (!counts.is_empty()).then_some(Value::Object(counts))
        }
        Form::Builder => match value.as_str()?.to_ascii_uppercase().as_str() {
            "RAILPACK" => Some(json!("railpack")),
            "NIXPACKS" => Some(json!("nixpacks")),
            "DOCKERFILE" => Some(json!("dockerfile")),
            _ => None,
        },
        Form::Restart => match value.as_str()?.to_ascii_uppercase().as_str() {
            "ON_FAILURE" => Some(json!("onFailure")),
            "ALWAYS" => Some(json!("always")),
            "NEVER" => Some(json!("never")),
            _ => None,
        },
    }
}

/// Lays an environment's overrides over the file: maps merge, everything else replaces.
fn overlay(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                overlay(below.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above.clone(),
    }
}

fn put(service: &mut Value, pointer: &str, value: Value) {
    let mut place = service;
    for key in pointer.trim_start_matches('/').split('/') {
        place = &mut place[key];
    }
    *place = value;
}

fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate;

    const AROUND: Around<'_> = Around {
        name: "shop",
        service: "web",
        repo: Some("acme/shop"),
        environment: Some("production"),
    };

    #[test]
    fn both_spellings_of_a_file_say_the_same() {
        let json_text = r#"{
            "$schema": "https://railway.com/railway.schema.json",
            "build": {"builder": "NIXPACKS", "buildCommand": "make", "watchPatterns": ["src/**"], "nixpacksPlan": {}},
            "deploy": {"startCommand": "serve", "healthcheckPath": "/h", "healthcheckTimeout": 60, "numReplicas": 1,
                "restartPolicyType": "ALWAYS", "preDeployCommand": "migrate", "drainingSeconds": 0},
            "environments": {"production": {"deploy": {"numReplicas": 3}}, "staging": {}}
        }"#;
        let toml_text = r#"
            [build]
            builder = "nixpacks"
            buildCommand = "make"
            watchPatterns = ["src/**"]
            nixpacksPlan = {}
            [deploy]
            startCommand = "serve"
            healthcheckPath = "/h"
            healthcheckTimeout = 60
            numReplicas = 1
            restartPolicyType = "always"
            preDeployCommand = "migrate"
            drainingSeconds = 0
            [environments.production.deploy]
            numReplicas = 3
            [environments.staging]
        "#;
        let a = read_json(json_text, AROUND).unwrap();
        let b = read_toml(toml_text, AROUND).unwrap();
        assert_eq!(a.manifest, b.manifest);
        assert_eq!(
            a.manifest["spec"]["services"]["web"],
            json!({
                "source": {"repo": "acme/shop"},
                "build": {"builder": "nixpacks", "command": "make", "watchPatterns": ["src/**"]},
                "deploy": {"startCommand": "serve", "healthcheck": {"path": "/h", "timeout": "1m"}, "replicas": 3,
                    "restart": {"policy": "always"}, "preDeployCommand": ["migrate"]},
            })
        );
        assert_eq!(validate::environment(&a.manifest), []);
        let told: Vec<_> = a
            .remarks
            .iter()
            .map(|remark| remark.path.as_str())
            .collect();
        assert_eq!(
            told,
            [
                "environments.staging",
                "deploy.drainingSeconds",
                "build.nixpacksPlan"
            ]
        );
    }

    #[test]
    fn a_broken_file_is_refused_with_its_line() {
        assert_eq!(
            read_toml("[build]\nbuilder = ", AROUND)
                .unwrap_err()
                .to_string()
                .split(':')
                .next(),
            Some("line 2")
        );
        assert!(read_json("[]", AROUND).is_err());
        assert!(matches!(
            read_json("{\n", AROUND),
            Err(Unreadable::Syntax { line: 2, .. })
        ));
    }
}

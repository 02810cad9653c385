//! An Environment as a Compose file.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    convert::{Remarks, Written, entries},
    environment::EnvironmentSpec,
    reference::{Reference, references},
};

/// Writes a merged spec: templates filled in, engines written out.
///
/// Values that are not in the spec (secrets, what Railway keeps) become `${NAME:?…}`, which Compose takes from its own
/// environment or an `.env` file and refuses to start without.
///
/// # Errors
/// When the spec cannot be written as JSON, which is a mistake of ours.
pub fn write(name: &str, spec: &EnvironmentSpec) -> Result<Written, serde_json::Error> {
    let spec = serde_json::to_value(spec)?;
    let mut writer = Writer {
        spec: &spec,
        remarks: Remarks::default(),
        volumes: Map::new(),
    };
    let services: Map<String, Value> = entries(&spec["services"])
        .filter(|(_, service)| !service.is_null())
        .map(|(name, service)| (name.replace(' ', "-"), writer.service(name, service)))
        .collect();
    for field in [
        "ttl",
        "expiresAt",
        "rollout",
        "drift",
        "approval",
        "deletion",
    ] {
        if !spec[field].is_null() {
            writer
                .remarks
                .say(None, format!("spec.{field}"), "has no equivalent");
        }
    }
    let mut file = json!({"name": name, "services": services});
    if !writer.volumes.is_empty() {
        file["volumes"] = Value::Object(writer.volumes);
    }
    let body =
        serde_yaml::to_string(&file).map_err(<serde_json::Error as serde::ser::Error>::custom)?;
    let head = writer
        .remarks
        .as_comments("#", "What Compose cannot say, or says differently:");
    Ok(Written {
        text: format!("{head}{body}"),
        remarks: writer.remarks.0,
    })
}

struct Writer<'a> {
    spec: &'a Value,
    remarks: Remarks,
    volumes: Map<String, Value>,
}

impl Writer<'_> {
    fn service(&mut self, name: &str, service: &Value) -> Value {
        let path = format!("services.{name}");
        let mut written = json!({});
        let (source, build, deploy) = (&service["source"], &service["build"], &service["deploy"]);
        if let Some(image) = source["image"].as_str() {
            written["image"] = json!(escaped(image));
        } else if let Some(repo) = source["repo"].as_str() {
            written["build"] = self.build(&path, repo, source, build);
        }
        if let Some(command) = deploy["startCommand"].as_str() {
            written["command"] = json!(escaped(command));
        }
        let environment = self.environment(name, &path, service);
        if !environment.is_empty() {
            written["environment"] = Value::Object(environment);
        }
        let ports = self.ports(&path, service);
        if !ports.is_empty() {
            written["ports"] = json!(ports);
        }
        let volumes = self.mounts(&path, name, service);
        if !volumes.is_empty() {
            written["volumes"] = json!(volumes);
        }
        if let Some(on) = service["dependsOn"].as_array().filter(|on| !on.is_empty()) {
            written["depends_on"] = json!(on);
        }
        self.deploy(&path, deploy, &mut written);
        written
    }

    fn build(&mut self, path: &str, repo: &str, source: &Value, build: &Value) -> Value {
        let revision = source["commit"]
            .as_str()
            .or_else(|| source["branch"].as_str());
        let folder = source["rootDirectory"].as_str().unwrap_or_default();
        let folder = folder.trim_matches('/');
        let mut context = format!("https://github.com/{repo}.git");
        if revision.is_some() || !folder.is_empty() {
            context.push_str(&format!("#{}", revision.unwrap_or_default()));
        }
        if !folder.is_empty() {
            context.push_str(&format!(":{folder}"));
        }
        let mut written = json!({"context": context});
        match build["dockerfile"].as_str() {
            Some(file) => written["dockerfile"] = json!(file),
            None if build["builder"] != "dockerfile" => self.remarks.say(
                None,
                format!("{path}.build"),
                "Compose builds Dockerfiles only, and this is built by Railpack or Nixpacks",
            ),
            None => {}
        }
        for field in ["command", "watchPatterns"] {
            if !build[field].is_null() {
                self.remarks
                    .say(None, format!("{path}.build.{field}"), "has no equivalent");
            }
        }
        written
    }

    fn environment(&mut self, name: &str, path: &str, service: &Value) -> Map<String, Value> {
        let mut written = Map::new();
        for (variable, value) in entries(&service["variables"]) {
            let at = format!("{path}.variables.{variable}");
            let text = match value {
                Value::Null => continue,
                Value::Object(_) => self.asked(&at, variable, origin(value)),
                Value::String(text) => match self.rendered(name, text, 0) {
                    Some(text) => escaped(&text),
                    None => self.asked(&at, variable, format!("on Railway it is {}", shown(text))),
                },
                other => other.to_string(),
            };
            written.insert(variable.clone(), json!(text));
        }
        written
    }

    /// A value that Compose must be given from outside.
    fn asked(&mut self, path: &str, variable: &str, why: String) -> String {
        self.remarks.say(
            None,
            path,
            format!("is taken from the environment variable {variable}: {why}"),
        );
        format!("${{{variable}:?{}}}", why.replace(['}', '$'], ""))
    }

    /// The text with its references replaced, when all of them lead to plain values.
    fn rendered(&self, service: &str, text: &str, depth: u8) -> Option<String> {
        // References may go round in a circle; nobody writes them this deep.
        if depth > 8 {
            return None;
        }
        let mut rendered = String::new();
        let mut rest = text;
        for reference in references(text) {
            let start = rest.find("${{")?;
            let end = start + rest[start..].find("}}")? + 2;
            rendered.push_str(&rest[..start]);
            rest = &rest[end..];
            rendered.push_str(&match reference.ok()? {
                Reference::Own("RAILWAY_PRIVATE_DOMAIN") => service.replace(' ', "-"),
                Reference::Own(name) => self.plain(service, name, depth)?,
                Reference::Shared(name) => {
                    self.rendered(service, self.spec["variables"][name].as_str()?, depth + 1)?
                }
                Reference::Service {
                    service,
                    name: "RAILWAY_PRIVATE_DOMAIN",
                } => service.replace(' ', "-"),
                Reference::Service { service, name } => self.plain(service, name, depth)?,
            });
        }
        rendered.push_str(rest);
        Some(rendered)
    }

    fn plain(&self, service: &str, name: &str, depth: u8) -> Option<String> {
        let value = &self.spec["services"][service]["variables"][name];
        self.rendered(service, value.as_str()?, depth + 1)
    }

    fn ports(&mut self, path: &str, service: &Value) -> Vec<String> {
        let mut ports = BTreeMap::new();
        for domain in service["domains"].as_array().into_iter().flatten() {
            match domain["port"].as_u64() {
                Some(port) => drop(ports.insert(port, format!("{port}:{port}"))),
                None => self.remarks.say(
                    None,
                    format!("{path}.domains"),
                    "a domain without a port: Compose must be told which one the application listens on",
                ),
            }
            if let Some(name) = domain["name"].as_str() {
                self.remarks.say(
                    None,
                    format!("{path}.domains"),
                    format!("{name}: Compose publishes ports, not domains"),
                );
            }
        }
        for port in service["tcpProxies"].as_array().into_iter().flatten() {
            if let Some(port) = port.as_u64() {
                ports.insert(port, format!("{port}:{port}"));
            }
        }
        ports.into_values().collect()
    }

    fn mounts(&mut self, path: &str, name: &str, service: &Value) -> Vec<String> {
        let mut mounts = Vec::new();
        for (volume, spec) in entries(&service["volumes"]) {
            let Some(mount) = spec["mountPath"].as_str() else {
                continue;
            };
            let volume_name = format!("{}-{volume}", name.replace(' ', "-"));
            mounts.push(format!("{volume_name}:{mount}"));
            self.volumes.insert(volume_name, json!({}));
            for field in ["size", "region", "backups"] {
                if !spec[field].is_null() {
                    self.remarks.say(
                        None,
                        format!("{path}.volumes.{volume}.{field}"),
                        "has no equivalent",
                    );
                }
            }
        }
        mounts
    }

    fn deploy(&mut self, path: &str, deploy: &Value, written: &mut Value) {
        if let Some(replicas) = deploy["replicas"].as_u64() {
            written["deploy"]["replicas"] = json!(replicas);
        }
        let limits = &deploy["limits"];
        if let Some(cpu) = limits["cpu"].as_f64() {
            written["deploy"]["resources"]["limits"]["cpus"] = json!(cpu.to_string());
        }
        if let Some(memory) = limits["memory"].as_str() {
            // Compose's M and G are binary as well.
            let memory = memory
                .replace("Ki", "K")
                .replace("Mi", "M")
                .replace("Gi", "G");
            written["deploy"]["resources"]["limits"]["memory"] = json!(memory);
        }
        let restart = &deploy["restart"];
        let retries = restart["maxRetries"].as_u64();
        match (restart["policy"].as_str(), retries) {
            (Some("always"), _) => written["restart"] = json!("always"),
            (Some("never"), _) => written["restart"] = json!("no"),
            (Some("onFailure") | None, Some(retries)) => {
                written["restart"] = json!(format!("on-failure:{retries}"));
            }
            (Some("onFailure"), None) => written["restart"] = json!("on-failure"),
            _ => {}
        }
        if let Some(draining) = deploy["draining"].as_str() {
            written["stop_grace_period"] = json!(draining);
        }
        for field in [
            "preDeployCommand",
            "healthcheck",
            "regions",
            "cron",
            "sleep",
            "overlap",
        ] {
            let is_said = match &deploy[field] {
                Value::Null => false,
                Value::Object(map) => !map.is_empty(),
                Value::Array(list) => !list.is_empty(),
                _ => true,
            };
            if is_said {
                self.remarks
                    .say(None, format!("{path}.deploy.{field}"), "has no equivalent");
            }
        }
    }
}

/// Where a value comes from that is not in the spec.
fn origin(value: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if value["secretRef"].is_object() {
        let secret = &value["secretRef"];
        return format!(
            "key {} of the Secret {}",
            text(&secret["key"]),
            text(&secret["name"])
        );
    }
    if value["copyFrom"].is_object() {
        let from = &value["copyFrom"];
        return format!(
            "copied from {} of {}",
            text(&from["name"]),
            text(&from["environment"])
        );
    }
    if value["generate"].is_object() {
        return "made up once by Mirage".to_owned();
    }
    "kept as Railway has it".to_owned()
}

/// A reference as people read it in a comment; what is around references may be a secret and stays out.
fn shown(text: &str) -> String {
    let all: Vec<String> = references(text)
        .into_iter()
        .flatten()
        .map(|reference| match reference {
            Reference::Own(name) => name.to_owned(),
            Reference::Shared(name) => format!("shared.{name}"),
            Reference::Service { service, name } => format!("{service}.{name}"),
        })
        .collect();
    format!("made from {}", all.join(", "))
}

/// Compose fills `$NAME` in; a `$` that means itself is doubled.
fn escaped(text: &str) -> String {
    text.replace('$', "$$")
}

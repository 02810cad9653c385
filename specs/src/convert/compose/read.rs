//! A Compose file as an Environment.

mod deploy;
mod source;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{command::joined, hosts};
use crate::{
    convert::{Read, Remarks, Unreadable, entries, service_name},
    manifest::{self, Document},
};

/// Keys of a service that are read, and those that mean nothing on Railway, where a service has its own host name and one
/// private network is there for all. Every other one becomes a remark.
const KEYS: [&str; 15] = [
    "image",
    "build",
    "command",
    "environment",
    "ports",
    "expose",
    "volumes",
    "depends_on",
    "deploy",
    "restart",
    "healthcheck",
    "stop_grace_period",
    "container_name",
    "hostname",
    "networks",
];

/// Ports of databases and queues, which speak no HTTP: they are reached through a TCP proxy.
const TCP: [u16; 8] = [1433, 3306, 5432, 5672, 6379, 9092, 11211, 27017];

/// Reads a Compose file. `name` is the Environment's, `repo` the repository (`owner/name`) of services that are built.
///
/// # Errors
/// When the text is not YAML, or has no services.
pub fn read(text: &str, name: &str, repo: Option<&str>) -> Result<Read, Unreadable> {
    let mut documents = manifest::documents(text).map_err(|error| Unreadable::Syntax {
        line: error.at.line,
        message: error.message,
    })?;
    let (Some(document), true) = (documents.pop(), documents.is_empty()) else {
        let message = "a Compose file is one YAML document";
        return Err(Unreadable::Meaning(message.to_owned()));
    };
    let file = document.value.clone();
    if file["services"].as_object().is_none_or(Map::is_empty) {
        let message = "services: there are none, so this is no Compose file";
        return Err(Unreadable::Meaning(message.to_owned()));
    }
    let names = entries(&file["services"])
        .map(|(name, _)| (name.clone(), service_name(name)))
        .collect();
    let mut reader = Reader {
        document: &document,
        names,
        repo,
        remarks: Remarks::default(),
    };
    for (key, _) in entries(&file) {
        if !matches!(
            key.as_str(),
            "services" | "version" | "name" | "networks" | "volumes"
        ) {
            reader.say(key, "has no equivalent and is left out");
        }
    }
    let services: Map<String, Value> = entries(&file["services"])
        .map(|(name, service)| {
            let read = reader.service(name, service);
            (reader.names[name].clone(), read)
        })
        .collect();
    let needs_repo = services
        .values()
        .any(|service| service["source"]["image"].is_null());
    let mut spec = json!({"project": {"name": name}, "services": services});
    match repo {
        Some(repo) if needs_repo => spec["source"] = json!({"repo": repo}),
        None if needs_repo => {
            reader.say(
                "services",
                "some services are built: name their repository with --repo owner/name",
            );
        }
        _ => {}
    }
    let manifest = json!({
        "apiVersion": "mirage.dev/v1alpha1",
        "kind": "Environment",
        "metadata": {"name": name},
        "spec": spec,
    });
    let mut remarks = reader.remarks.0;
    remarks.sort();
    Ok(Read { manifest, remarks })
}

struct Reader<'a> {
    document: &'a Document,
    /// Compose's names with Railway's.
    names: BTreeMap<String, String>,
    repo: Option<&'a str>,
    remarks: Remarks,
}

impl Reader<'_> {
    fn say(&mut self, path: &str, message: impl Into<String>) {
        let line = self.document.position(path).line;
        self.remarks.say(Some(line), path, message);
    }

    fn service(&mut self, name: &str, service: &Value) -> Value {
        let path = format!("services.{name}");
        let mut read = json!({});
        if self.names[name] != name {
            let message = format!("is called {} on Railway", self.names[name]);
            self.say(&path, message);
        }
        for (key, _) in entries(service) {
            if !KEYS.contains(&key.as_str()) {
                self.say(
                    &format!("{path}.{key}"),
                    "has no equivalent and is left out",
                );
            }
        }
        self.source(&path, service, &mut read);
        if let Some(command) = self.command(&path, &service["command"]) {
            read["deploy"]["startCommand"] = json!(command);
        }
        let variables = self.variables(&path, &service["environment"]);
        if !variables.is_empty() {
            read["variables"] = Value::Object(variables);
        }
        self.ports(&path, &service["ports"], &mut read);
        self.volumes(&path, &service["volumes"], &mut read);
        let on = self.depends_on(&service["depends_on"]);
        if !on.is_empty() {
            read["dependsOn"] = json!(on);
        }
        self.deploy(&path, service, &mut read);
        read
    }

    fn command(&mut self, path: &str, command: &Value) -> Option<String> {
        let at = format!("{path}.command");
        let text = match command {
            Value::String(text) => text.clone(),
            Value::Array(words) => joined(words.iter().filter_map(Value::as_str)),
            _ => return None,
        };
        let filled = self.filled(&at, &text);
        if filled.is_none() {
            self.say(
                &at,
                "takes a value from outside: write the command that is meant",
            );
        }
        filled
    }

    fn variables(&mut self, path: &str, environment: &Value) -> Map<String, Value> {
        let pairs: Vec<(String, Option<String>)> = match environment {
            Value::Object(map) => map
                .iter()
                .map(|(name, value)| (name.clone(), scalar(value)))
                .collect(),
            Value::Array(list) => list
                .iter()
                .filter_map(Value::as_str)
                .map(|line| match line.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (line.to_owned(), None),
                })
                .collect(),
            _ => Vec::new(),
        };
        let mut read = Map::new();
        for (name, value) in pairs {
            let at = match environment {
                Value::Object(_) => format!("{path}.environment.{name}"),
                _ => format!("{path}.environment"),
            };
            if let Err(error) = name.parse::<crate::name::VariableName>() {
                self.say(&at, format!("{name} is left out: {error}"));
                continue;
            }
            let filled = value.as_deref().and_then(|text| self.filled(&at, text));
            let value = match filled {
                Some(text) => json!(hosts::to_references(&text, &self.names)),
                None => {
                    let message = format!(
                        "{name} comes from outside: set it on Railway, where it is preserved, or write a secretRef"
                    );
                    self.say(&at, message);
                    json!({"preserve": true})
                }
            };
            read.insert(name, value);
        }
        read
    }

    /// A text with Compose's `$` undone: `$$` is a `$`, `${NAME:-text}` is `text`; none when a value comes from outside.
    fn filled(&mut self, path: &str, text: &str) -> Option<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            filled.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                filled.push('$');
                rest = after;
            } else if let Some(after) = rest.strip_prefix('{') {
                let end = after.find('}')?;
                let (inside, after) = (&after[..end], &after[end + 1..]);
                let (name, default) = inside.split_once(":-").or_else(|| inside.split_once('-'))?;
                filled.push_str(default);
                self.say(path, format!("{name} is taken as its default"));
                rest = after;
            } else if rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                return None;
            } else {
                filled.push('$');
            }
        }
        filled.push_str(rest);
        Some(filled)
    }

    fn ports(&mut self, path: &str, ports: &Value, read: &mut Value) {
        let at = format!("{path}.ports");
        let mut proxies = Vec::new();
        let mut domain = None;
        for port in ports.as_array().into_iter().flatten() {
            let (target, is_udp) = match port {
                Value::Object(_) => (port["target"].as_u64(), port["protocol"] == "udp"),
                Value::Number(number) => (number.as_u64(), false),
                Value::String(text) => {
                    let (text, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
                    let target = text.rsplit(':').next().and_then(|port| port.parse().ok());
                    (target, protocol == "udp")
                }
                _ => (None, false),
            };
            let target = target.and_then(|port| u16::try_from(port).ok());
            match target {
                _ if is_udp => self.say(&at, "Railway forwards no UDP"),
                None => self.say(
                    &at,
                    "a range of ports, or none that is known: name each port",
                ),
                Some(port) if TCP.contains(&port) || domain.is_some() => {
                    if !proxies.contains(&port) && domain != Some(port) {
                        proxies.push(port);
                    }
                }
                Some(port) => domain = Some(port),
            }
        }
        if let Some(port) = domain {
            read["domains"] = json!([{"port": port}]);
        }
        if !proxies.is_empty() {
            read["tcpProxies"] = json!(proxies);
        }
    }

    fn volumes(&mut self, path: &str, volumes: &Value, read: &mut Value) {
        let at = format!("{path}.volumes");
        let mut has_one = false;
        for volume in volumes.as_array().into_iter().flatten() {
            let (source, target) = match volume {
                Value::Object(_) => (
                    volume["source"].as_str().unwrap_or_default().to_owned(),
                    volume["target"].as_str().unwrap_or_default().to_owned(),
                ),
                other => {
                    let text = other.as_str().unwrap_or_default();
                    let mut parts = text.split(':');
                    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
                    match second {
                        Some(target) => (first.to_owned(), target.to_owned()),
                        None => (String::new(), first.to_owned()),
                    }
                }
            };
            if source.starts_with(['.', '/', '~', '$']) || volume["type"] == "bind" {
                self.say(&at, format!("{source}: a folder of this machine is not on Railway; put the files into the image"));
                continue;
            }
            if volume["type"] == "tmpfs" {
                self.say(&at, format!("{target}: has no equivalent and is left out"));
                continue;
            }
            if has_one {
                self.say(
                    &at,
                    format!("{target}: Railway attaches one volume to a service"),
                );
                continue;
            }
            has_one = true;
            read["volumes"] = json!({volume_key(path, &source): {"mountPath": target}});
        }
    }

    fn depends_on(&self, on: &Value) -> Vec<String> {
        let known = |name: &str| self.names.get(name).cloned();
        match on {
            Value::Array(list) => list
                .iter()
                .filter_map(|name| known(name.as_str()?))
                .collect(),
            Value::Object(map) => map.keys().filter_map(|name| known(name)).collect(),
            _ => Vec::new(),
        }
    }
}

fn volume_key(path: &str, source: &str) -> String {
    let service = path.trim_start_matches("services.");
    let bare = source
        .strip_prefix(service)
        .and_then(|rest| rest.strip_prefix('-'));
    let key: String = bare
        .unwrap_or(source)
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    match key.trim_matches('-') {
        "" => "data".to_owned(),
        key => key.to_owned(),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

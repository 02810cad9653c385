//! How a service runs.

use serde_json::{Value, json};

use super::{Reader, scalar};
use crate::{
    convert::{compose::command::joined, entries},
    quantity::parse_bytes,
};

impl Reader<'_> {
    pub(super) fn deploy(&mut self, path: &str, service: &Value, read: &mut Value) {
        let deploy = &service["deploy"];
        if let Some(replicas) = deploy["replicas"].as_u64() {
            read["deploy"]["replicas"] = json!(replicas);
        }
        let limits = &deploy["resources"]["limits"];
        if let Some(cpus) = scalar(&limits["cpus"]).and_then(|text| text.parse::<f64>().ok()) {
            read["deploy"]["limits"]["cpu"] = json!(cpus);
        }
        if let Some(memory) = limits["memory"].as_str() {
            match binary(memory) {
                Some(memory) => read["deploy"]["limits"]["memory"] = json!(memory),
                None => self.say(
                    &format!("{path}.deploy.resources.limits.memory"),
                    "is no size that can be read, and is left out",
                ),
            }
        }
        for (key, _) in entries(deploy) {
            if !matches!(key.as_str(), "replicas" | "resources") {
                self.say(
                    &format!("{path}.deploy.{key}"),
                    "has no equivalent and is left out",
                );
            }
        }
        if let Some(restart) = scalar(&service["restart"]) {
            let (policy, retries) = restart.split_once(':').unwrap_or((&restart, ""));
            let policy = match policy {
                "always" | "unless-stopped" => "always",
                // YAML 1.1 reads a bare `no` as false.
                "no" | "false" => "never",
                _ => "onFailure",
            };
            read["deploy"]["restart"]["policy"] = json!(policy);
            if let Ok(retries) = retries.parse::<u16>() {
                read["deploy"]["restart"]["maxRetries"] = json!(retries);
            }
        }
        if let Some(grace) = service["stop_grace_period"].as_str()
            && grace.parse::<crate::duration::Span>().is_ok()
        {
            read["deploy"]["draining"] = json!(grace);
        }
        let check = &service["healthcheck"];
        if check.is_object() && check["disable"] != true {
            match health_path(&check["test"]) {
                Some(found) => read["deploy"]["healthcheck"]["path"] = json!(found),
                None => self.say(
                    &format!("{path}.healthcheck"),
                    "Railway asks a path over HTTP before it lets traffic in, and runs no command; left out",
                ),
            }
        }
    }
}

/// The path that a healthcheck asks of the service itself.
fn health_path(test: &Value) -> Option<String> {
    let text = match test {
        Value::String(text) => text.clone(),
        Value::Array(words) => joined(words.iter().filter_map(Value::as_str)),
        _ => return None,
    };
    let at = ["http://localhost", "http://127.0.0.1"]
        .into_iter()
        .find_map(|host| Some(text.find(host)? + host.len()))?;
    let end = |c: char| c.is_whitespace() || c == '\'' || c == '"' || c == '|';
    let address = text[at..].split(end).next()?;
    let path = address.find('/').map_or("/", |slash| &address[slash..]);
    Some(path.to_owned())
}

/// Compose's sizes are binary whatever they are called: `512M`, `512mb`, `1g`.
fn binary(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let number = lower.trim_end_matches('b').trim_end_matches('i');
    let (number, unit) = number.split_at(number.len().checked_sub(1)?);
    let unit = match unit {
        "k" => "Ki",
        "m" => "Mi",
        "g" => "Gi",
        _ => return None,
    };
    let size = format!("{number}{unit}");
    parse_bytes(&size).is_ok().then_some(size)
}

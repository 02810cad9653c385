//! `${{Service.VAR}}`, `${{shared.VAR}}`, `${{VAR}}`, and the variables that Railway provides.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

use super::defaults;
use crate::state::{Environment, World};

/// References may lead to references; a cycle ends here.
const DEPTH: usize = 16;

/// A reference found in a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reference {
    Service { service: String, variable: String },
    Shared(String),
    Own(String),
}

/// Splits a value into text and references.
fn pieces(text: &str) -> Vec<(&str, Option<Reference>)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${{") {
        let Some(length) = rest[start..].find("}}") else {
            break;
        };
        if start > 0 {
            found.push((&rest[..start], None));
        }
        let inner = rest[start + 3..start + length].trim();
        let reference = match inner.split_once('.') {
            Some(("shared", name)) => Reference::Shared(name.trim().to_owned()),
            Some((service, name)) => Reference::Service {
                service: service.trim().trim_matches('"').to_owned(),
                variable: name.trim().to_owned(),
            },
            None => Reference::Own(inner.to_owned()),
        };
        found.push((&rest[start..start + length + 2], Some(reference)));
        rest = &rest[start + length + 2..];
    }
    if !rest.is_empty() {
        found.push((rest, None));
    }
    found
}

/// The references in one service's variables.
pub(crate) fn references_of(config: &Map<String, Value>) -> BTreeSet<Reference> {
    variable_values(config)
        .values()
        .flat_map(|text| pieces(text))
        .filter_map(|(_, reference)| reference)
        .collect()
}

fn values(variables: Option<&Value>) -> BTreeMap<String, String> {
    variables
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, variable)| {
            let value = variable
                .get("value")
                .or_else(|| variable.get("defaultValue"))
                .and_then(Value::as_str)?;
            Some((name.clone(), value.to_owned()))
        })
        .collect()
}

/// A service's own variables, unrendered, sealed ones included.
pub(crate) fn variable_values(config: &Map<String, Value>) -> BTreeMap<String, String> {
    values(config.get("variables"))
}

/// An environment's shared variables, unrendered.
pub(crate) fn shared_values(environment: &Environment) -> BTreeMap<String, String> {
    values(environment.config.get("sharedVariables"))
}

/// Names of sealed variables.
pub(crate) fn sealed_names(variables: Option<&Value>) -> BTreeSet<String> {
    variables
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter(|(_, variable)| variable.get("isSealed") == Some(&Value::Bool(true)))
        .map(|(name, _)| name.clone())
        .collect()
}

/// What a service sees in its environment.
pub(crate) fn rendered(
    world: &World,
    environment: &Environment,
    service: &str,
) -> BTreeMap<String, String> {
    let own = variable_values(environment.service_config(service));
    let mut all = provided(world, environment, service);
    for (name, text) in own {
        let value = render(world, environment, Some(service), &text, 0);
        all.insert(name, value);
    }
    all
}

/// A text with its references replaced; what leads nowhere becomes empty.
pub(crate) fn render(
    world: &World,
    environment: &Environment,
    service: Option<&str>,
    text: &str,
    depth: usize,
) -> String {
    if !text.contains("${{") {
        return text.to_owned();
    }
    if depth > DEPTH {
        return String::new();
    }
    pieces(text)
        .into_iter()
        .map(|(literal, reference)| match reference {
            None => literal.to_owned(),
            Some(Reference::Shared(name)) => shared_values(environment)
                .get(&name)
                .map(|value| render(world, environment, None, value, depth + 1))
                .unwrap_or_default(),
            Some(Reference::Own(name)) => service
                .map(|service| lookup(world, environment, service, &name, depth))
                .unwrap_or_default(),
            Some(Reference::Service {
                service: name,
                variable,
            }) => world
                .service_named(&environment.project, &name)
                .map(|found| lookup(world, environment, &found.id, &variable, depth))
                .unwrap_or_default(),
        })
        .collect()
}

fn lookup(
    world: &World,
    environment: &Environment,
    service: &str,
    name: &str,
    depth: usize,
) -> String {
    if let Some(text) = variable_values(environment.service_config(service)).get(name) {
        return render(world, environment, Some(service), text, depth + 1);
    }
    provided(world, environment, service)
        .remove(name)
        .unwrap_or_default()
}

/// Variables that Railway sets (Railway docs: variables reference).
pub(crate) fn provided(
    world: &World,
    environment: &Environment,
    service: &str,
) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut set = |name: &str, value: String| {
        all.insert(name.to_owned(), value);
    };
    let (Ok(project), Some(instance)) = (
        world.project(&environment.project),
        environment.instances.get(service),
    ) else {
        return all;
    };
    let name = world
        .services
        .get(service)
        .map_or_else(String::new, |service| service.name.clone());
    let config = environment.service_config(service);
    set("RAILWAY_PROJECT_ID", project.id.clone());
    set("RAILWAY_PROJECT_NAME", project.name.clone());
    set("RAILWAY_ENVIRONMENT_ID", environment.id.clone());
    set("RAILWAY_ENVIRONMENT_NAME", environment.name.clone());
    set("RAILWAY_SERVICE_ID", service.to_owned());
    set("RAILWAY_SERVICE_NAME", name.clone());
    set("RAILWAY_PRIVATE_DOMAIN", private_domain(&name));
    if let Some(domain) = instance
        .custom_domains
        .keys()
        .chain(instance.service_domains.keys())
        .next()
    {
        set("RAILWAY_PUBLIC_DOMAIN", domain.clone());
        set("RAILWAY_STATIC_URL", domain.clone());
    }
    if let Some((port, proxy)) = instance.tcp_proxies.iter().next() {
        set("RAILWAY_TCP_PROXY_DOMAIN", proxy.domain.clone());
        set("RAILWAY_TCP_PROXY_PORT", proxy.proxy_port.to_string());
        set("RAILWAY_TCP_APPLICATION_PORT", port.clone());
    }
    if let Some(volume) = environment
        .volume_instances
        .values()
        .find(|volume| volume.service.as_deref() == Some(service))
    {
        if let Some(found) = world.volumes.get(&volume.volume) {
            set("RAILWAY_VOLUME_NAME", found.name.clone());
        }
        set("RAILWAY_VOLUME_MOUNT_PATH", volume.mount_path.clone());
    }
    if let Some(repo) = config.get("source").and_then(|s| s["repo"].as_str()) {
        let (owner, repository) = repo.split_once('/').unwrap_or(("", repo));
        set("RAILWAY_GIT_REPO_OWNER", owner.to_owned());
        set("RAILWAY_GIT_REPO_NAME", repository.to_owned());
        let branch = config["source"]["branch"].as_str().unwrap_or("main");
        set("RAILWAY_GIT_BRANCH", branch.to_owned());
    }
    set("RAILWAY_REPLICA_REGION", defaults::region(config));
    if let Some(deployment) = instance.deployments.last() {
        set("RAILWAY_DEPLOYMENT_ID", deployment.id.clone());
    }
    all
}

/// The internal DNS name of a service.
pub(crate) fn private_domain(service: &str) -> String {
    format!("{}.railway.internal", dns_label(service))
}

/// A name as it can stand in a domain.
pub(crate) fn dns_label(name: &str) -> String {
    let label: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    label.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_are_found_wherever_they_stand() {
        let table: [(&str, Vec<Reference>); 6] = [
            ("plain", vec![]),
            ("${{VAR}}", vec![Reference::Own("VAR".into())]),
            ("${{ shared.X }}", vec![Reference::Shared("X".into())]),
            (
                "postgres://${{My DB.USER}}:${{db.PASS}}@h",
                vec![
                    Reference::Service {
                        service: "My DB".into(),
                        variable: "USER".into(),
                    },
                    Reference::Service {
                        service: "db".into(),
                        variable: "PASS".into(),
                    },
                ],
            ),
            ("${{unclosed", vec![]),
            ("${not} {{a}}", vec![]),
        ];
        for (text, expected) in table {
            let config = json!({"variables": {"V": {"value": text}}});
            let found = references_of(config.as_object().unwrap());
            assert_eq!(found, expected.into_iter().collect(), "{text}");
        }
    }

    #[test]
    fn names_become_dns_labels() {
        assert_eq!(dns_label("My App_2"), "my-app-2");
        assert_eq!(private_domain("api"), "api.railway.internal");
    }
}

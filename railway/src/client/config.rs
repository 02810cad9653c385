//! The untyped configuration, read into a snapshot that has fingerprints where values were.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    client::values::EnvironmentValues,
    id::ServiceId,
    secret::{FingerprintKey, SecretValue},
    snapshot::{ConfigSnapshot, MARK, ServiceConfigSnapshot, VariableSnapshot},
};

/// The configuration as a snapshot, or why it is none. Lists that are left out are empty: the JSON is sparse.
pub(super) fn config_snapshot(
    config: &Value,
    key: &FingerprintKey,
) -> Result<ConfigSnapshot, String> {
    let config = config
        .as_object()
        .ok_or("the configuration is not an object")?;
    let shared = entries(config, "sharedVariables")?;
    let mut services = BTreeMap::new();
    for (id, service) in entries(config, "services")? {
        let Some(service) = service.as_object().filter(|service| !is_deleted(service)) else {
            continue;
        };
        services.insert(ServiceId::new(id), service_snapshot(service, key)?);
    }
    Ok(ConfigSnapshot {
        services,
        mark: shared
            .iter()
            .find(|(name, _)| *name == MARK)
            .and_then(|(_, variable)| variable.get("value")?.as_str())
            .map(str::to_owned),
        shared_variables: variables(shared, key),
    })
}

/// The values in a configuration, or why it is none.
pub(super) fn values_of(config: &Value) -> Result<EnvironmentValues, String> {
    let config = config
        .as_object()
        .ok_or("the configuration is not an object")?;
    let mut values = EnvironmentValues {
        shared: readable(entries(config, "sharedVariables")?),
        ..EnvironmentValues::default()
    };
    for (id, service) in entries(config, "services")? {
        if let Some(service) = service.as_object().filter(|service| !is_deleted(service)) {
            let own = readable(entries(service, "variables")?);
            values.services.insert(ServiceId::new(id), own);
        }
    }
    Ok(values)
}

fn readable(entries: Vec<(&String, &Value)>) -> BTreeMap<String, SecretValue> {
    let value = |(name, variable): (&String, &Value)| {
        let text = shown(variable)?;
        Some((name.clone(), SecretValue::new(text)))
    };
    entries.into_iter().filter_map(value).collect()
}

fn service_snapshot(
    service: &Map<String, Value>,
    key: &FingerprintKey,
) -> Result<ServiceConfigSnapshot, String> {
    let mut settings = service.clone();
    for name in ["variables", "isCreated", "isDeleted"] {
        settings.remove(name);
    }
    if let Some(deploy) = settings.get_mut("deploy").and_then(Value::as_object_mut) {
        deploy.remove("registryCredentials");
    }
    Ok(ServiceConfigSnapshot {
        settings: Value::Object(settings),
        variables: variables(entries(service, "variables")?, key),
    })
}

fn variables(
    entries: Vec<(&String, &Value)>,
    key: &FingerprintKey,
) -> BTreeMap<String, VariableSnapshot> {
    entries
        .into_iter()
        .map(|(name, variable)| (name.clone(), variable_snapshot(variable, key)))
        .collect()
}

fn variable_snapshot(variable: &Value, key: &FingerprintKey) -> VariableSnapshot {
    if is_sealed(variable) {
        return VariableSnapshot::Sealed;
    }
    match shown(variable) {
        Some(value) => VariableSnapshot::Value(key.fingerprint(value)),
        None => VariableSnapshot::Masked,
    }
}

fn is_sealed(variable: &Value) -> bool {
    variable.get("isSealed").and_then(Value::as_bool) == Some(true)
}

/// The value, where Railway shows it.
fn shown(variable: &Value) -> Option<&str> {
    let value = variable.get("value").and_then(Value::as_str)?;
    (!is_sealed(variable) && !is_mask(value)).then_some(value)
}

/// Railway masks what it does not show with asterisks (observed for registry credentials).
fn is_mask(value: &str) -> bool {
    value.len() >= 3 && value.bytes().all(|byte| byte == b'*')
}

fn is_deleted(entry: &Map<String, Value>) -> bool {
    entry.get("isDeleted").and_then(Value::as_bool) == Some(true)
}

/// A map's entries without those that are null, which stands for deleted.
fn entries<'a>(
    object: &'a Map<String, Value>,
    name: &str,
) -> Result<Vec<(&'a String, &'a Value)>, String> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(map)) => Ok(map.iter().filter(|(_, value)| !value.is_null()).collect()),
        Some(_) => Err(format!("`{name}` of the configuration is not an object")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key() -> FingerprintKey {
        FingerprintKey::new([7; 32])
    }

    #[test]
    fn values_become_fingerprints_and_settings_lose_what_is_secret() {
        let config = json!({
            "sharedVariables": { "MIRAGE_ENVIRONMENT_ID": { "value": "uid" }, "GONE": null },
            "services": {
                "s1": {
                    "source": { "image": "nginx" },
                    "deploy": { "registryCredentials": { "username": "u", "password": "hunter2" } },
                    "variables": {
                        "A": { "value": "hunter2" },
                        "EMPTY": { "value": "" },
                        "SEALED": { "isSealed": true },
                        "MASKED": {},
                        "STARS": { "value": "*****" },
                    },
                    "isCreated": true,
                },
                "s2": { "isDeleted": true },
                "s3": null,
            },
        });
        let snapshot = config_snapshot(&config, &key()).unwrap();
        assert_eq!(snapshot.mark.as_deref(), Some("uid"));
        assert_eq!(snapshot.shared_variables.len(), 1);
        assert_eq!(snapshot.services.len(), 1);
        let service = &snapshot.services[&ServiceId::new("s1")];
        assert_eq!(
            service.settings,
            json!({ "source": { "image": "nginx" }, "deploy": {} })
        );
        for (name, expected) in [
            ("A", VariableSnapshot::Value(key().fingerprint("hunter2"))),
            ("EMPTY", VariableSnapshot::Value(key().fingerprint(""))),
            ("SEALED", VariableSnapshot::Sealed),
            ("MASKED", VariableSnapshot::Masked),
            ("STARS", VariableSnapshot::Masked),
        ] {
            assert_eq!(service.variables[name], expected, "{name}");
        }
        assert!(!format!("{snapshot:?}").contains("hunter2"));
    }

    #[test]
    fn values_are_read_where_railway_shows_them_and_nowhere_else() {
        let config = json!({
            "sharedVariables": { "A": { "value": "hunter2" }, "SEALED": { "value": "x", "isSealed": true } },
            "services": {
                "s1": { "variables": { "B": { "value": "" }, "STARS": { "value": "*****" } } },
                "s2": { "isDeleted": true, "variables": { "C": { "value": "gone" } } },
            },
        });
        let values = values_of(&config).unwrap();
        assert_eq!(
            values.shared,
            BTreeMap::from([("A".to_owned(), SecretValue::new("hunter2"))])
        );
        assert_eq!(
            values.services,
            BTreeMap::from([(
                ServiceId::new("s1"),
                BTreeMap::from([("B".to_owned(), SecretValue::new(""))])
            )])
        );
        assert!(!format!("{values:?}").contains("hunter2"));
        assert!(values_of(&json!({ "services": [] })).is_err());
    }

    #[test]
    fn a_configuration_of_another_shape_is_not_read_as_empty() {
        for config in [
            json!(null),
            json!([]),
            json!({ "services": [] }),
            json!({ "sharedVariables": 1 }),
        ] {
            assert!(config_snapshot(&config, &key()).is_err(), "{config}");
        }
    }
}

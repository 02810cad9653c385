//! Who may see a variable's value.

use serde_json::{Map, Value, json};

use super::defaults::fill;
use crate::quirk::Quirk;
use crate::state::{Environment, World};

/// How values are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// `decryptVariables: true`: all but sealed ones.
    Decrypted,
    /// Masked to an empty string.
    Empty,
    /// Masked by leaving the key out.
    Absent,
}

impl Shown {
    pub(crate) fn asked_for(world: &World, decrypt: bool) -> Self {
        match (decrypt, world.has(Quirk::MaskedValuesAbsent)) {
            (true, _) => Self::Decrypted,
            (false, true) => Self::Absent,
            (false, false) => Self::Empty,
        }
    }
}

/// An environment's full config as a query shows it: defaults filled in, values masked.
pub(crate) fn shown_config(environment: &Environment, shown: Shown) -> Value {
    let mut config = environment.config.clone();
    if let Some(services) = config["services"].as_object_mut() {
        for service in services.values_mut() {
            if let Some(settings) = service.as_object() {
                *service = Value::Object(fill(settings));
            }
        }
    }
    mask(&mut config, shown);
    config
}

/// Masks the variables of a config or patch.
pub(crate) fn mask(config: &mut Value, shown: Shown) {
    if let Some(variables) = config.get_mut("sharedVariables") {
        mask_variables(variables, shown);
    }
    let services = config.get_mut("services").and_then(Value::as_object_mut);
    for service in services.into_iter().flat_map(Map::values_mut) {
        if let Some(variables) = service.get_mut("variables") {
            mask_variables(variables, shown);
        }
    }
}

fn mask_variables(variables: &mut Value, shown: Shown) {
    let Some(variables) = variables.as_object_mut() else {
        return;
    };
    for variable in variables.values_mut().filter_map(Value::as_object_mut) {
        let sealed = variable.get("isSealed") == Some(&json!(true));
        match shown {
            Shown::Decrypted if !sealed => {}
            Shown::Empty if !sealed => {
                if variable.contains_key("value") {
                    variable.insert("value".to_owned(), json!(""));
                }
                variable.remove("generator");
            }
            _ => {
                variable.remove("value");
                variable.remove("generator");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_values_are_shown_to_nobody() {
        let config = json!({"services": {"s": {"variables": {
            "A": {"value": "canary-plain"}, "B": {"value": "canary-sealed", "isSealed": true}}}},
            "sharedVariables": {"C": {"value": "canary-shared"}}});
        let mut open = config.clone();
        mask(&mut open, Shown::Decrypted);
        assert!(open.to_string().contains("canary-plain"));
        assert!(!open.to_string().contains("canary-sealed"));
        for shown in [Shown::Empty, Shown::Absent] {
            let mut closed = config.clone();
            mask(&mut closed, shown);
            assert!(!closed.to_string().contains("canary"));
            let a = &closed["services"]["s"]["variables"]["A"];
            assert_eq!(a.get("value").is_some(), shown == Shown::Empty);
        }
    }
}

//! What a template lets an environment change.

use serde_json::Value;

use crate::{path::FieldPath, validate::Faults};

/// Refuses what `instance` changes of `template` outside the `allowed` paths. What the template does not say is free,
/// and with no paths at all everything is.
pub(super) fn check(template: &Value, instance: &Value, allowed: &[String], faults: &mut Faults) {
    if !allowed.is_empty() {
        walk(template, instance, &mut Vec::new(), allowed, faults);
    }
}

fn walk<'a>(
    template: &Value,
    instance: &'a Value,
    at: &mut Vec<&'a str>,
    allowed: &[String],
    faults: &mut Faults,
) {
    if template == instance || allowed.iter().any(|path| covers(path, at)) {
        return;
    }
    if let (Value::Object(template), Value::Object(instance)) = (template, instance) {
        for (key, value) in instance {
            if let Some(below) = template.get(key) {
                at.push(key);
                walk(below, value, at, allowed, faults);
                at.pop();
            }
        }
        return;
    }
    let path = at
        .iter()
        .fold(FieldPath::root().key("spec"), |path, key| path.key(key));
    faults.forbidden(
        &path,
        format!(
            "the template only lets these be changed: {}",
            allowed.join(", ")
        ),
    );
}

/// Whether `path` names the place `at` or one above it.
fn covers(path: &str, at: &[&str]) -> bool {
    let mut keys = at.iter();
    path.split('.').all(|segment| keys.next() == Some(&segment))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(instance: Value) -> Vec<String> {
        let template = json!({"services": {"web": {"deploy": {"replicas": 2, "sleep": false}}}, "deletion": "retain"});
        let mut faults = Faults::default();
        check(
            &template,
            &instance,
            &["services.web.deploy.replicas".into()],
            &mut faults,
        );
        faults
            .into_vec()
            .into_iter()
            .map(|fault| fault.path)
            .collect()
    }

    #[test]
    fn only_what_is_allowed_may_differ_from_the_template() {
        assert!(refused(json!({"services": {"web": {"deploy": {"replicas": 5}}}})).is_empty());
        assert!(refused(json!({"deletion": "retain", "suspend": true})).is_empty());
        assert!(refused(json!({"services": {"worker": {}}})).is_empty());
        assert_eq!(
            refused(
                json!({"services": {"web": {"deploy": {"sleep": null}}}, "deletion": "delete"})
            ),
            ["spec.deletion", "spec.services.web.deploy.sleep"]
        );
        assert_eq!(
            refused(json!({"services": {"web": null}})),
            ["spec.services.web"]
        );
    }
}

//! What an import does, decided before anything is sent. Pure.

use std::collections::{BTreeMap, BTreeSet};

use mirage_specs::{Variable, variable::ValueRef};
use serde_json::{Value, json};

/// Parts of names whose values are nobody's business.
const SECRET_WORDS: [&str; 11] = [
    "SECRET",
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PRIVATE",
    "CREDENTIAL",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "DSN",
];

/// What a person said about which values are secret.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// The Secret that takes them.
    pub(super) secret: Option<String>,
    /// All values go there, but references.
    pub(super) all: bool,
    /// These are secret whatever they look like.
    pub(super) secret_names: BTreeSet<String>,
    /// These are not.
    pub(super) plain_names: BTreeSet<String>,
}

/// One variable of the file and where it goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is as the file says.
    Same,
    /// Into the spec as it is.
    Plain { is_new: bool },
    /// Into the Secret under this key, and a reference into the spec.
    Secret { key: String, is_new: bool },
}

/// What an import does.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) steps: BTreeMap<String, Step>,
    /// For `spec.variables`, or a service's, as a JSON merge patch.
    pub(super) variables: Value,
    /// For the Secret's `stringData`.
    pub(super) secret: BTreeMap<String, String>,
}

/// Names that look secret and were not said to be plain, when there is no Secret for them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Undecided(pub(super) Vec<String>);

/// Decides where each variable goes. `existing` is what the Environment declares now.
pub(super) fn import(
    file: &BTreeMap<String, String>,
    existing: &BTreeMap<String, Option<Variable>>,
    service: Option<&str>,
    wishes: &Wishes,
) -> Result<Import, Undecided> {
    let is_secret = |name: &str, value: &str| {
        if wishes.plain_names.contains(name) || is_reference(value) {
            return false;
        }
        wishes.all || wishes.secret_names.contains(name) || looks_secret(name, value)
    };
    let undecided: Vec<String> = file
        .iter()
        .filter(|(name, value)| wishes.secret.is_none() && is_secret(name, value))
        .map(|(name, _)| name.clone())
        .collect();
    if !undecided.is_empty() {
        return Err(Undecided(undecided));
    }
    let mut import = Import {
        steps: BTreeMap::new(),
        variables: json!({}),
        secret: BTreeMap::new(),
    };
    for (name, value) in file {
        let before = existing.get(name).and_then(Option::as_ref);
        let is_new = before.is_none();
        let step = match &wishes.secret {
            Some(secret) if is_secret(name, value) => {
                let key = key(service, name);
                let reference = ValueRef::secret(secret, &key);
                let after = Variable::SecretRef(reference);
                if before != Some(&after) {
                    import.variables[name] = replaced(before, &after);
                }
                import.secret.insert(key.clone(), value.clone());
                Step::Secret { key, is_new }
            }
            _ if before == Some(&Variable::Plain(value.clone())) => Step::Same,
            _ => {
                import.variables[name] = json!(value);
                Step::Plain { is_new }
            }
        };
        import.steps.insert(name.clone(), step);
    }
    Ok(import)
}

/// A merge patch leaves what it does not name: what the earlier form had is taken out by name.
fn replaced(before: Option<&Variable>, after: &Variable) -> Value {
    let before = before.map(|it| json!(it)).unwrap_or_default();
    let mut patch = json!(after);
    take_out(&before, &mut patch);
    patch
}

fn take_out(before: &Value, patch: &mut Value) {
    let Some(fields) = before.as_object() else {
        return;
    };
    for (name, value) in fields {
        match &mut patch[name] {
            Value::Null => patch[name] = Value::Null,
            inner @ Value::Object(_) => take_out(value, inner),
            _ => {}
        }
    }
}

/// `web.API_KEY`: services may have variables of one name with different values. Keys of Secrets take no blanks.
fn key(service: Option<&str>, name: &str) -> String {
    match service {
        Some(service) => format!("{}.{name}", service.replace(' ', "-")),
        None => name.to_owned(),
    }
}

/// A Railway reference says where a value is and not what it is.
fn is_reference(value: &str) -> bool {
    value.contains("${{")
}

fn looks_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_uppercase();
    if value.is_empty() {
        return false;
    }
    let has_password = value
        .split_once("://")
        .and_then(|(_, rest)| rest.split(['/', '?']).next()?.rsplit_once('@'))
        .is_some_and(|(user, _)| {
            user.split_once(':')
                .is_some_and(|(_, word)| !word.is_empty())
        });
    SECRET_WORDS.iter().any(|word| name.contains(word))
        || name.ends_with("_KEY")
        || value.contains("-----BEGIN")
        || has_password
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        entries.iter().map(owned).collect()
    }

    #[test]
    fn what_looks_secret_is_not_written_into_a_spec_unasked() {
        let file = file(&[
            ("LOG_LEVEL", "info"),
            ("STRIPE_API_KEY", "sk_live"),
            ("DB", "postgres://app:hunter2@db:5432/app"),
            ("OTHER_DB", "postgres://db:5432/app"),
            ("DB_PASSWORD", "${{postgres.PGPASSWORD}}"),
            ("EMPTY_TOKEN", ""),
        ]);
        let none = BTreeMap::new();
        let refused = import(&file, &none, None, &Wishes::default()).unwrap_err();
        assert_eq!(refused.0, ["DB", "STRIPE_API_KEY"]);

        let wishes = Wishes {
            secret: Some("shop".to_owned()),
            plain_names: ["DB".to_owned()].into(),
            ..Wishes::default()
        };
        let import = import(&file, &none, Some("web app"), &wishes).unwrap();
        let key = "web-app.STRIPE_API_KEY".to_owned();
        assert_eq!(import.secret, [(key.clone(), "sk_live".to_owned())].into());
        assert_eq!(
            import.variables["STRIPE_API_KEY"],
            json!({"secretRef": {"name": "shop", "key": key}})
        );
        assert_eq!(import.variables["DB_PASSWORD"], "${{postgres.PGPASSWORD}}");
        assert!(!format!("{:?}", import.variables).contains("sk_live"));
    }

    #[test]
    fn an_earlier_form_leaves_nothing_behind() {
        let store = ValueRef {
            store: Some("vault".to_owned()),
            version: Some(2),
            ..ValueRef::secret("a/b", "k")
        };
        let length = 32;
        let generated = Variable::Generate(mirage_specs::variable::Generate { length });
        let existing = BTreeMap::from([
            ("A".to_owned(), Some(Variable::SecretRef(store))),
            ("B".to_owned(), Some(generated)),
            ("C".to_owned(), Some(Variable::Plain("same".to_owned()))),
            ("D".to_owned(), Some(Variable::Preserve)),
        ]);
        let file = file(&[("A", "1"), ("B", "2"), ("C", "same"), ("D", "4")]);
        let wishes = Wishes {
            secret: Some("s".to_owned()),
            secret_names: ["A".to_owned(), "B".to_owned()].into(),
            ..Wishes::default()
        };
        let import = import(&file, &existing, None, &wishes).unwrap();
        assert_eq!(
            import.variables,
            json!({
                "A": {"secretRef": {"name": "s", "key": "A", "store": null, "version": null}},
                "B": {"secretRef": {"name": "s", "key": "B"}, "generate": null},
                "D": "4",
            })
        );
        assert_eq!(import.steps["C"], Step::Same);
    }
}

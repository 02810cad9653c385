//! Which Environments take values from which Secrets, so that a Secret that changes wakes those that use it. What is
//! remembered are names, templates' included, as the last visit of each found them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use kube::runtime::reflector::ObjectRef;
use mirage_specs::{Environment, EnvironmentSpec, SecretStore};

use super::resolve::secret_refs;

/// What one Environment refers to, in its own namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names {
    secrets: BTreeSet<String>,
    stores: BTreeSet<String>,
}

/// What each Environment refers to.
#[derive(Debug, Default)]
pub struct References {
    of: Mutex<HashMap<ObjectRef<Environment>, Names>>,
    /// Secrets by which stores are opened.
    credentials: Mutex<HashMap<ObjectRef<SecretStore>, BTreeSet<String>>>,
}

impl References {
    /// Notes what an Environment refers to now.
    pub fn note(&self, environment: &Environment, spec: &EnvironmentSpec) {
        let mut names = Names::default();
        for reference in secret_refs(spec) {
            match reference.store {
                Some(store) => names.stores.insert(store),
                None => names.secrets.insert(reference.name),
            };
        }
        let key = ObjectRef::from_obj(environment);
        // Names are whole whatever happened to the thread that had them last.
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if names == Names::default() {
            of.remove(&key);
        } else {
            of.insert(key, names);
        }
    }

    /// Notes by which Secrets a store is opened, and gives the Environments that use it.
    pub fn of_store(&self, store: &SecretStore) -> Vec<ObjectRef<Environment>> {
        let key = ObjectRef::from_obj(store);
        let auth = &store.spec.vault.auth;
        let role = auth.app_role.as_ref();
        let names = auth.token_secret_ref.iter();
        let names = names.chain(role.map(|role| &role.secret_id_secret_ref));
        let names = names.map(|secret| secret.name.clone()).collect();
        let users = self.users(key.namespace.as_deref(), |it| it.stores.contains(&key.name));
        let mut credentials = self
            .credentials
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        credentials.insert(key, names);
        users
    }

    /// The Environments that use a Secret, themselves or through a store.
    pub fn of_secret(&self, namespace: Option<&str>, name: &str) -> Vec<ObjectRef<Environment>> {
        let stores: BTreeSet<String> = {
            let credentials = self
                .credentials
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let of_secret = credentials
                .iter()
                .filter(|(store, names)| {
                    store.namespace.as_deref() == namespace && names.contains(name)
                })
                .map(|(store, _)| store.name.clone());
            of_secret.collect()
        };
        self.users(namespace, |it| {
            it.secrets.contains(name) || !it.stores.is_disjoint(&stores)
        })
    }

    fn users(
        &self,
        namespace: Option<&str>,
        uses: impl Fn(&Names) -> bool,
    ) -> Vec<ObjectRef<Environment>> {
        let of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let mut users: Vec<_> = of
            .iter()
            .filter(|(key, names)| key.namespace.as_deref() == namespace && uses(names))
            .map(|(key, _)| key.clone())
            .collect();
        // In one order, so that a history replays.
        users.sort_by(|a, b| a.name.cmp(&b.name));
        users
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn environment(namespace: &str, name: &str, variables: Value) -> Environment {
        serde_json::from_value(json!({
            "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment",
            "metadata": {"namespace": namespace, "name": name},
            "spec": {"variables": variables},
        }))
        .unwrap()
    }

    fn names(users: Vec<ObjectRef<Environment>>) -> Vec<String> {
        users.into_iter().map(|it| it.name).collect()
    }

    #[test]
    fn a_secret_wakes_who_uses_it_itself_or_through_a_store() {
        let references = References::default();
        let direct = json!({"A": {"secretRef": {"name": "keys", "key": "a"}}});
        let stored = json!({"A": {"secretRef": {"store": "vault", "name": "keys", "key": "a"}}});
        for environment in [
            environment("default", "direct", direct.clone()),
            environment("default", "stored", stored),
            environment("default", "plain", json!({"A": "keys"})),
            environment("other", "elsewhere", direct),
        ] {
            references.note(&environment, &environment.spec);
        }
        let here = Some("default");
        assert_eq!(names(references.of_secret(here, "keys")), ["direct"]);
        let store: SecretStore = serde_json::from_value(json!({
            "apiVersion": "mirage.dev/v1alpha1", "kind": "SecretStore",
            "metadata": {"namespace": "default", "name": "vault"},
            "spec": {"vault": {"address": "https://v", "auth": {"tokenSecretRef": {"name": "t", "key": "k"}}}},
        }))
        .unwrap();
        assert_eq!(names(references.of_store(&store)), ["stored"]);
        assert_eq!(names(references.of_secret(here, "t")), ["stored"]);
        references.note(
            &environment("default", "direct", json!({})),
            &EnvironmentSpec::default(),
        );
        assert_eq!(
            names(references.of_secret(here, "keys")),
            Vec::<String>::new()
        );
    }
}

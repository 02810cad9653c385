//! Where the values of variables come from: Secrets of the namespace, and the stores that SecretStores there name. Reads
//! only, and keeps nothing beyond the visit.

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use mirage_railway::secret::SecretValue;
use mirage_specs::{
    EnvironmentSpec, SecretStore,
    secret_store::{self, VaultAuth},
    variable::{SecretKeyRef, ValueRef},
};
use mirage_vault::{Auth, Connection, Place, Vault};
use secrecy::ExposeSecret as _;
use url::Url;

use super::{
    inputs::InputsError,
    resolve::{Inputs, Unread, secret_refs},
};

/// Paths of one store that are read at the same time.
const AT_ONCE: usize = 4;

/// The values of everything that a layered spec refers to. What is not there is left out, and `resolve` says which field
/// misses it; what could not be read is there with the reason.
///
/// # Errors
/// When the API server did not answer.
pub async fn values(
    client: &Client,
    vault: &dyn Vault,
    namespace: &str,
    spec: &EnvironmentSpec,
) -> Result<Inputs, InputsError> {
    let mut secrets = Secrets::new(client, namespace);
    let mut inputs = Inputs::default();
    let mut of_stores: BTreeMap<String, Vec<ValueRef>> = BTreeMap::new();
    for reference in secret_refs(spec) {
        match &reference.store {
            Some(store) => of_stores.entry(store.clone()).or_default().push(reference),
            None => {
                if let Some((value, version)) =
                    secrets.value(&reference.name, &reference.key).await?
                {
                    inputs.versions.insert(reference.clone(), version);
                    inputs.secrets.insert(reference, value);
                }
            }
        }
    }
    for (store, references) in of_stores {
        match connection(client, namespace, &store, &mut secrets).await? {
            Ok((connection, mount)) => {
                read_all(vault, &connection, &mount, references, &mut inputs).await;
            }
            Err(unread) => {
                let refused = references.into_iter().map(|it| (it, unread.clone()));
                inputs.unread.extend(refused);
            }
        }
    }
    Ok(inputs)
}

/// Secrets of a namespace, each read once.
struct Secrets {
    api: Api<Secret>,
    read: BTreeMap<String, Option<Secret>>,
}

impl Secrets {
    fn new(client: &Client, namespace: &str) -> Self {
        Self {
            api: Api::namespaced(client.clone(), namespace),
            read: BTreeMap::new(),
        }
    }

    /// A value and the version of the Secret that it is in; nothing when there is no such text.
    async fn value(
        &mut self,
        name: &str,
        key: &str,
    ) -> Result<Option<(SecretValue, String)>, InputsError> {
        if !self.read.contains_key(name) {
            let secret = self
                .api
                .get_opt(name)
                .await
                .map_err(|source| InputsError::Api {
                    what: "a Secret",
                    source,
                })?;
            self.read.insert(name.to_owned(), secret);
        }
        let Some(secret) = self.read.get(name).and_then(Option::as_ref) else {
            return Ok(None);
        };
        let bytes = secret.data.as_ref().and_then(|data| data.get(key));
        let text = bytes.and_then(|bytes| String::from_utf8(bytes.0.clone()).ok());
        let version = secret.metadata.resource_version.clone();
        Ok(text.map(|text| (SecretValue::new(text), version.unwrap_or_default())))
    }
}

/// The way into a store, and the path of its engine; or why there is none.
async fn connection(
    client: &Client,
    namespace: &str,
    name: &str,
    secrets: &mut Secrets,
) -> Result<Result<(Connection, String), Unread>, InputsError> {
    let api: Api<SecretStore> = Api::namespaced(client.clone(), namespace);
    let found = api.get_opt(name).await.map_err(|source| InputsError::Api {
        what: "a SecretStore",
        source,
    })?;
    let Some(store) = found else {
        let why = format!("there is no SecretStore {name:?} in this namespace");
        return Ok(Err(Unread::needs_somebody(why)));
    };
    let spec = store.spec.vault;
    let auth = match auth(name, &spec.auth, secrets).await? {
        Ok(auth) => auth,
        Err(unread) => return Ok(Err(unread)),
    };
    let address = match Url::parse(&spec.address) {
        Ok(address) => address,
        Err(error) => {
            let why = format!("SecretStore {name:?}: spec.vault.address: {error}");
            return Ok(Err(Unread::needs_somebody(why)));
        }
    };
    let mount = spec.mount().to_owned();
    let secret_store::Vault {
        namespace,
        ca_bundle,
        ..
    } = spec;
    let connection = Connection {
        address,
        namespace,
        ca_bundle,
        auth,
    };
    Ok(Ok((connection, mount)))
}

async fn auth(
    store: &str,
    auth: &VaultAuth,
    secrets: &mut Secrets,
) -> Result<Result<Auth, Unread>, InputsError> {
    let (field, reference) = match (&auth.token_secret_ref, &auth.app_role) {
        (Some(reference), _) => ("tokenSecretRef", reference),
        (None, Some(role)) => ("appRole.secretIdSecretRef", &role.secret_id_secret_ref),
        (None, None) => {
            let why = format!("SecretStore {store:?}: spec.vault.auth names no way to log in");
            return Ok(Err(Unread::needs_somebody(why)));
        }
    };
    let SecretKeyRef { name, key } = reference;
    let Some((value, _)) = secrets.value(name, key).await? else {
        let why = format!(
            "SecretStore {store:?}: spec.vault.auth.{field}: there is no key {key:?} in a Secret {name:?} of this namespace"
        );
        return Ok(Err(Unread::needs_somebody(why)));
    };
    // Files end in a newline, and no token of Vault's does.
    let credential = value.expose().trim().to_owned().into();
    Ok(Ok(match &auth.app_role {
        Some(role) if auth.token_secret_ref.is_none() => Auth::AppRole {
            mount: role.mount().to_owned(),
            role_id: role.role_id.clone(),
            secret_id: credential,
        },
        _ => Auth::Token(credential),
    }))
}

/// Reads each path and version once, however many fields are wanted of it.
async fn read_all(
    vault: &dyn Vault,
    connection: &Connection,
    mount: &str,
    references: Vec<ValueRef>,
    inputs: &mut Inputs,
) {
    let mut places: BTreeMap<Place, Vec<ValueRef>> = BTreeMap::new();
    for reference in references {
        let place = Place {
            mount: mount.to_owned(),
            path: reference.name.clone(),
            version: reference.version,
        };
        places.entry(place).or_default().push(reference);
    }
    let mut answers = stream::iter(places)
        .map(|(place, references)| async move {
            let answer = vault.read(connection, &place).await;
            (place, references, answer)
        })
        .buffer_unordered(AT_ONCE);
    while let Some((place, references, answer)) = answers.next().await {
        for reference in references {
            let field = match &answer {
                Ok(secret) => secret.fields.get(&reference.key).ok_or_else(|| {
                    let why = format!("{place} in Vault has no field {:?}", reference.key);
                    Unread::needs_somebody(why)
                }),
                Err(error) => Err(Unread {
                    why: error.to_string(),
                    is_transient: error.is_transient(),
                }),
            };
            match (field, &answer) {
                (Ok(value), Ok(secret)) => {
                    let version = secret.version.to_string();
                    inputs.versions.insert(reference.clone(), version);
                    let value = SecretValue::new(value.expose_secret());
                    inputs.secrets.insert(reference, value);
                }
                (Err(unread), _) => {
                    inputs.unread.insert(reference, unread);
                }
                (Ok(_), Err(_)) => {}
            }
        }
    }
}

//! Reading the Secrets that a GitSync names. Reads only.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use mirage_railway::secret::SecretValue;
use mirage_specs::GitSync;

use super::resolve::Inputs;

/// The Secrets of a spec; one that is not there is left out, and `resolve` says which field misses it.
///
/// # Errors
/// When the API server does not answer.
pub(super) async fn read(
    client: &Client,
    namespace: &str,
    sync: &GitSync,
) -> Result<Inputs, kube::Error> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let credentials = sync.spec.secret_ref.as_ref();
    let variables = sync
        .spec
        .variables
        .as_ref()
        .and_then(|variables| variables.secret_ref.as_ref());
    Ok(Inputs {
        credentials: match credentials {
            Some(reference) => data(&api, &reference.name).await?,
            None => None,
        },
        variables: match variables {
            Some(reference) => data(&api, &reference.name).await?,
            None => None,
        },
    })
}

async fn data(
    api: &Api<Secret>,
    name: &str,
) -> Result<Option<BTreeMap<String, SecretValue>>, kube::Error> {
    let Some(secret) = api.get_opt(name).await? else {
        return Ok(None);
    };
    let data = secret.data.unwrap_or_default().into_iter();
    // What is no text is neither a credential nor a value.
    Ok(Some(
        data.filter_map(|(key, bytes)| {
            Some((key, SecretValue::new(String::from_utf8(bytes.0).ok()?)))
        })
        .collect(),
    ))
}

//! Reading what a policy refers to: its credential for GitHub, and what its environments are made from. Reads only.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{Api, Client};
use mirage_github::{Access, AppId, Credential, InstallationId};
use mirage_specs::{
    Environment, EnvironmentTemplate, PreviewPolicySpec, merge,
    preview_policy::{APP_ID_KEY, GITHUB_API, INSTALLATION_ID_KEY, PRIVATE_KEY_KEY, TOKEN_KEY},
    templates,
};
use url::Url;

use super::{refusal::Refusal, shape::Shape};
use crate::{environment::inputs::InputsError, reason::Reason};

/// Why an input could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The API server did not answer; the visit is repeated.
    #[error("the API server could not be reached")]
    Api(#[from] kube::Error),
    /// Something is not there or makes no sense; the policy says so.
    #[error("{0}")]
    Refused(Refusal),
}

impl Unusable {
    /// The same, about this field.
    fn at(self, field: &str) -> Self {
        match self {
            Self::Refused(Refusal { reason, message }) => {
                Self::Refused(Refusal::new(reason, format!("{field}: {message}")))
            }
            api @ Self::Api(_) => api,
        }
    }
}

impl From<Refusal> for Unusable {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The credential for GitHub.
///
/// # Errors
/// When the Secret or a key of it is not there or makes no sense. Says which, and nothing of what it holds.
pub async fn access(
    client: &Client,
    namespace: &str,
    policy: &PreviewPolicySpec,
) -> Result<Access, Unusable> {
    let text = policy.api_url.as_deref().unwrap_or(GITHUB_API);
    let api_url = Url::parse(text).map_err(|error| {
        Refusal::new(
            Reason::InvalidSpec,
            format!("spec.apiUrl: {text:?} is no address: {error}"),
        )
    })?;
    let credential = secret(client, namespace, &policy.github_secret_ref.name)
        .await
        .map_err(|error| error.at("spec.githubSecretRef"))?;
    Ok(Access {
        api_url,
        credential,
    })
}

/// The credential for GitHub that a Secret holds.
///
/// # Errors
/// When the Secret or a key of it is not there or makes no sense. Says which, and nothing of what it holds.
pub async fn secret(client: &Client, namespace: &str, name: &str) -> Result<Credential, Unusable> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let Some(secret) = api.get_opt(name).await? else {
        return Err(missing_secret(
            format!("there is no Secret {name:?} in this namespace"),
            name,
        )
        .into());
    };
    Ok(credential(name, &secret.data.unwrap_or_default())?)
}

/// What the keys of a Secret come to. Pure.
fn credential(name: &str, data: &BTreeMap<String, ByteString>) -> Result<Credential, Refusal> {
    let text = |key: &str| {
        data.get(key)
            .and_then(|bytes| std::str::from_utf8(&bytes.0).ok())
            .map(str::trim)
            .filter(|text| !text.is_empty())
    };
    let number = |key: &str| {
        text(key)
            .map(|text| {
                text.parse::<u64>().map_err(|_| {
                    missing_secret(
                        format!("key {key:?} of Secret {name:?} is not a number"),
                        name,
                    )
                })
            })
            .transpose()
    };
    if let Some(id) = number(APP_ID_KEY)? {
        let Some(key) = text(PRIVATE_KEY_KEY) else {
            return Err(missing_secret(
                format!("Secret {name:?} has {APP_ID_KEY:?} and no {PRIVATE_KEY_KEY:?}"),
                name,
            ));
        };
        return Ok(Credential::App {
            id: AppId::new(id),
            private_key: key.to_owned().into(),
            installation: number(INSTALLATION_ID_KEY)?.map(InstallationId::new),
        });
    }
    match text(TOKEN_KEY) {
        Some(token) => Ok(Credential::Token(token.to_owned().into())),
        None => Err(missing_secret(
            format!(
                "Secret {name:?} has neither {TOKEN_KEY:?} nor {APP_ID_KEY:?} and {PRIVATE_KEY_KEY:?}"
            ),
            name,
        )),
    }
}

fn missing_secret(what: String, name: &str) -> Refusal {
    Refusal::new(
        Reason::WaitingForSecret,
        format!(
            "{what}; write one with `kubectl create secret generic {name} --from-literal={TOKEN_KEY}=…`"
        ),
    )
}

/// What the environments are made from.
///
/// # Errors
/// When it is not there, or does not come to an environment.
pub async fn shape(
    client: &Client,
    namespace: &str,
    policy: &PreviewPolicySpec,
) -> Result<Shape, Unusable> {
    if let Some(reference) = &policy.from.template {
        let api: Api<EnvironmentTemplate> = Api::namespaced(client.clone(), namespace);
        let own = api
            .get_opt(&reference.name)
            .await?
            .map(|template| template.spec);
        let spec = own
            .or_else(|| templates::shipped(&reference.name).map(|template| template.spec.clone()));
        return spec
            .map(|spec| Shape::Template(Box::new(spec)))
            .ok_or_else(|| {
                missing(format!(
                    "spec.from.template: there is no EnvironmentTemplate {:?} in this namespace and none of that name ships with Mirage",
                    reference.name
                ))
                .into()
            });
    }
    let name = policy.from.environment.clone().unwrap_or_default().name;
    let api: Api<Environment> = Api::namespaced(client.clone(), namespace);
    let Some(environment) = api.get_opt(&name).await? else {
        return Err(missing(format!(
            "spec.from.environment: there is no Environment {name:?} in this namespace"
        ))
        .into());
    };
    let template = match crate::environment::inputs::template(client, namespace, &environment).await
    {
        Ok(template) => template,
        Err(InputsError::Api { source, .. }) => return Err(source.into()),
        Err(InputsError::Resolve(error)) => {
            return Err(missing(format!("spec.from.environment: {name}: {error}")).into());
        }
    };
    let spec = merge::effective(template.as_ref(), &environment.spec).map_err(|error| {
        Refusal::new(
            Reason::InvalidSpec,
            format!("spec.from.environment: {name}: {error}"),
        )
    })?;
    Ok(Shape::Environment(Box::new(spec)))
}

fn missing(message: String) -> Refusal {
    Refusal::new(Reason::WaitingForTemplate, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &[(&str, &str)]) -> Result<Credential, Refusal> {
        let data = data
            .iter()
            .map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())))
            .collect();
        credential("github", &data)
    }

    #[test]
    fn a_secret_holds_a_token_or_an_app() {
        assert!(matches!(
            read(&[("token", " t \n")]),
            Ok(Credential::Token(_))
        ));
        let app = read(&[
            ("appId", "7"),
            ("privateKey", "PEM"),
            ("installationId", "9"),
        ]);
        let Ok(Credential::App {
            id, installation, ..
        }) = app
        else {
            panic!("not an app");
        };
        assert_eq!(
            (id.get(), installation.map(InstallationId::get)),
            (7, Some(9))
        );
    }

    #[test]
    fn what_is_missing_is_named_and_what_is_there_is_not_told() {
        for (data, hint) in [
            (&[][..], "neither \"token\""),
            (&[("token", " ")], "neither \"token\""),
            (&[("appId", "7")], "no \"privateKey\""),
            (
                &[("appId", "canary-55"), ("privateKey", "canary-55")],
                "\"appId\" of Secret",
            ),
        ] {
            let error = read(data).unwrap_err().to_string();
            assert!(error.contains(hint) && !error.contains("canary"), "{error}");
        }
    }
}

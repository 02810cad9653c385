//! Reading what an Environment refers to: its template and its credential; values are read in `sources`. Reads only.

use kube::{Api, Client};
use mirage_specs::{
    Environment, EnvironmentTemplate, EnvironmentTemplateSpec, RailwayAccount, templates,
};

use crate::accounts::DEFAULT;

use super::{follow::Revision, resolve::ResolveError};

/// Why the inputs could not be had.
#[derive(Debug, thiserror::Error)]
pub enum InputsError {
    /// The API server did not answer.
    #[error("the API server could not be asked for {what}")]
    Api {
        /// What was asked for.
        what: &'static str,
        /// Its words.
        #[source]
        source: kube::Error,
    },
    /// Something referred to is not there or does not fit.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
}

/// The template an Environment refers to: one of its namespace, or one that ships with Mirage.
///
/// # Errors
/// When there is none of that name.
pub async fn template(
    client: &Client,
    namespace: &str,
    environment: &Environment,
) -> Result<Option<EnvironmentTemplateSpec>, InputsError> {
    let revision = revision(client, namespace, environment).await?;
    Ok(revision.map(|revision| revision.spec))
}

/// As [`template`], with which revision it is.
///
/// # Errors
/// When there is none of that name.
pub async fn revision(
    client: &Client,
    namespace: &str,
    environment: &Environment,
) -> Result<Option<Revision>, InputsError> {
    let Some(reference) = &environment.spec.template_ref else {
        return Ok(None);
    };
    let api: Api<EnvironmentTemplate> = Api::namespaced(client.clone(), namespace);
    let own = api
        .get_opt(&reference.name)
        .await
        .map_err(|source| InputsError::Api {
            what: "the template",
            source,
        })?;
    let name = &reference.name;
    let own = own.map(|template| Revision::new(name, template.metadata.generation, template.spec));
    let shipped = || {
        let template = templates::shipped(name)?;
        Some(Revision::new(name, None, template.spec.clone()))
    };
    own.or_else(shipped)
        .map(Some)
        .ok_or_else(|| ResolveError::TemplateMissing { name: name.clone() }.into())
}

/// The credential's object: the namespace's own, or the one that the process brings for all.
///
/// # Errors
/// When the API server did not answer.
pub async fn account(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<RailwayAccount>, InputsError> {
    let unread = |source| InputsError::Api {
        what: "the RailwayAccount",
        source,
    };
    let own: Api<RailwayAccount> = Api::namespaced(client.clone(), namespace);
    let found = own.get_opt(name).await.map_err(unread)?;
    if found.is_some() || name != DEFAULT.1 {
        return Ok(found);
    }
    let shared: Api<RailwayAccount> = Api::namespaced(client.clone(), DEFAULT.0);
    shared.get_opt(DEFAULT.1).await.map_err(unread)
}

//! Making and deleting environments, and their shared variables.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    budget::Creation,
    client::Client,
    error::Error,
    id::{EnvironmentId, ProjectId},
    operations::{
        EnvironmentCreate, EnvironmentDelete, StagedChanges, VariablesUpsert, environment_create,
        environment_delete, staged_changes, variables_upsert,
    },
    secret::SecretValue,
};

/// An environment to make.
#[derive(Clone, Debug)]
pub struct NewEnvironment {
    /// Where.
    pub project: ProjectId,
    /// Its name, unique in the project.
    pub name: String,
    /// Copy this one: services, settings, variables, empty volumes. The copy is a fork.
    pub source: Option<EnvironmentId>,
    /// Marked like the environment of a pull request. Railway deletes nothing because of it.
    pub ephemeral: bool,
    /// Whose place in the queue of creations it is: the Mirage environment's uid.
    pub key: String,
}

impl Client {
    /// Makes an environment. A copy is filled in the background, without deployments: what comes next starts them.
    ///
    /// Not safe to repeat: after [`Error::Ambiguous`] look for the name, for minutes.
    ///
    /// # Errors
    /// [`Error::RateLimited`] at once, without a request, while others are before it in the queue of creations;
    /// [`Error::Conflict`] when the name is taken, be it by an environment that is still being deleted.
    pub async fn create_environment(
        &self,
        environment: NewEnvironment,
    ) -> Result<EnvironmentId, Error> {
        let is_copy = environment.source.is_some();
        let variables = environment_create::Variables {
            input: environment_create::EnvironmentCreateInput {
                name: environment.name,
                project_id: environment.project.to_string(),
                // Left out, never "": Railway would look for an environment of that id (observed).
                source_environment_id: environment.source.map(|id| id.to_string()),
                ephemeral: environment.ephemeral.then_some(true),
                skip_initial_deploys: is_copy.then_some(true),
                apply_changes_in_background: is_copy.then_some(true),
            },
        };
        let call = self.call::<EnvironmentCreate>(variables);
        let made = self
            .create(
                Creation::Environment,
                &environment.key,
                "EnvironmentCreate",
                call,
            )
            .await?;
        Ok(EnvironmentId::new(made.environment_create.id))
    }

    /// Starts the deletion of an environment. Railway works on after the answer, and the name stays taken meanwhile.
    ///
    /// # Errors
    /// For one that is already gone Railway answers not found, not authorized or nothing understandable: only a later read
    /// tells.
    pub async fn delete_environment(&self, id: &EnvironmentId) -> Result<(), Error> {
        self.deleting().insert(id.clone());
        let variables = environment_delete::Variables { id: id.to_string() };
        self.call::<EnvironmentDelete>(variables).await.map(|_| ())
    }

    /// Sets shared variables, without deploying anything: others stay as they are.
    ///
    /// # Errors
    /// Any class of a mutation. Setting the same values again is harmless.
    pub async fn set_shared_variables(
        &self,
        project: &ProjectId,
        environment: &EnvironmentId,
        variables: &BTreeMap<String, SecretValue>,
    ) -> Result<(), Error> {
        let secrets: Vec<_> = variables.values().cloned().collect();
        let values = variables
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.expose())))
            .collect();
        let variables = variables_upsert::Variables {
            input: variables_upsert::VariableCollectionUpsertInput {
                environment_id: environment.to_string(),
                project_id: project.to_string(),
                service_id: None,
                skip_deploys: Some(true),
                variables: Value::Object(values),
            },
        };
        self.call_hiding::<VariablesUpsert>(variables, &secrets)
            .await
            .map(|_| ())
    }

    /// Whether an environment can still be read, asked by its id alone. Lists leave out what is being deleted, and in an outage
    /// they leave out everything; only this tells that something is gone.
    ///
    /// # Errors
    /// When it cannot be told.
    pub async fn is_environment_there(&self, environment: &EnvironmentId) -> Result<bool, Error> {
        match self.staged_changes(environment).await {
            Ok(_) => Ok(true),
            // For a deleted one Railway answers either (observed).
            Err(Error::NotFound(_) | Error::Unauthorized(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// How many of somebody's changes are staged and not committed.
    ///
    /// # Errors
    /// Any class of a query.
    pub async fn staged_changes(&self, environment: &EnvironmentId) -> Result<u32, Error> {
        let variables = staged_changes::Variables {
            id: environment.to_string(),
        };
        let count = self
            .call::<StagedChanges>(variables)
            .await?
            .environment
            .unmerged_changes_count;
        Ok(count
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(0))
    }
}

//! What a person does in Railway's dashboard, behind everybody's back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One edit. Environments and services are given by id, or by name (an environment also as `project/environment`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "edit",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum DashboardEdit {
    /// Sets a variable; without a service a shared one.
    SetVariable {
        /// Where.
        environment: String,
        /// Whose.
        #[serde(default)]
        service: Option<String>,
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// Removes a variable.
    DeleteVariable {
        /// Where.
        environment: String,
        /// Whose.
        #[serde(default)]
        service: Option<String>,
        /// Its name.
        name: String,
    },
    /// Scales a service.
    SetReplicas {
        /// Where.
        environment: String,
        /// Which.
        service: String,
        /// To how many.
        replicas: u32,
    },
    /// Changes settings by a config patch that is committed at once.
    Patch {
        /// Where.
        environment: String,
        /// In the shape of `EnvironmentConfig`.
        patch: Value,
    },
    /// Leaves a draft behind.
    StageChange {
        /// Where.
        environment: String,
        /// In the shape of `EnvironmentConfig`.
        patch: Value,
    },
    /// The images of a service's deployments so far are gone, as after their retention.
    RemoveImages {
        /// Where.
        environment: String,
        /// Which.
        service: String,
    },
    /// Removes a service from an environment.
    DeleteService {
        /// Where.
        environment: String,
        /// Which.
        service: String,
    },
    /// Deletes an environment.
    DeleteEnvironment {
        /// Which.
        environment: String,
    },
    /// Renames an environment.
    RenameEnvironment {
        /// Which.
        environment: String,
        /// To what.
        name: String,
    },
    /// Renames a service.
    RenameService {
        /// Any environment that it is in.
        environment: String,
        /// Which.
        service: String,
        /// To what.
        name: String,
    },
    /// Makes an empty environment.
    CreateEnvironment {
        /// In which project, by id or name.
        project: String,
        /// Its name.
        name: String,
    },
    /// Duplicates an environment.
    DuplicateEnvironment {
        /// What is copied.
        environment: String,
        /// The copy's name.
        name: String,
    },
    /// Makes a project.
    CreateProject {
        /// Its name.
        name: String,
    },
    /// Deletes a project.
    DeleteProject {
        /// By id or name.
        project: String,
    },
    /// Makes a service from an image in one environment.
    CreateService {
        /// Where.
        environment: String,
        /// Its name.
        name: String,
        /// Its image.
        image: String,
    },
    /// Starts a deployment: a person, or Railway itself while moving hosts.
    Redeploy {
        /// Where.
        environment: String,
        /// Which.
        service: String,
    },
    /// A running deployment crashes.
    Crash {
        /// Where.
        environment: String,
        /// Which.
        service: String,
    },
    /// Takes down what runs.
    StopDeployment {
        /// Where.
        environment: String,
        /// Which.
        service: String,
    },
    /// Gives or takes the right to look into an environment.
    SetAccess {
        /// Which.
        environment: String,
        /// Whether its contents may be read.
        can_access: bool,
    },
    /// The hard usage limit is reached: everything stops, nothing deploys.
    ReachUsageLimit,
    /// The limit is raised: deployments are possible again.
    RaiseUsageLimit,
    /// A token is withdrawn.
    RevokeToken {
        /// The token itself.
        token: String,
    },
    /// A withdrawn token is valid again.
    RestoreToken {
        /// The token itself.
        token: String,
    },
}

/// An edit that could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// There is no such thing.
    #[error("there is no {kind} `{name}`")]
    Missing {
        /// Project, environment, service or token.
        kind: &'static str,
        /// What was given.
        name: String,
    },
    /// Railway would have refused it as well.
    #[error("the edit was refused: {0}")]
    Refused(String),
}

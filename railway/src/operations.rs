//! The GraphQL documents that we send, with types generated from them and `schema.graphql`. Private: the rest of the
//! crate speaks our own types, and so does everyone else.

#![allow(
    unreachable_pub,
    missing_docs,
    clippy::upper_case_acronyms,
    reason = "generated from the documents, in the documents' words"
)]

use graphql_client::GraphQLQuery;
use serde_json::Value;

pub(crate) mod by_alias;

/// RFC 3339, parsed where it is used so that one odd time does not make an answer unreadable.
type DateTime = String;
type DeploymentMeta = Value;
type EnvironmentConfig = Value;
type EnvironmentVariables = Value;
type JSON = Value;

/// Whether a call changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Query,
    Mutation,
}

/// What kind of operation a document holds.
pub(crate) fn kind_of(document: &str) -> Kind {
    let is_mutation = document
        .lines()
        .map(str::trim_start)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .is_some_and(|line| line.starts_with("mutation"));
    if is_mutation {
        Kind::Mutation
    } else {
        Kind::Query
    }
}

macro_rules! operations {
    ($($name:ident $path:tt)*) => {
        $(
            #[derive(GraphQLQuery)]
            #[graphql(
                schema_path = "schema.graphql",
                query_path = $path,
                response_derives = "Debug,Clone",
                variables_derives = "Default",
                skip_serializing_none
            )]
            pub(crate) struct $name;
        )*

        /// Every document with its file, for the tests that hold them against a schema.
        #[cfg(test)]
        pub(crate) const DOCUMENTS: &[(&str, &str)] =
            &[$(($path, include_str!(concat!("../", $path)))),*];
    };
}

operations! {
    ApiToken "operations/api_token.graphql"
    ApplyChangeSet "operations/apply_change_set.graphql"
    BrowseDeployments "operations/browse_deployments.graphql"
    BrowseInstances "operations/browse_instances.graphql"
    BuildLogs "operations/build_logs.graphql"
    ChangeSetProgress "operations/change_set_progress.graphql"
    CustomDomainCreate "operations/custom_domain_create.graphql"
    CustomDomainDelete "operations/custom_domain_delete.graphql"
    Deployment "operations/deployment.graphql"
    DeploymentCancel "operations/deployment_cancel.graphql"
    DeploymentLogs "operations/deployment_logs.graphql"
    DeploymentRedeploy "operations/deployment_redeploy.graphql"
    DeploymentRemove "operations/deployment_remove.graphql"
    DeploymentRestart "operations/deployment_restart.graphql"
    DeploymentRollback "operations/deployment_rollback.graphql"
    DeploymentStop "operations/deployment_stop.graphql"
    EnvironmentContents "operations/environment_contents.graphql"
    EnvironmentCreate "operations/environment_create.graphql"
    EnvironmentDelete "operations/environment_delete.graphql"
    InstanceDeploy "operations/instance_deploy.graphql"
    LatestPatches "operations/latest_patches.graphql"
    ObserveProjects "operations/observe_projects.graphql"
    PatchCommit "operations/patch_commit.graphql"
    PlatformStatus "operations/platform_status.graphql"
    ProjectCreate "operations/project_create.graphql"
    ProjectOutline "operations/project_outline.graphql"
    ProjectPage "operations/project_page.graphql"
    ProjectPresence "operations/project_presence.graphql"
    ProjectToken "operations/project_token.graphql"
    Projects "operations/projects.graphql"
    ServiceCreate "operations/service_create.graphql"
    ServiceDelete "operations/service_delete.graphql"
    ServiceDomainCreate "operations/service_domain_create.graphql"
    ServiceDomainDelete "operations/service_domain_delete.graphql"
    StagedChanges "operations/staged_changes.graphql"
    TcpProxies "operations/tcp_proxies.graphql"
    TcpProxyDelete "operations/tcp_proxy_delete.graphql"
    Variables "operations/variables.graphql"
    VariablesUpsert "operations/variables_upsert.graphql"
    VolumeCreate "operations/volume_create.graphql"
    VolumeDelete "operations/volume_delete.graphql"
    VolumeRename "operations/volume_rename.graphql"
    Workflow "operations/workflow.graphql"
    Workspace "operations/workspace.graphql"
}

#[cfg(test)]
mod tests;

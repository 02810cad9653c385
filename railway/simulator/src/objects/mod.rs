//! What each type of the schema answers, field by field.

mod account;
mod deployment;
mod environment;
mod instance;
pub(crate) mod page;
mod project;
mod volume;

use serde_json::Value;

use crate::engine::{Context, Entity, Resolved};
use crate::operations;
use crate::refusal::Refusal;

pub(crate) use deployment::{log_line, steps as deployment_steps};
pub(crate) use environment::triggers;
pub(crate) use instance::{all_domains, custom_domain, service_domain, tcp_proxy};
pub(crate) use project::environments as project_environments;

pub(crate) type Answer = Result<Resolved, Refusal>;
pub(crate) type Arguments = serde_json::Map<String, Value>;

/// The field of an entity.
pub(crate) fn field(
    context: &Context<'_>,
    entity: &Entity,
    name: &str,
    arguments: &Arguments,
) -> Answer {
    match entity {
        Entity::Query => operations::query(context, name, arguments),
        Entity::Mutation => operations::mutation(context, name, arguments),
        Entity::User => account::user(context, name),
        Entity::Workspace(id) => account::workspace(context, id, name, arguments),
        Entity::ProjectToken(token) => account::project_token(context, token, name),
        Entity::Project(id) => project::project(context, id, name, arguments),
        Entity::Service(id) => project::service(context, id, name),
        Entity::Bucket(id) => project::bucket(context, id, name),
        Entity::Environment(id) => environment::environment(context, id, name, arguments),
        Entity::Variable {
            environment: place,
            service,
            name: variable,
        } => environment::variable(context, place, service.as_deref(), variable, name),
        Entity::Patch {
            environment: place,
            patch,
        } => environment::patch(context, place, patch, name, arguments),
        Entity::Instance {
            environment,
            service,
        } => instance::instance(context, environment, service, name),
        Entity::Deployment(id) => deployment::deployment(context, id, name),
        Entity::Volume(id) => volume::volume(context, id, name),
        Entity::VolumeInstance {
            environment,
            volume: id,
        } => volume::instance(context, environment, id, name),
        Entity::Connection { nodes, info } => match name {
            "edges" => Ok(Resolved::List(
                nodes
                    .iter()
                    .map(|node| Entity::Edge(Box::new(node.clone())))
                    .collect(),
            )),
            "pageInfo" => Ok(Resolved::Entity(Entity::Record(info.clone()))),
            _ => unknown("connection", name),
        },
        Entity::Edge(node) => match name {
            "node" => Ok(Resolved::Entity((**node).clone())),
            "cursor" => Ok(page::cursor(node).into()),
            _ => unknown("edge", name),
        },
        Entity::Record(record) => Ok(Resolved::Value(record[name].clone())),
    }
}

/// A field that the schema has and no resolver knows.
pub(crate) fn unknown(kind: &str, name: &str) -> Answer {
    Err(Refusal::NotSimulated(format!("the field {kind}.{name}")))
}

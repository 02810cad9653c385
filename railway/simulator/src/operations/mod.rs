//! The root fields: one file per area, each a table of names.
//!
//! An area answers `None` for a name that is not its own; a name that nobody owns fails loudly.

mod account;
mod config;
mod deployment;
mod domain;
mod environment;
mod logs;
mod project;
mod service;
mod variable;
mod volume;

use serde_json::Value;

use crate::engine::Context;
use crate::objects::{Answer, Arguments};
use crate::refusal::Refusal;

/// What an area says to a name.
type Handled = Option<Answer>;

pub(crate) fn query(context: &Context<'_>, name: &str, arguments: &Arguments) -> Answer {
    account::query(context, name, arguments)
        .or_else(|| project::query(context, name, arguments))
        .or_else(|| environment::query(context, name, arguments))
        .or_else(|| config::query(context, name, arguments))
        .or_else(|| service::query(context, name, arguments))
        .or_else(|| deployment::query(context, name, arguments))
        .or_else(|| variable::query(context, name, arguments))
        .or_else(|| volume::query(context, name, arguments))
        .or_else(|| domain::query(context, name, arguments))
        .or_else(|| logs::query(context, name, arguments))
        .unwrap_or_else(|| Err(Refusal::NotSimulated(format!("the query {name}"))))
}

pub(crate) fn mutation(context: &Context<'_>, name: &str, arguments: &Arguments) -> Answer {
    context.world.borrow_mut().touch();
    project::mutation(context, name, arguments)
        .or_else(|| environment::mutation(context, name, arguments))
        .or_else(|| config::mutation(context, name, arguments))
        .or_else(|| service::mutation(context, name, arguments))
        .or_else(|| deployment::mutation(context, name, arguments))
        .or_else(|| variable::mutation(context, name, arguments))
        .or_else(|| volume::mutation(context, name, arguments))
        .or_else(|| domain::mutation(context, name, arguments))
        .or_else(|| account::mutation(context, name, arguments))
        .unwrap_or_else(|| Err(Refusal::NotSimulated(format!("the mutation {name}"))))
}

/// A string argument; the schema has already seen to it that required ones are there.
fn text<'a>(arguments: &'a Arguments, key: &str) -> &'a str {
    optional(arguments, key).unwrap_or_default()
}

fn optional<'a>(arguments: &'a Arguments, key: &str) -> Option<&'a str> {
    arguments.get(key).and_then(Value::as_str)
}

fn flag(arguments: &Arguments, key: &str) -> bool {
    arguments.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// The `input` argument.
fn input(arguments: &Arguments) -> Arguments {
    arguments
        .get("input")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

/// Deleting what is not there: Railway answers in more than one way.
fn absent(context: &Context<'_>, refusal: Refusal) -> Refusal {
    let world = context.world.borrow();
    match refusal {
        Refusal::NotFound(_) if world.has(crate::quirk::Quirk::DeleteAnswersNotAuthorized) => {
            Refusal::NotAuthorized
        }
        other => other,
    }
}

/// A root value that may be gone by the time it is read.
fn environment_of_project(
    context: &Context<'_>,
    project: &str,
    environment: &str,
) -> Result<(), Refusal> {
    let world = context.world.borrow();
    let found = world.environment(environment)?;
    if !project.is_empty() && found.project != project {
        return Err(Refusal::NotFound("Environment"));
    }
    context.grant.may_environment(&world, environment)
}

//! Logs of builds, deployments and whole environments.

use serde_json::{Value, json};

use super::deployment::permitted;
use super::{Handled, optional, text};
use crate::engine::Context;
use crate::objects::{Answer, Arguments, log_line};
use crate::quirk::Quirk;
use crate::state::{Deployment, LogLine};

/// What a query without `limit` returns, and the most that any does (schema).
const DEFAULT_LIMIT: usize = 100;
const LARGEST_LIMIT: usize = 5000;

pub(super) fn query(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    Some(match name {
        "deploymentLogs" => of_deployment(context, arguments, |deployment| &deployment.deploy_logs),
        "buildLogs" => of_deployment(context, arguments, |deployment| &deployment.build_logs),
        "environmentLogs" => of_environment(context, arguments),
        _ => return None,
    })
}

fn limited(context: &Context<'_>, arguments: &Arguments, key: &str, lines: Vec<Value>) -> Value {
    let asked = arguments
        .get(key)
        .and_then(Value::as_u64)
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(DEFAULT_LIMIT)
        .min(LARGEST_LIMIT);
    let extra = usize::from(context.world.borrow().has(Quirk::LogsLimitPlusOne));
    let skip = lines.len().saturating_sub(asked + extra);
    lines.into_iter().skip(skip).collect()
}

fn matches(filter: Option<&str>, line: &LogLine) -> bool {
    filter.is_none_or(|filter| filter.is_empty() || line.message.contains(filter.trim_matches('"')))
}

fn of_deployment(
    context: &Context<'_>,
    arguments: &Arguments,
    stream: impl Fn(&Deployment) -> &Vec<LogLine>,
) -> Answer {
    let deployment = permitted(context, text(arguments, "deploymentId"))?;
    let filter = optional(arguments, "filter");
    let date =
        |key: &str| optional(arguments, key).and_then(|date| date.parse::<jiff::Timestamp>().ok());
    let (from, to) = (date("startDate"), date("endDate"));
    let lines = {
        let world = context.world.borrow();
        stream(&deployment)
            .iter()
            .filter(|line| matches(filter, line))
            .filter(|line| from.is_none_or(|from| world.date(line.at) >= from))
            .filter(|line| to.is_none_or(|to| world.date(line.at) <= to))
            .map(|line| log_line(&world, &deployment, line))
            .collect()
    };
    Ok(limited(context, arguments, "limit", lines).into())
}

fn of_environment(context: &Context<'_>, arguments: &Arguments) -> Answer {
    let id = text(arguments, "environmentId");
    let filter = optional(arguments, "filter");
    let lines = {
        let world = context.world.borrow();
        context.grant.may_environment(&world, id)?;
        let environment = world.environment(id)?;
        let mut found: Vec<(&Deployment, &LogLine)> = environment
            .instances
            .values()
            .flat_map(|instance| &instance.deployments)
            .flat_map(|deployment| {
                deployment
                    .deploy_logs
                    .iter()
                    .map(move |line| (deployment, line))
            })
            .filter(|(_, line)| matches(filter, line))
            .collect();
        found.sort_by_key(|(deployment, line)| (line.at, deployment.id.clone()));
        found
            .into_iter()
            .map(|(deployment, line)| log_line(&world, deployment, line))
            .collect()
    };
    let lines = limited(context, arguments, "beforeLimit", lines);
    Ok(json!(lines).into())
}

//! Whether Mirage can work with this credential, check by check, each with what to do about it.

mod drift;

use std::fmt;

use serde::Serialize;

use crate::{
    budget::Priority,
    client::{Client, Identity},
    error::Error,
    id::WorkspaceId,
};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Mirage works, with a limit to know of.
    Warn,
    /// Mirage cannot work like this.
    Fail,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What was checked.
    pub name: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found.
    pub message: String,
    /// What the person can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
}

/// All checks, in the order in which they were made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The checks.
    pub checks: Vec<Check>,
}

impl Report {
    /// The worst of them.
    pub fn verdict(&self) -> Verdict {
        self.checks
            .iter()
            .map(|check| check.verdict)
            .max()
            .unwrap_or(Verdict::Ok)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            writeln!(
                f,
                "{:<4}  {:<10}  {}",
                check.verdict, check.name, check.message
            )?;
            if let Some(next_step) = &check.next_step {
                writeln!(f, "{:18}-> {next_step}", "")?;
            }
        }
        Ok(())
    }
}

/// Runs all checks. Changes nothing at Railway; takes about six requests.
pub async fn doctor(client: &Client) -> Report {
    let client = client.with_priority(Priority::User);
    let identity = client.identify().await;
    let mut checks = vec![token(&identity)];
    if let Ok(identity) = &identity {
        checks.push(rights(identity));
        for (id, _) in &identity.workspaces {
            checks.push(plan(&client, id).await);
        }
    }
    checks.push(limits(&client));
    checks.push(platform(&client).await);
    checks.push(schema(&client).await);
    Report { checks }
}

fn token(identity: &Result<Identity, Error>) -> Check {
    match identity {
        Ok(Identity {
            project: Some((project, environment)),
            ..
        }) => ok(
            "token",
            format!("a project token, for environment {environment} of project {project}"),
        ),
        Ok(Identity { workspaces, .. }) if workspaces.is_empty() => fail(
            "token",
            "Railway knows the token, but it sees no workspace".to_owned(),
            "Make a token in a workspace: https://railway.com/account/tokens",
        ),
        Ok(Identity { workspaces, .. }) => {
            let names: Vec<_> = workspaces.iter().map(|(_, name)| name.as_str()).collect();
            ok(
                "token",
                format!(
                    "an account or workspace token; it sees {}",
                    names.join(", ")
                ),
            )
        }
        Err(Error::Unauthorized(failure)) => fail(
            "token",
            failure.to_string(),
            "Make a new token: https://railway.com/account/tokens. An account or workspace token belongs in \
             RAILWAY_API_TOKEN, a project token in RAILWAY_TOKEN.",
        ),
        Err(error) => failed("token", error),
    }
}

fn rights(identity: &Identity) -> Check {
    if identity.project.is_some() {
        return warn(
            "rights",
            "a project token cannot create projects or environments".to_owned(),
            "Set RAILWAY_API_TOKEN to an account or workspace token.",
        );
    }
    match identity.workspaces.len() {
        1 => ok("rights", "may create projects in its workspace".to_owned()),
        count => warn(
            "rights",
            format!("sees {count} workspaces; new projects need to be told theirs"),
            "Name the workspace in the RailwayAccount, or use a workspace token.",
        ),
    }
}

async fn plan(client: &Client, id: &WorkspaceId) -> Check {
    match client.workspace(id).await {
        Ok(workspace) => {
            let left = workspace
                .rate_limit
                .map(|limit| format!("; {} requests left by its own count", limit.remaining))
                .unwrap_or_default();
            let message = format!("{} is on the {} plan{left}", workspace.name, workspace.plan);
            if workspace.plan.eq_ignore_ascii_case("free") {
                warn(
                    "plan",
                    message,
                    "100 requests an hour are few: watch only a handful of environments.",
                )
            } else {
                ok("plan", message)
            }
        }
        Err(error) => Check {
            verdict: Verdict::Warn,
            ..failed("plan", &error)
        },
    }
}

fn limits(client: &Client) -> Check {
    let budget = client.budget().snapshot();
    let message = format!(
        "{} of {} requests left in this hour",
        budget.left, budget.limit
    );
    match budget.paused_for {
        Some(pause) => warn(
            "limits",
            format!(
                "{message}; Railway asks for silence for {} s",
                pause.as_secs()
            ),
            "Wait, or see what else uses the credential.",
        ),
        None if budget.left * 10 < budget.limit => {
            warn("limits", message, "See what else uses the credential.")
        }
        None => ok("limits", message),
    }
}

async fn platform(client: &Client) -> Check {
    match client.platform_status().await {
        Ok(status) if status.is_stable => ok("platform", "Railway says that it is well".to_owned()),
        Ok(status) => warn(
            "platform",
            status
                .incident
                .unwrap_or_else(|| "Railway says that it is not well".to_owned()),
            "Follow https://status.railway.com; Mirage goes on trying.",
        ),
        Err(error) => Check {
            verdict: Verdict::Warn,
            ..failed("platform", &error)
        },
    }
}

async fn schema(client: &Client) -> Check {
    match drift::missing(client).await {
        Ok(missing) if missing.is_empty() => ok(
            "schema",
            "the live API has everything that Mirage uses".to_owned(),
        ),
        Ok(missing) => fail(
            "schema",
            format!("the live API lacks {}", missing.join(", ")),
            "Update Mirage; where only change sets are missing, it works without them.",
        ),
        Err(error) => Check {
            verdict: Verdict::Warn,
            ..failed("schema", &error)
        },
    }
}

fn ok(name: &'static str, message: String) -> Check {
    Check {
        name,
        verdict: Verdict::Ok,
        message,
        next_step: None,
    }
}

fn warn(name: &'static str, message: String, next_step: &str) -> Check {
    Check {
        name,
        verdict: Verdict::Warn,
        message,
        next_step: Some(next_step.to_owned()),
    }
}

fn fail(name: &'static str, message: String, next_step: &str) -> Check {
    Check {
        verdict: Verdict::Fail,
        ..warn(name, message, next_step)
    }
}

fn failed(name: &'static str, error: &Error) -> Check {
    fail(name, error.to_string(), error.next_step())
}

#[cfg(test)]
mod tests;

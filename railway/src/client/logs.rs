//! A deployment's logs.

use crate::{
    client::Client,
    error::Error,
    id::DeploymentId,
    operations::{BuildLogs, DeploymentLogs, build_logs, deployment_logs},
};

/// Railway's own upper bound (schema).
const MOST_LINES: u32 = 5_000;

/// Which logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    /// Of the build.
    Build,
    /// Of the running deployment.
    Deployment,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// RFC 3339 with nanoseconds, as Railway gives it.
    pub timestamp: String,
    /// The text.
    pub message: String,
    /// For example `error`.
    pub severity: Option<String>,
}

impl Client {
    /// The newest lines, at most `limit`.
    ///
    /// # Errors
    /// Any class of a query.
    pub async fn logs(
        &self,
        deployment: &DeploymentId,
        kind: LogKind,
        limit: u32,
    ) -> Result<Vec<LogLine>, Error> {
        let limit = limit.clamp(1, MOST_LINES);
        let mut lines: Vec<_> = match kind {
            LogKind::Build => {
                let variables = build_logs::Variables {
                    deployment_id: deployment.to_string(),
                    limit: i64::from(limit),
                    filter: None,
                };
                let logs = self.call::<BuildLogs>(variables).await?.build_logs;
                logs.into_iter()
                    .map(|line| LogLine {
                        timestamp: line.timestamp,
                        message: line.message,
                        severity: line.severity,
                    })
                    .collect()
            }
            LogKind::Deployment => {
                let variables = deployment_logs::Variables {
                    deployment_id: deployment.to_string(),
                    limit: i64::from(limit),
                    filter: None,
                };
                let logs = self
                    .call::<DeploymentLogs>(variables)
                    .await?
                    .deployment_logs;
                logs.into_iter()
                    .map(|line| LogLine {
                        timestamp: line.timestamp,
                        message: line.message,
                        severity: line.severity,
                    })
                    .collect()
            }
        };
        // Railway answers one row more than asked for (the official CLI corrects the same).
        let surplus = lines.len().saturating_sub(limit as usize);
        lines.drain(..surplus);
        Ok(lines)
    }
}

//! `mirage lineage`

use std::io::Write;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::{
    cli::{
        clone,
        connection::ConnectionArgs,
        failure::Failure,
        output::{self, Document},
    },
    exit::Exit,
};

/// Show what an environment was copied from, and what was copied from it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage lineage stage            its ancestors above it, its copies below
  mirage lineage stage -o json    with Mirage's and Railway's ids

An environment that was deleted is shown as long as a copy of it is there to remember it.")]
pub(crate) struct Lineage {
    /// NAME of an environment
    name: String,
    /// For programs
    #[arg(short, long, env = "MIRAGE_OUTPUT", value_name = "FORMAT")]
    output: Option<Document>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// The server's answer.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(flatten)]
    subject: Relative,
    ancestors: Vec<Relative>,
    descendants: Vec<Relative>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Relative {
    environment_id: String,
    #[serde(default)]
    railway_environment_id: Option<String>,
    namespace: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phase: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exists: Option<bool>,
}

impl Lineage {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.connection.open().await?;
        let id = clone::id(&connection, &self.name).await?;
        let request = http::Request::get(format!("/api/v1/environments/{id}/lineage"))
            .body(Vec::new())
            .map_err(|error| connection.failed(kube::Error::HttpError(error)))?;
        let answer: Answer = connection
            .client
            .request(request)
            .await
            .map_err(|error| connection.failed(error))?;
        match self.output {
            Some(format) => output::document(out, format, &answer)?,
            None => {
                for line in lines(&answer) {
                    writeln!(out, "{line}")?;
                }
            }
        }
        Ok(Exit::Success)
    }
}

/// The oldest ancestor first, each descendant under what it was made from.
fn lines(answer: &Answer) -> Vec<String> {
    let mut lines: Vec<String> = answer
        .ancestors
        .iter()
        .rev()
        .enumerate()
        .map(|(depth, ancestor)| told(ancestor, depth, ""))
        .collect();
    let depth = answer.ancestors.len();
    lines.push(told(&answer.subject, depth, "  ←"));
    below(
        answer,
        &answer.subject.environment_id,
        depth + 1,
        &mut lines,
    );
    lines
}

fn below(answer: &Answer, parent: &str, depth: usize, lines: &mut Vec<String>) {
    let children = answer
        .descendants
        .iter()
        .filter(|one| one.parent_id.as_deref() == Some(parent));
    for child in children {
        lines.push(told(child, depth, ""));
        // A chain has no circles: nothing is made from what was made from it.
        if depth < 64 {
            below(answer, &child.environment_id, depth + 1, lines);
        }
    }
}

fn told(one: &Relative, depth: usize, mark: &str) -> String {
    let state = match (&one.phase, one.exists) {
        (_, Some(false)) => "  deleted, or not shown to you",
        (Some(phase), _) => &format!("  {phase}"),
        (None, _) => "",
    };
    format!(
        "{}{}/{}{state}{mark}",
        "  ".repeat(depth),
        one.namespace,
        one.name
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_family_reads_from_the_oldest_down() {
        let one = |id: &str, parent: Option<&str>, exists: bool| {
            json!({"environmentId": id, "namespace": "default", "name": id, "parentId": parent,
                   "phase": exists.then_some("Ready"), "exists": exists})
        };
        let mut answer = one("stage", None, true);
        answer["ancestors"] = json!([one("qa", None, false), one("prod", None, true)]);
        answer["descendants"] = json!([
            one("a", Some("stage"), false),
            one("b", Some("a"), true),
            one("c", Some("stage"), true)
        ]);
        let answer: Answer = serde_json::from_value(answer).unwrap();
        insta::assert_snapshot!(lines(&answer).join("\n"), @r"
        default/prod  Ready
          default/qa  deleted, or not shown to you
            default/stage  Ready  ←
              default/a  deleted, or not shown to you
                default/b  Ready
              default/c  Ready
        ");
    }
}

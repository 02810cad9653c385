//! `mirage audit`

mod page;
mod row;

use std::{io::Write, time::Duration};

use clap::{Args, ValueEnum};
use futures::{AsyncBufReadExt as _, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use mirage_api::audit::Record;
use mirage_specs::duration::Span;
use url::form_urlencoded;

use self::{page::Page, row::Rows};
use crate::{
    cli::{
        connection::{Connection, ConnectionArgs},
        failure::Failure,
        output::{self, Document},
        target::{self, Target},
    },
    exit::Exit,
};

/// Show who did what: every write, every refusal, and who was shown secrets
///
/// Records are never changed and never removed. In the place of secret values stand fingerprints: they differ when the
/// value does and say nothing else.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage audit                          the newest of the namespace, the newest first
  mirage audit shop --diff              what was done to one environment, change by change
  mirage audit secret/stripe            who wrote the secret, and who was shown it
  mirage audit -A --refused --since 24h what was refused in the last day, everywhere
  mirage audit -A --user alice --follow what alice does from now on
  mirage audit -A -o json --limit 1000  whole records, for other programs

What the server's own controllers do all day (status, events, leases) shows with --all.
Reading needs the verb `list` on `auditrecords` in `mirage.dev`, and `watch` to --follow.")]
pub(crate) struct Audit {
    /// NAME of an environment, KIND, or KIND/NAME; everything when absent
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// In all namespaces, and what is in none
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    all_namespaces: bool,
    /// Only what this user did
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only this verb, for example delete
    #[arg(long, value_name = "VERB")]
    verb: Option<String>,
    /// Only what was refused
    #[arg(long)]
    refused: bool,
    /// Only since then: a span like 24h or 7d, or a time like 2026-11-21T12:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    since: Option<Timestamp>,
    /// Only before then, written like --since
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    until: Option<Timestamp>,
    /// How many records at most
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
    /// Go on showing what comes, until Ctrl-C; the oldest first
    #[arg(short, long)]
    follow: bool,
    /// With what the server's own controllers do all day
    #[arg(long)]
    all: bool,
    /// What was changed, below each line; the same as -o wide
    #[arg(long)]
    diff: bool,
    /// How to show them [default: table]
    #[arg(short, long, env = "MIRAGE_OUTPUT", value_name = "FORMAT")]
    output: Option<Format>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// How long to wait before a log that stopped is followed again: the server ends each stream after a while.
const AGAIN: Duration = Duration::from_secs(1);

/// `-o`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One line each.
    Table,
    /// With the changes below.
    Wide,
    /// Whole records as JSON; one a line with --follow.
    Json,
    /// Whole records as YAML.
    Yaml,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let span: Span = text.parse().map_err(|_| {
        "write a span like 24h or 7d, or a time like 2026-11-21T12:00:00Z".to_owned()
    })?;
    let span = SignedDuration::try_from(span.duration()).map_err(|error| error.to_string())?;
    Timestamp::now()
        .checked_sub(span)
        .map_err(|error| error.to_string())
}

impl Audit {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.connection.open().await?;
        let target = self.target()?;
        let query = self.query(&connection, target.as_ref());
        let format = match self.output {
            None if self.diff => Format::Wide,
            None => Format::Table,
            Some(Format::Table) if self.diff => Format::Wide,
            Some(format) => format,
        };
        if self.follow {
            self.follow(&connection, &query, format, out).await?;
        } else {
            self.show(&connection, &query, format, out).await?;
        }
        Ok(Exit::Success)
    }

    fn target(&self) -> Result<Option<Target>, Failure> {
        let mut targets = target::parse(&self.targets)?;
        if targets.len() > 1 {
            return Err(Failure::Usage(
                "the audit log is asked about one object, one kind or everything".to_owned(),
            ));
        }
        Ok(targets.pop())
    }

    /// What the server is asked for, without where to begin.
    fn query(
        &self,
        connection: &Connection,
        target: Option<&Target>,
    ) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        let is_anywhere = self.all_namespaces || target.is_some_and(|it| !it.kind.namespaced);
        if !is_anywhere {
            query.push(("namespace", connection.namespace.clone()));
        }
        if let Some(target) = target {
            let (plural, group) = (target.kind.plural, target.kind.group);
            query.push((
                "resource",
                if group.is_empty() {
                    plural.to_owned()
                } else {
                    format!("{plural}.{group}")
                },
            ));
            query.extend(target.name.clone().map(|name| ("name", name)));
        }
        query.extend(self.user.clone().map(|user| ("user", user)));
        query.extend(self.verb.clone().map(|verb| ("verb", verb)));
        if self.refused {
            query.push(("outcome", "refused".to_owned()));
        }
        query.extend(self.since.map(|since| ("since", since.to_string())));
        query.extend(self.until.map(|until| ("until", until.to_string())));
        // Whoever asks for the controllers' own doings by name wants to see them.
        if !self.all && self.user.is_none() {
            query.push(("routine", "false".to_owned()));
        }
        query
    }

    async fn show(
        &self,
        connection: &Connection,
        query: &[(&'static str, String)],
        format: Format,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        let records = page::records(connection, query, self.limit).await?;
        match format {
            Format::Json => output::document(out, Document::Json, &Page::of(records)),
            Format::Yaml => output::document(out, Document::Yaml, &Page::of(records)),
            Format::Table | Format::Wide if records.is_empty() => {
                eprintln!("No such records.");
                Ok(())
            }
            Format::Table | Format::Wide => self.rows(format).write(&records, out),
        }
    }

    fn rows(&self, format: Format) -> Rows {
        Rows::new(self.all_namespaces, format == Format::Wide)
    }

    async fn follow(
        &self,
        connection: &Connection,
        query: &[(&'static str, String)],
        format: Format,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        let mut rows = self.rows(format);
        let mut behind = None;
        loop {
            let mut query = query.to_vec();
            query.push(("follow", "true".to_owned()));
            query.extend(behind.map(|behind: u64| ("continue", behind.to_string())));
            let lines = connection
                .client
                .request_stream(request(&query)?)
                .await
                .map_err(|error| connection.failed(error))?;
            let mut lines = std::pin::pin!(lines.lines());
            while let Some(line) = lines.next().await {
                // A connection that broke is made again, from the last record on.
                let Ok(line) = line else { break };
                let record: Record = serde_json::from_str(&line).map_err(Failure::Answer)?;
                behind = record.sequence.or(behind);
                match format {
                    Format::Json => writeln!(out, "{line}")?,
                    Format::Yaml => {
                        writeln!(out, "---")?;
                        output::document(out, Document::Yaml, &record)?;
                    }
                    Format::Table | Format::Wide => rows.write(&[record], out)?,
                }
                out.flush()?;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// `GET /api/v1/audit` with this query.
fn request(query: &[(&'static str, String)]) -> Result<http::Request<Vec<u8>>, Failure> {
    let query: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    http::Request::get(format!("/api/v1/audit?{query}"))
        .body(Vec::new())
        .map_err(|error| Failure::Usage(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_so_long_ago() {
        let time = moment("2026-11-21T12:00:00Z").unwrap();
        assert_eq!(time.to_string(), "2026-11-21T12:00:00Z");
        let day = SignedDuration::from_hours(24);
        let then = moment("24h").unwrap();
        let ago = Timestamp::now().duration_since(then);
        assert!(ago >= day && ago < day + SignedDuration::from_secs(60));
        assert!(moment("yesterday").is_err());
    }
}

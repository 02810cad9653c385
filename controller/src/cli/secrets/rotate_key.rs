//! `mirage secrets rotate-key`

use std::io::{IsTerminal as _, Write};

use clap::Args;
use futures::{AsyncBufReadExt as _, StreamExt as _};
use mirage_api::store::seal::{Progress, Rotated};
use serde::Deserialize;

use crate::{
    cli::{connection::ServerArgs, failure::Failure},
    exit::Exit,
};

/// Make a new master key and seal every secret with it, while the server runs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage secrets rotate-key              a new key, and everything sealed with it
  mirage secrets rotate-key --prepare    only the key, to be copied to other servers first
  mirage secrets keys                    what each version is needed for

Nothing is interrupted: old versions open what they sealed until `mirage secrets retire-key` takes them away, and nobody
who watches sees a change. A rotation that was cut off is finished by the next one, which then makes no further key.
With a key from the environment: put `2:NEW_KEY` beside the old entry into MIRAGE_MASTER_KEY, start the servers with both,
then rotate. Several servers, each with a key file of its own: --prepare, copy the file to each, then rotate.
Needs the verb `rotate` on `masterkeys` in `mirage.dev`; administrators have it.")]
pub(crate) struct RotateKey {
    /// Make the key and leave it unused
    #[arg(long)]
    prepare: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// One line of the server's answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line {
    Progress(Progress),
    Rotated(Rotated),
    Prepared(u32),
    Error(String),
}

impl RotateKey {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.server.open(None).await?;
        let path = if self.prepare {
            "/api/v1/secrets/rotate-key?prepare=true"
        } else {
            "/api/v1/secrets/rotate-key"
        };
        let request = http::Request::post(path)
            .body(Vec::new())
            .map_err(|error| Failure::Usage(error.to_string()))?;
        let lines = connection
            .client
            .request_stream(request)
            .await
            .map_err(|error| connection.failed(error))?;
        let mut lines = std::pin::pin!(lines.lines());
        let is_watched = std::io::stderr().is_terminal();
        while let Some(line) = lines.next().await {
            let Ok(line) = line else { break };
            match serde_json::from_str(&line).map_err(Failure::Answer)? {
                Line::Progress(progress) if is_watched => eprint!("\r{}", underway(&progress)),
                Line::Progress(_) => {}
                Line::Prepared(version) => {
                    writeln!(
                        out,
                        "version {version} of the master key is made and seals nothing yet"
                    )?;
                    return Ok(Exit::Success);
                }
                Line::Rotated(rotated) => {
                    if is_watched {
                        eprintln!();
                    }
                    write!(out, "{}", report(&rotated))?;
                    let is_whole = rotated.unreadable.is_empty();
                    return Ok(if is_whole {
                        Exit::Success
                    } else {
                        Exit::Failure
                    });
                }
                Line::Error(message) => return Err(Failure::Usage(message)),
            }
        }
        Err(Failure::Usage(
            "the server stopped before the rotation was done; nothing is lost: `mirage secrets rotate-key` again goes on from there"
                .to_owned(),
        ))
    }
}

fn underway(progress: &Progress) -> String {
    format!(
        "sealing with version {}: {} of {} objects, {} texts of the change log looked at, {} sealed anew",
        progress.version,
        progress.objects_seen,
        progress.objects,
        progress.history_seen,
        progress.resealed
    )
}

fn report(rotated: &Rotated) -> String {
    let Rotated {
        version,
        previous,
        is_new_key,
        resealed,
        unreadable,
    } = rotated;
    let first = match (*is_new_key, version == previous) {
        (true, _) => format!("version {version} of the master key is new and seals from now on"),
        (false, false) => format!("version {version} of the master key seals from now on"),
        (false, true) => {
            format!("an earlier rotation to version {version} was not done, and is now")
        }
    };
    let mut text = format!("{first}; {resealed} stored texts were sealed anew\n");
    if unreadable.is_empty() {
        text.push_str("version ");
        text.push_str(&previous.to_string());
        text.push_str(" opens old backups still; `mirage secrets retire-key` takes it away\n");
    }
    for name in unreadable {
        text.push_str(&format!(
            "cannot be opened with any key, and is as it was: {name}\n"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_was_done_and_what_comes_next() {
        let rotated = Rotated {
            version: 2,
            previous: 1,
            is_new_key: true,
            resealed: 12,
            unreadable: Vec::new(),
        };
        assert_eq!(
            report(&rotated),
            "version 2 of the master key is new and seals from now on; 12 stored texts were sealed anew\n\
             version 1 opens old backups still; `mirage secrets retire-key` takes it away\n"
        );
        let line = r#"{"error":"another rotation is under way"}"#;
        assert!(matches!(serde_json::from_str(line), Ok(Line::Error(_))));
    }
}

//! `mirage secrets keys`

use std::io::Write;

use clap::Args;
use mirage_api::store::seal::KeyState;

use crate::{
    cli::{
        connection::ServerArgs,
        failure::Failure,
        output::{self, Document},
    },
    exit::Exit,
};

/// Show which versions of the master key there are, and how many sealed values need each
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage secrets keys
  mirage secrets keys -o json

Needs the verb `get` on `masterkeys` in `mirage.dev`; administrators have it.")]
pub(crate) struct Keys {
    /// As a document instead of a table
    #[arg(short, long, env = "MIRAGE_OUTPUT", value_name = "FORMAT")]
    output: Option<Document>,
    #[command(flatten)]
    server: ServerArgs,
}

impl Keys {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.server.open(None).await?;
        let request = http::Request::get("/api/v1/secrets/keys")
            .body(Vec::new())
            .map_err(|error| Failure::Usage(error.to_string()))?;
        let state: KeyState = connection
            .client
            .request(request)
            .await
            .map_err(|error| connection.failed(error))?;
        match self.output {
            Some(format) => output::document(out, format, &state)?,
            None => write!(out, "{}", table(&state))?,
        }
        Ok(Exit::Success)
    }
}

fn table(state: &KeyState) -> String {
    let mut versions: Vec<u32> = state.at_hand.clone();
    versions.extend(state.values.keys());
    versions.sort_unstable();
    versions.dedup();
    let mut text = String::from("VERSION   VALUES   STATE\n");
    for version in versions {
        let values = state.values.get(&version).copied().unwrap_or_default();
        let is_at_hand = state.at_hand.contains(&version);
        let word = match (version.cmp(&state.in_use), is_at_hand) {
            (_, false) => "missing on this server",
            (std::cmp::Ordering::Equal, true) => "seals",
            (std::cmp::Ordering::Greater, true) => "prepared: rotate-key takes it into use",
            (std::cmp::Ordering::Less, true) if values > 0 => {
                "needed still: rotate-key seals the rest anew"
            }
            (std::cmp::Ordering::Less, true) => "needed by nothing: retire-key takes it away",
        };
        text.push_str(&format!("{version:<7}   {values:<6}   {word}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_to_do_with_each_version() {
        let state = KeyState {
            in_use: 3,
            at_hand: vec![1, 2, 3, 4],
            values: [(2, 7), (3, 40), (5, 1)].into(),
        };
        assert_eq!(
            table(&state),
            "\
VERSION   VALUES   STATE
1         0        needed by nothing: retire-key takes it away
2         7        needed still: rotate-key seals the rest anew
3         40       seals
4         0        prepared: rotate-key takes it into use
5         1        missing on this server
"
        );
    }
}

//! What people say to Mirage in comments. Pure.

use mirage_specs::duration::Span;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Deploy the same commit again, or bring back what was torn down.
    Redeploy,
    /// Keep it that much longer.
    Extend(Span),
    /// Tear it down although the pull request is open.
    Destroy,
    /// Show what differs.
    Diff,
}

impl Command {
    /// Its word, as metrics and messages call it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Redeploy => "redeploy",
            Self::Extend(_) => "extend",
            Self::Destroy => "destroy",
            Self::Diff => "diff",
        }
    }
}

/// A line that is meant for Mirage and is no command; what would do, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotACommand(String);

/// What begins a line that is meant for Mirage.
const ADDRESS: &str = "/mirage";
/// A longer one is a forgotten environment.
const LONGEST_EXTENSION_SECONDS: u64 = 30 * 24 * 3600;
/// What is quoted of a line that nobody understood.
const QUOTED: usize = 40;

/// The commands in a comment, in their order: lines that begin with `/mirage`. Quotations and code are somebody showing
/// a command, not giving one.
pub fn commands(body: &str) -> Vec<Result<Command, NotACommand>> {
    let mut fence: Option<&str> = None;
    let mut found = Vec::new();
    for line in body.lines() {
        let trimmed = line.trim_start();
        let marks = ["```", "~~~"]
            .into_iter()
            .find(|mark| trimmed.starts_with(mark));
        match (fence, marks) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => {
                let words = line
                    .strip_prefix(ADDRESS)
                    .filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
                found.extend(words.map(parse));
            }
            _ => {}
        }
    }
    found
}

fn parse(text: &str) -> Result<Command, NotACommand> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["redeploy"] => Ok(Command::Redeploy),
        ["destroy"] => Ok(Command::Destroy),
        ["diff"] => Ok(Command::Diff),
        ["extend", span] => match span.parse::<Span>() {
            Ok(span) if span.as_secs() <= LONGEST_EXTENSION_SECONDS => Ok(Command::Extend(span)),
            Ok(_) => Err(NotACommand(
                "at most 30d at once: `/mirage extend 24h`".to_owned(),
            )),
            Err(_) => Err(NotACommand(
                "say how much longer, for example `/mirage extend 24h`".to_owned(),
            )),
        },
        ["extend"] => Err(NotACommand(
            "say how much longer, for example `/mirage extend 24h`".to_owned(),
        )),
        _ => {
            let said: String = words
                .join(" ")
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || " -_.".contains(*c))
                .take(QUOTED)
                .collect();
            Err(NotACommand(format!(
                "\"{said}\" is no command; there are `redeploy`, `extend 24h`, `destroy` and `diff`"
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_that_begins_with_the_address_is_a_command() {
        let day: Span = "24h".parse().unwrap();
        for (body, expected) in [
            ("/mirage redeploy", vec![Command::Redeploy]),
            (
                "please\r\n/mirage extend 24h\r\nthanks",
                vec![Command::Extend(day)],
            ),
            ("/mirage  destroy ", vec![Command::Destroy]),
            (
                "/mirage diff\n/mirage redeploy",
                vec![Command::Diff, Command::Redeploy],
            ),
            ("> /mirage destroy", vec![]),
            ("try /mirage destroy", vec![]),
            (" /mirage destroy", vec![]),
            ("/mirages destroy", vec![]),
            ("```\n/mirage destroy\n```", vec![]),
            (
                "~~~\n/mirage destroy\n```\n/mirage destroy\n~~~\n/mirage diff",
                vec![Command::Diff],
            ),
            ("", vec![]),
        ] {
            let found: Vec<Command> = commands(body).into_iter().map(Result::unwrap).collect();
            assert_eq!(found, expected, "{body}");
        }
    }

    #[test]
    fn what_is_no_command_is_answered_with_what_would_do() {
        for (body, hint) in [
            ("/mirage", "redeploy"),
            ("/mirage deploy", "\"deploy\" is no command"),
            ("/mirage extend", "/mirage extend 24h"),
            ("/mirage extend tomorrow", "/mirage extend 24h"),
            ("/mirage extend 365d", "at most 30d"),
            (
                "/mirage <img onerror=x> @everyone",
                "\"img onerrorx everyone\"",
            ),
        ] {
            let found = commands(body);
            let error = found[0].as_ref().unwrap_err().to_string();
            assert!(found.len() == 1 && error.contains(hint), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_comment_is_too_odd(body in "(/mirage|```|~~~|\n| |extend|[0-9]h|.){0,20}") {
            for refused in commands(&body).into_iter().filter_map(Result::err) {
                prop_assert!(!refused.to_string().contains(['@', '<', '\n']));
            }
        }
    }
}

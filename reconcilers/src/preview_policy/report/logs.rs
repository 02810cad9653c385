//! The last lines of a service that failed, as far as they may be shown.

use std::collections::BTreeSet;

use mirage_railway::{
    client::{Client, LogKind, LogLine},
    error::Error,
    id::DeploymentId,
};

/// Lines that are shown.
const LINES: u32 = 20;
/// Characters of a line that are shown.
const WIDTH: usize = 300;
/// A value shorter than this stands in any text by chance.
const SHORTEST_SECRET: usize = 4;

/// The last lines of a deployment: what it said when it ran, or else what its build said.
///
/// # Errors
/// When Railway did not show them.
pub async fn last_lines(client: &Client, deployment: &DeploymentId) -> Result<Vec<LogLine>, Error> {
    let lines = client.logs(deployment, LogKind::Deployment, LINES).await?;
    if lines.is_empty() {
        return client.logs(deployment, LogKind::Build, LINES).await;
    }
    Ok(lines)
}

/// Lines as they are shown: the values of Secrets blanked, colours and control characters gone, long ones cut. Pure.
///
/// A program may print what it likes. What it was given by Mirage from a Secret is known and blanked; what it makes up
/// itself is not, so `spec.logs: false` is for repositories that everybody reads.
pub fn shown(lines: &[LogLine], secrets: &BTreeSet<String>) -> Vec<String> {
    lines
        .iter()
        .map(|line| {
            let mut text = without_colours(&line.message);
            // The longest first: one may be part of another.
            let mut secrets: Vec<&String> = secrets.iter().collect();
            secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
            for secret in secrets {
                if secret.chars().count() >= SHORTEST_SECRET {
                    text = text.replace(secret.as_str(), "•••");
                }
            }
            let mut cut: String = text.chars().take(WIDTH).collect();
            if cut.len() < text.len() {
                cut.push('…');
            }
            cut.trim_end().to_owned()
        })
        .collect()
}

/// Every line of a secret of several lines: logs show them one by one.
pub fn as_printed(secret: &str) -> impl Iterator<Item = String> {
    let whole = std::iter::once(secret.to_owned());
    let lines = secret.lines().map(|line| line.trim().to_owned());
    whole.chain(lines).filter(|text| !text.is_empty())
}

/// ECMA-48 control sequences and other control characters taken out.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => {
                if characters.next() == Some('[') {
                    // Parameters, up to the letter that ends the sequence.
                    let _ = characters.by_ref().find(|c| ('@'..='~').contains(c));
                }
            }
            '\t' => plain.push(' '),
            other if other.is_control() => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str, secrets: &[&str]) -> String {
        let line = LogLine {
            timestamp: String::new(),
            message: message.to_owned(),
            severity: None,
        };
        let secrets = secrets
            .iter()
            .flat_map(|secret| as_printed(secret))
            .collect();
        shown(&[line], &secrets).remove(0)
    }

    #[test]
    fn the_value_of_a_secret_is_never_shown() {
        assert_eq!(told("key=s3cr3t!", &["s3cr3t"]), "key=•••!");
        assert_eq!(
            told("s3cr3t-long s3cr3t", &["s3cr3t", "s3cr3t-long"]),
            "••• •••"
        );
        assert_eq!(told("line two of it", &["first\nline two\n"]), "••• of it");
        assert_eq!(
            told("s3\u{1b}[31mcr3t", &["s3cr3t"]),
            "•••",
            "not even in colours"
        );
        assert_eq!(
            told("a 12 b", &["12"]),
            "a 12 b",
            "two digits are in any text"
        );
    }

    #[test]
    fn what_a_terminal_would_obey_is_taken_out_and_what_is_long_is_cut() {
        assert_eq!(
            told("\u{1b}[1;31merror\u{1b}[0m:\tx\u{7}  ", &[]),
            "error: x"
        );
        assert_eq!(told(&"a".repeat(400), &[]).chars().count(), WIDTH + 1);
    }
}

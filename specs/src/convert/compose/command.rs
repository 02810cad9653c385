//! Commands as a list of words and as one line.

/// One line that a quote-aware reader splits into the same words again.
pub(super) fn joined<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(quoted).collect();
    quoted.join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_./:=@%+,$".contains(c));
    if is_plain {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_blanks_or_quotes_stay_words() {
        assert_eq!(
            joined(["sh", "-c", "echo 'a b'", ""]),
            r"sh -c 'echo '\''a b'\''' ''"
        );
        assert_eq!(
            joined(["node", "server.js", "--port=8080"]),
            "node server.js --port=8080"
        );
    }
}

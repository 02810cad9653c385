//! Command lines as people type them.

/// The words of a line: parted by spaces, except between single quotes, as in a shell.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    for letter in line.chars() {
        match letter {
            '\'' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            ' ' if !is_quoted => words.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_words_together() {
        for (line, expected) in [
            ("get env  -A", vec!["get", "env", "-A"]),
            (
                "get env -l 'app in (web),a!=b'",
                vec!["get", "env", "-l", "app in (web),a!=b"],
            ),
            (
                r#"patch env -p='{"a": 1}' ''"#,
                vec!["patch", "env", r#"-p={"a": 1}"#, ""],
            ),
        ] {
            assert_eq!(words(line), expected, "{line}");
        }
    }
}

//! Texts of others inside Markdown of ours. Pure.

/// A text as one line in which nothing is formatted, linked or mentioned: a branch or a message can be written by anybody.
pub fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
    {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // A blank of no width keeps GitHub from telling that person.
            '@' => escaped.push_str("@\u{200b}"),
            other if other.is_control() => {}
            other => escaped.push(other),
        }
    }
    escaped
}

/// A text as it is, between fences that it cannot close.
pub fn fenced(lines: &[String]) -> String {
    let longest = lines
        .iter()
        .flat_map(|line| line.split(|c| c != '`'))
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_in_a_text_is_formatted_linked_or_mentioned() {
        assert_eq!(
            plain("a | b\n<!-- x --> @ann `c` [d](e) **f**"),
            "a \\| b &lt;\\!-- x --&gt; @\u{200b}ann \\`c\\` \\[d\\](e) \\*\\*f\\*\\*"
        );
    }

    #[test]
    fn a_fence_is_longer_than_any_in_the_text() {
        let lines = ["````".to_owned(), "x".to_owned()];
        assert_eq!(fenced(&lines), "`````text\n````\nx\n`````");
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_line_or_cell(text in ".{0,40}") {
            let plain = plain(&text);
            prop_assert!(!plain.contains(['\n', '\r', '<']));
            prop_assert!(!plain.replace("\\|", "").contains('|'));
        }
    }
}

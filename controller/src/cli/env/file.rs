//! Reading and writing .env files. Pure.
//!
//! # Why not a crate
//! Those there are put the importing machine's own environment in the place of `$NAME` and `${NAME}`, and know nothing of
//! Railway's `${{service.NAME}}`, which they tear apart. Here a dollar sign is a dollar sign: what a file says is what
//! Railway gets.
//!
//! # Form
//! `NAME=value` a line, with `export ` before it if one likes. A bare value ends at ` #` or at the end of the line, without
//! the blanks around it. `'…'` and `` `…` `` are taken as they are, over lines too; in `"…"` a backslash makes `\n`, `\r`,
//! `\t`, and takes the meaning of `\"`, `\\`, `\$` and `` \` `` away. Empty lines and lines that begin with `#` say nothing.

use std::collections::BTreeMap;

use mirage_specs::name::VariableName;

/// What is wrong with a file. The messages hold no value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub(super) struct FileError {
    /// From 1.
    pub(super) line: usize,
    pub(super) what: String,
}

/// The variables of a file.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, String>, FileError> {
    let mut found: BTreeMap<String, (usize, String)> = BTreeMap::new();
    // What other programs put in front of UTF-8.
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    while !rest.is_empty() {
        let (entry, after) = entry(rest).map_err(|what| FileError { line, what })?;
        if let Some((name, value)) = entry
            && let Some((earlier, _)) = found.insert(name.clone(), (line, value))
        {
            let what = format!("{name} is given twice, first in line {earlier}");
            return Err(FileError { line, what });
        }
        line += rest[..rest.len() - after.len()].matches('\n').count();
        rest = after;
    }
    let entries = found.into_iter();
    Ok(entries.map(|(name, (_, value))| (name, value)).collect())
}

type Entry = Option<(String, String)>;

/// The first entry, which is none for a line that says nothing, and what follows its last line.
fn entry(text: &str) -> Result<(Entry, &str), String> {
    let (line, after) = text.split_once('\n').unwrap_or((text, ""));
    let said = line.trim();
    if said.is_empty() || said.starts_with('#') {
        return Ok((None, after));
    }
    let said = match said.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => said,
    };
    let Some((name, _)) = said.split_once('=') else {
        return Err("expected NAME=value".to_owned());
    };
    let name = name.trim_end();
    if let Err(error) = name.parse::<VariableName>() {
        return Err(format!("{name:?}: {error}"));
    }
    let equals = line.find('=').unwrap_or(line.len()) + 1;
    let value = text[equals..].trim_start_matches([' ', '\t']);
    let (value, after) = match value.chars().next() {
        Some(quote @ ('\'' | '`')) => literal(&value[1..], quote)?,
        Some('"') => escaped(&value[1..])?,
        _ => (bare(&line[equals..]), after),
    };
    Ok((Some((name.to_owned(), value)), after))
}

/// Up to a comment.
fn bare(text: &str) -> String {
    let text = text.trim();
    if text.starts_with('#') {
        return String::new();
    }
    let end = [" #", "\t#"]
        .iter()
        .filter_map(|mark| text.find(mark))
        .min();
    text[..end.unwrap_or(text.len())].trim_end().to_owned()
}

fn literal(text: &str, quote: char) -> Result<(String, &str), String> {
    let Some((value, rest)) = text.split_once(quote) else {
        return Err(format!("the closing {quote} is missing"));
    };
    Ok((value.to_owned(), behind(rest)?))
}

fn escaped(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((value, behind(&text[at + 1..])?)),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, 't')) => value.push('\t'),
                Some((_, plain @ ('"' | '\\' | '$' | '`'))) => value.push(plain),
                // A Windows path, a regular expression: the backslash stays.
                Some((_, other)) => value.extend(['\\', other]),
                None => break,
            },
            other => value.push(other),
        }
    }
    Err("the closing \" is missing".to_owned())
}

/// What follows the line in which a quoted value ends; only a comment may come before that.
fn behind(text: &str) -> Result<&str, String> {
    let (line, after) = text.split_once('\n').unwrap_or((text, ""));
    let said = line.trim();
    if said.is_empty() || said.starts_with('#') {
        Ok(after)
    } else {
        Err("after the closing quote only a comment may come".to_owned())
    }
}

/// One line, or more for a value of several lines, that [`parse`] reads back as it is.
pub(super) fn line(name: &str, value: &str) -> String {
    let is_plain = value
        .chars()
        .all(|char| char.is_ascii_alphanumeric() || "_./:@+,=-%".contains(char));
    if is_plain {
        return format!("{name}={value}");
    }
    // Single quotes keep other programs from looking for variables in it.
    if !value.contains(['\'', '\r']) {
        return format!("{name}='{value}'");
    }
    let mut quoted = String::new();
    for char in value.chars() {
        match char {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '"' | '\\' | '$' | '`' => quoted.extend(['\\', char]),
            other => quoted.push(other),
        }
    }
    format!("{name}=\"{quoted}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match parse(text) {
            Ok(found) => format!("{found:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn files_are_read_as_people_write_them() {
        let rows = [
            ("", "{}"),
            ("# a comment\n\n", "{}"),
            ("A=1\r\nB=2\r\n", r#"{"A": "1", "B": "2"}"#),
            ("export A = 1", r#"{"A": "1"}"#),
            ("exportA=1", r#"{"exportA": "1"}"#),
            ("A=", r#"{"A": ""}"#),
            ("A= # nothing", r#"{"A": ""}"#),
            ("A=one two # three", r#"{"A": "one two"}"#),
            ("A=pass#word", r#"{"A": "pass#word"}"#),
            ("A=a=b==", r#"{"A": "a=b=="}"#),
            ("A='one # two' # three", r#"{"A": "one # two"}"#),
            ("A='it\\n'", r#"{"A": "it\\n"}"#),
            (
                r#"A="one\ntwo\t\"q\" \$x \d""#,
                r#"{"A": "one\ntwo\t\"q\" $x \\d"}"#,
            ),
            ("A=\"one\ntwo\"\nB=3", r#"{"A": "one\ntwo", "B": "3"}"#),
            ("A=`it's`", r#"{"A": "it's"}"#),
            ("A=$HOME ${HOME}", r#"{"A": "$HOME ${HOME}"}"#),
            (
                "A=${{postgres.DATABASE_URL}}",
                r#"{"A": "${{postgres.DATABASE_URL}}"}"#,
            ),
            ("\u{feff}A=1", r#"{"A": "1"}"#),
            ("A", "line 1: expected NAME=value"),
            ("\nA='x\ny", "line 2: the closing ' is missing"),
            (
                "A=\"x\ny\"\nB='1' 2",
                "line 3: after the closing quote only a comment may come",
            ),
            ("A=1\nA=2", "line 2: A is given twice, first in line 1"),
        ];
        for (text, expected) in rows {
            assert_eq!(read(text), expected, "{text:?}");
        }
        assert!(read("1A=x").starts_with("line 1: \"1A\": "));
    }

    #[test]
    fn a_mistake_is_told_without_the_value() {
        assert!(!read("A='hunter2").contains("hunter2"));
        assert!(!read("A=\"x\" hunter2").contains("hunter2"));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for value in [
            "",
            "plain",
            "two words",
            "it's",
            "a\"b",
            "one\ntwo",
            "a\r\nb'",
            "$HOME",
            "${{a.B}}",
            "\\n",
            "'`\"\\$",
            "# no comment",
            " blanks ",
            "ü=?&",
            "tab\t'",
        ] {
            let text = format!("{}\n", line("A", value));
            assert_eq!(parse(&text).unwrap()["A"], value, "{text}");
        }
    }
}

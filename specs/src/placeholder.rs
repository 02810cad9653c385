//! `{{ pr.number }}` and the like: places in a text that are filled in for each pull request.
//!
//! Railway's own references, `${{service.NAME}}`, look almost the same and are left as they are. So is every other text in
//! double braces whose name is not one of ours: a variable may hold a template of somebody else's.

use std::collections::BTreeMap;

use crate::nearest::suggestion;

/// What may stand between the braces of a variable or parameter.
pub const PLACEHOLDERS: [&str; 7] = [
    "policy.name",
    "pr.author",
    "pr.base",
    "pr.branch",
    "pr.number",
    "pr.sha",
    "pr.shortSha",
];

/// What may stand between the braces of a name: what stays the same from push to push.
pub const NAME_PLACEHOLDERS: [&str; 5] = [
    "policy.name",
    "pr.author",
    "pr.base",
    "pr.branch",
    "pr.number",
];

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    /// As it is.
    Text(&'a str),
    /// One of ours, by its name.
    Placeholder { name: &'a str, whole: &'a str },
}

/// Fills in what `values` has; the rest stays as it is.
pub fn substitute(text: &str, values: &BTreeMap<&str, String>) -> String {
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Placeholder { name, whole } => values.get(name).map_or(whole, String::as_str),
        })
        .collect()
}

/// Names in `text` that look like ours and are none of `known`, as sentences.
pub(crate) fn mistaken(text: &str, known: &[&str]) -> Vec<String> {
    pieces(text)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Placeholder { name, .. } if !known.contains(&name) => Some(format!(
                "{{{{ {name} }}}} is not filled in here{}; there are {}",
                suggestion(name, known.iter().copied()),
                known.join(", ")
            )),
            _ => None,
        })
        .collect()
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(open) = text[at..].find("{{").map(|offset| at + offset) {
        let Some(close) = text[open + 2..].find("}}").map(|offset| open + 2 + offset) else {
            break;
        };
        let end = close + 2;
        let name = text[open + 2..close].trim();
        if is_ours(name) && !text[..open].ends_with('$') {
            if from < open {
                found.push(Piece::Text(&text[from..open]));
            }
            let whole = &text[open..end];
            found.push(Piece::Placeholder { name, whole });
            from = end;
            at = end;
        } else if text[..open].ends_with('$') {
            // A reference of Railway's, to its end: what is inside is Railway's too.
            at = end;
        } else {
            // `{{{ pr.number }}}` and `{{ x {{ pr.number }}`: ours may begin later.
            at = open + 1;
        }
    }
    if from < text.len() {
        found.push(Piece::Text(&text[from..]));
    }
    found
}

fn is_ours(name: &str) -> bool {
    name.split_once('.').is_some_and(|(scope, field)| {
        matches!(scope, "pr" | "policy")
            && !field.is_empty()
            && field.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(text: &str) -> String {
        let values = BTreeMap::from([("pr.number", "7".to_owned()), ("pr.branch", "x".to_owned())]);
        substitute(text, &values)
    }

    #[test]
    fn placeholders_are_filled_in_and_railways_references_are_left() {
        for (text, result) in [
            ("pr-{{ pr.number }}", "pr-7"),
            ("{{pr.number}}{{ pr.branch }}", "7x"),
            ("${{ shared.URL }}/{{ pr.number }}", "${{ shared.URL }}/7"),
            ("${{ pr.number }}", "${{ pr.number }}"),
            ("${{db.URL}}${{ pr.branch }}", "${{db.URL}}${{ pr.branch }}"),
            ("{{ user }} {{ pr.number }}", "{{ user }} 7"),
            ("{{{ pr.number }}}", "{7}"),
            ("{{ x {{ pr.number }}", "{{ x 7"),
            ("{{ pr.number", "{{ pr.number"),
            ("{{ pr.title }}", "{{ pr.title }}"),
            ("", ""),
        ] {
            assert_eq!(filled(text), result, "{text}");
        }
    }

    #[test]
    fn a_slip_is_told_with_what_may_have_been_meant() {
        let mistakes = mistaken("{{ pr.nubmer }} {{ user }} ${{ pr.x }}", &PLACEHOLDERS);
        assert_eq!(mistakes.len(), 1);
        assert!(
            mistakes[0].contains("did you mean \"pr.number\"?"),
            "{mistakes:?}"
        );
    }

    proptest! {
        #[test]
        fn what_is_filled_in_is_never_read_again(value in "[a-z${} .]{0,20}", before in "[a-z ]{0,5}") {
            let values = BTreeMap::from([("pr.branch", value.clone()), ("pr.number", "7".to_owned())]);
            let text = format!("{before}{{{{ pr.branch }}}}");
            prop_assert_eq!(substitute(&text, &values), format!("{before}{value}"));
        }

        #[test]
        fn a_text_without_placeholders_stays_as_it_is(text in "[a-z${} .\n]{0,60}") {
            prop_assume!(!text.contains("pr.") && !text.contains("policy."));
            prop_assert_eq!(filled(&text), text);
        }
    }
}

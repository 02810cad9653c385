//! Patterns of branches and of paths. Pure.

/// Whether a text matches a pattern in which `*` stands for any characters, `/` included.
pub fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether a path is one that patterns like those of a `.gitignore` name: the last of them that matches decides, and `!`
/// takes back. Paths count from the root of the repository (source: Railway docs, "Configuring watch paths").
pub fn watches(patterns: &[String], path: &str) -> bool {
    let mut is_watched = false;
    for pattern in patterns {
        let (pattern, takes_back) = match pattern.strip_prefix('!') {
            Some(pattern) => (pattern, true),
            None => (pattern.as_str(), false),
        };
        if names(pattern, path) {
            is_watched = !takes_back;
        }
    }
    is_watched
}

/// Whether one pattern names a path, or a folder above it.
fn names(pattern: &str, path: &str) -> bool {
    let is_folder = pattern.ends_with('/');
    let pattern = pattern.trim_end_matches('/');
    // A slash at its beginning or inside ties a pattern to the root; without one it names things at any depth.
    let is_tied = pattern.contains('/');
    let pattern: Vec<&str> = pattern
        .trim_start_matches('/')
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    if pattern.is_empty() {
        // "/" alone: everything.
        return is_folder;
    }
    let path: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let starts = if is_tied { 0..1 } else { 0..path.len() };
    for start in starts {
        for end in start + 1..=path.len() {
            // What is named only as a folder must have something below it.
            if is_folder && end == path.len() {
                continue;
            }
            if segments(&pattern, &path[start..end]) {
                return true;
            }
        }
    }
    false
}

fn segments(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        // At the end it stands for everything inside, and so for something.
        (Some((&"**", [])), rest) => rest.is_some(),
        (Some((&"**", after)), _) => {
            (0..=path.len()).any(|skipped| segments(after, &path[skipped..]))
        }
        (Some((first, after)), Some((name, rest))) => {
            let (first, name): (Vec<char>, Vec<char>) =
                (first.chars().collect(), name.chars().collect());
            segment(&first, &name) && segments(after, rest)
        }
        _ => false,
    }
}

fn segment(pattern: &[char], name: &[char]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some(('*', after)), _) => {
            let after = match after.iter().position(|c| *c != '*') {
                Some(at) => &after[at..],
                None => return true,
            };
            (0..=name.len()).any(|skipped| segment(after, &name[skipped..]))
        }
        (Some(('?', after)), Some((_, rest))) => segment(after, rest),
        (Some(('\\', after)), Some((c, rest))) if after.first() == Some(c) => {
            segment(&after[1..], rest)
        }
        (Some(('[', after)), Some((c, rest))) => match class(after, *c) {
            Some((fits, after)) => fits && segment(after, rest),
            None => *c == '[' && segment(after, rest),
        },
        (Some((p, after)), Some((c, rest))) => p == c && segment(after, rest),
        _ => false,
    }
}

/// Whether a character is one of a class that was just opened, and what comes after it; `None` when it is not closed.
fn class(pattern: &[char], c: char) -> Option<(bool, &[char])> {
    let (is_negated, body) = match pattern.first() {
        Some('!' | '^') => (true, &pattern[1..]),
        _ => (false, pattern),
    };
    let end = body.iter().skip(1).position(|c| *c == ']')? + 1;
    let inner = &body[..end];
    let mut fits = false;
    let mut at = 0;
    while at < inner.len() {
        if at + 2 < inner.len() && inner[at + 1] == '-' {
            fits |= (inner[at]..=inner[at + 2]).contains(&c);
            at += 3;
        } else {
            fits |= inner[at] == c;
            at += 1;
        }
    }
    Some((fits != is_negated, &body[end + 1..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_in_a_branch_stands_for_anything() {
        for (pattern, text, matches) in [
            ("main", "main", true),
            ("main", "mainline", false),
            ("release/*", "release/1.2", true),
            ("release/*", "release/1/2", true),
            ("release/*", "release", false),
            ("*", "anything", true),
            ("*-stable", "v1-stable", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(glob(pattern, text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn watch_patterns_are_those_of_a_gitignore() {
        for (patterns, path, watched) in [
            (&["/services/web/**"][..], "services/web/src/main.rs", true),
            (&["/services/web/**"], "services/web", false),
            (&["services/web"], "services/web/x", true),
            (&["services/web/"], "services/web/x", true),
            (&["services/web/"], "services/web", false),
            (&["/services/*/src"], "services/api/src/lib.rs", true),
            (&["/services/*/src"], "services/a/b/src/lib.rs", false),
            (&["*.md"], "docs/deep/a.md", true),
            (&["/*.md"], "docs/a.md", false),
            (&["**/test/**"], "a/b/test/c", true),
            (&["a/**/z"], "a/z", true),
            (&["a/**/z"], "a/b/c/z", true),
            (&["**"], "anything/at/all", true),
            (&["/"], "anything", true),
            (&["/**", "!/docs/**"], "docs/a.md", false),
            (&["/**", "!/docs/**"], "src/a.rs", true),
            (&["!/docs/**", "/**"], "docs/a.md", true),
            (&["file?.rs"], "src/file1.rs", true),
            (&["file[0-9].rs"], "src/file1.rs", true),
            (&["file[!0-9].rs"], "src/file1.rs", false),
            (&["\\*.rs"], "*.rs", true),
            (&["\\*.rs"], "a.rs", false),
            (&["["], "[", true),
            (&[], "a", false),
        ] {
            let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
            assert_eq!(watches(&patterns, path), watched, "{patterns:?} {path}");
        }
    }

    proptest! {
        #[test]
        fn no_pattern_is_too_odd(pattern in "[a-c*?/!\\[\\]\\\\-]{0,12}", path in "[a-c/]{1,12}") {
            let _ = watches(std::slice::from_ref(&pattern), &path);
            let _ = glob(&pattern, &path);
        }

        #[test]
        fn a_path_names_itself(path in "[a-z]{1,5}(/[a-z]{1,5}){0,3}") {
            let pattern = format!("/{path}");
            prop_assert!(watches(&[pattern], &path));
        }
    }
}

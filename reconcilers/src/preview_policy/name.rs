//! How the environment of a pull request is named. Pure.
//!
//! One name serves as the object's and as Railway's, so that people meet the same word everywhere; Railway's rules are the
//! stricter ones. The name always ends in `-NUMBER` as its last part, so no two pull requests of a repository share one,
//! whatever the template and the branches are called and however much was cut off.

use std::collections::BTreeMap;

use mirage_specs::{
    name::ENVIRONMENT_NAME_LIMIT, placeholder::substitute, preview_policy::DEFAULT_NAME_TEMPLATE,
};

/// What a name begins with that would begin with a digit, or with nothing.
const PREFIX: &str = "pr";

/// The name for pull request `number`, from a policy's template and the values of its placeholders.
pub fn name(template: Option<&str>, values: &BTreeMap<&str, String>, number: u64) -> String {
    let filled = substitute(template.unwrap_or(DEFAULT_NAME_TEMPLATE), values);
    let slug = slug(&filled);
    let ending = format!("-{number}");
    let base = slug.strip_suffix(&ending).unwrap_or(&slug);
    let base = if base == number.to_string() { "" } else { base };
    let base = match base.bytes().next() {
        Some(first) if first.is_ascii_lowercase() => base.to_owned(),
        Some(_) => format!("{PREFIX}-{base}"),
        None => PREFIX.to_owned(),
    };
    let room = ENVIRONMENT_NAME_LIMIT - ending.len();
    let base = base[..base.len().min(room)].trim_end_matches('-');
    format!("{base}{ending}")
}

/// Lower-case letters, digits and single hyphens between them.
fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for character in text.chars() {
        match character.to_ascii_lowercase() {
            kept @ ('a'..='z' | '0'..='9') => slug.push(kept),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

#[cfg(test)]
mod tests {
    use mirage_specs::name::EnvironmentName;
    use proptest::prelude::*;

    use super::*;

    fn named(template: Option<&str>, branch: &str, number: u64) -> String {
        let values = BTreeMap::from([
            ("policy.name", "shop".to_owned()),
            ("pr.branch", branch.to_owned()),
            ("pr.number", number.to_string()),
        ]);
        name(template, &values, number)
    }

    #[test]
    fn a_name_says_what_the_template_says_and_ends_in_the_number() {
        for (template, branch, expected) in [
            (None, "x", "shop-pr-12"),
            (Some("{{ pr.number }}"), "x", "pr-12"),
            (Some("pr-{{ pr.number }}"), "x", "pr-12"),
            (Some("{{ pr.branch }}"), "feat/Add_Cart", "feat-add-cart-12"),
            (Some("{{ pr.branch }}"), "../../etc", "etc-12"),
            (Some("{{ pr.branch }}"), "7up", "pr-7up-12"),
            (Some("{{ pr.branch }}"), "ünïcödé", "n-c-d-12"),
            (Some("{{ pr.branch }}"), "x-12", "x-12"),
            (Some("--"), "x", "pr-12"),
            (
                Some("{{ pr.branch }}"),
                "a-very-long-branch-name-that-goes-on-and-on",
                "a-very-long-branch-name-that-12",
            ),
        ] {
            assert_eq!(
                named(template, branch, 12),
                expected,
                "{template:?} {branch}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_name_is_one_that_railway_takes(template in ".{0,40}", branch in ".{0,60}", number: u64) {
            let name = named(Some(&template), &branch, number);
            prop_assert!(name.parse::<EnvironmentName>().is_ok(), "{}", name);
        }

        #[test]
        fn no_two_pull_requests_share_a_name(
            template in "[a-z0-9-]{0,20}(\\{\\{ pr.branch \\}\\}|\\{\\{ pr.number \\}\\}){0,2}[a-z0-9-]{0,9}",
            first in ("[a-z0-9/-]{0,30}", 1..2000_u64), second in ("[a-z0-9/-]{0,30}", 1..2000_u64),
        ) {
            prop_assume!(first.1 != second.1);
            prop_assert_ne!(named(Some(&template), &first.0, first.1), named(Some(&template), &second.0, second.1));
        }
    }
}

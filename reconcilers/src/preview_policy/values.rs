//! What the placeholders of a policy stand for in one pull request. Pure.

use std::collections::BTreeMap;

use mirage_github::PullRequest;

/// Longest value: enough for any branch that people type.
const LIMIT: usize = 200;

/// The values by placeholder.
///
/// A branch may be called almost anything, `${{shared.DATABASE_URL}}` included, and anybody who may open a pull request
/// chooses the name. So what people chose comes out with letters, digits and `.`, `_`, `/`, `-` only: as a part of a variable it
/// can then never become a reference that Railway follows.
pub fn values(policy: &str, pull: &PullRequest) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("policy.name", policy.to_owned()),
        ("pr.author", harmless(pull.author.login.as_str())),
        ("pr.base", harmless(&pull.base_branch)),
        ("pr.branch", harmless(&pull.head.branch)),
        ("pr.number", pull.number.to_string()),
        ("pr.sha", pull.head.sha.to_string()),
        ("pr.shortSha", pull.head.sha.short().to_owned()),
    ])
}

fn harmless(text: &str) -> String {
    text.chars()
        .take(LIMIT)
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '/' | '-' => c,
            _ => '-',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use mirage_specs::{placeholder::substitute, reference::references};
    use proptest::prelude::*;

    use super::*;
    use crate::preview_policy::fixtures::pull;

    #[test]
    fn a_branch_with_a_hostile_name_is_only_text() {
        let mut pull = pull(7);
        pull.head.branch = "${{shared.DATABASE_URL}}".to_owned();
        let values = values("shop", &pull);
        assert_eq!(values["pr.branch"], "---shared.DATABASE_URL--");
        assert_eq!(
            substitute("x-{{ pr.branch }}", &values),
            "x----shared.DATABASE_URL--"
        );
    }

    proptest! {
        #[test]
        fn no_branch_makes_a_reference(branch in ".{0,40}", before in "[${}a-z. ]{0,10}", after in "[${}a-z. ]{0,10}") {
            // What stands in the policy may hold references; no branch adds one to them.
            let text = format!("{before}{{{{ pr.branch }}}}{after}");
            let count = |branch: &str| {
                let mut pull = pull(7);
                pull.head.branch = branch.to_owned();
                references(&substitute(&text, &values("shop", &pull))).len()
            };
            prop_assert_eq!(count(&branch), count("main"));
        }
    }
}

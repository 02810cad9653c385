//! Which pull requests get an environment, and why the others do not. Pure.

use std::fmt;

use mirage_github::{Login, PullRequest, RepositoryName};
use mirage_specs::PreviewPolicySpec;

use super::pattern;

/// Why a pull request gets none. Each is a sentence for whoever opened it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It goes into another branch.
    BaseBranch(String),
    /// It carries none of the labels.
    NoLabel(Vec<String>),
    /// Somebody else opened it.
    Author(String),
    /// A bot opened it.
    Bot,
    /// It comes from a fork.
    Fork,
    /// It is a draft.
    Draft,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BaseBranch(branch) => write!(
                f,
                "it goes into {branch}, which is none of spec.baseBranches"
            ),
            Self::NoLabel(labels) => {
                write!(f, "it carries none of the labels {}", labels.join(", "))
            }
            Self::Author(login) => write!(f, "{login} is none of spec.authors"),
            Self::Bot => f.write_str("a bot opened it, and spec.bots is false"),
            Self::Fork => f.write_str("it comes from a fork, and spec.forks is not true"),
            Self::Draft => f.write_str("it is a draft, and spec.drafts is false"),
        }
    }
}

/// Whether a policy is for a pull request.
///
/// # Errors
/// Why it is not; of several reasons the one that people least expect to change comes first.
pub fn fits(
    policy: &PreviewPolicySpec,
    repository: &RepositoryName,
    pull: &PullRequest,
) -> Result<(), Unfit> {
    let bases = &policy.base_branches;
    if !bases.is_empty()
        && !bases
            .iter()
            .any(|base| pattern::glob(base, &pull.base_branch))
    {
        return Err(Unfit::BaseBranch(pull.base_branch.clone()));
    }
    if pull.is_from_fork_of(repository) && policy.forks != Some(true) {
        return Err(Unfit::Fork);
    }
    if pull.author.is_bot() && policy.bots == Some(false) {
        return Err(Unfit::Bot);
    }
    let is_author = |author: &String| Login::new(author.as_str()) == pull.author.login;
    if !policy.authors.is_empty() && !policy.authors.iter().any(is_author) {
        return Err(Unfit::Author(pull.author.login.to_string()));
    }
    if pull.draft && policy.drafts == Some(false) {
        return Err(Unfit::Draft);
    }
    let carries = |wanted: &String| {
        pull.labels
            .iter()
            .any(|label| label.eq_ignore_ascii_case(wanted))
    };
    if !policy.labels.is_empty() && !policy.labels.iter().any(carries) {
        return Err(Unfit::NoLabel(policy.labels.clone()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use mirage_github::ActorKind;

    use super::*;
    use crate::preview_policy::fixtures::{pull, repository};

    #[test]
    fn every_open_pull_request_of_the_repository_itself_fits_a_policy_that_says_nothing() {
        let policy = PreviewPolicySpec::default();
        let mut bots = pull(1);
        bots.author.kind = ActorKind::Bot;
        bots.draft = true;
        for pull in [pull(1), bots] {
            assert_eq!(fits(&policy, &repository(), &pull), Ok(()));
        }
    }

    #[test]
    fn a_pull_request_from_a_fork_gets_nothing_unless_the_policy_says_so() {
        let mut policy = PreviewPolicySpec::default();
        let mut fork = pull(1);
        fork.head.repository = Some("mallory/shop".parse().unwrap());
        let mut gone = pull(1);
        gone.head.repository = None;
        for pull in [&fork, &gone] {
            assert_eq!(fits(&policy, &repository(), pull), Err(Unfit::Fork));
        }
        policy.forks = Some(true);
        assert_eq!(fits(&policy, &repository(), &fork), Ok(()));
        // GitHub compares without case, and so do we.
        let mut own = pull(1);
        own.head.repository = Some("ACME/Shop".parse().unwrap());
        assert_eq!(
            fits(&PreviewPolicySpec::default(), &repository(), &own),
            Ok(())
        );
    }

    #[test]
    fn each_filter_leaves_out_what_it_names() {
        let with = |change: fn(&mut PreviewPolicySpec, &mut PullRequest)| {
            let (mut policy, mut pull) = (PreviewPolicySpec::default(), pull(1));
            change(&mut policy, &mut pull);
            fits(&policy, &repository(), &pull)
        };
        assert_eq!(
            with(|policy, pull| {
                policy.base_branches = vec!["release/*".to_owned()];
                pull.base_branch = "main".to_owned();
            }),
            Err(Unfit::BaseBranch("main".to_owned()))
        );
        assert_eq!(
            with(|policy, pull| {
                policy.base_branches = vec!["main".to_owned(), "release/*".to_owned()];
                pull.base_branch = "release/1.2/x".to_owned();
            }),
            Ok(())
        );
        assert_eq!(
            with(|policy, _| policy.labels = vec!["preview".to_owned()]),
            Err(Unfit::NoLabel(vec!["preview".to_owned()]))
        );
        assert_eq!(
            with(|policy, pull| {
                policy.labels = vec!["preview".to_owned()];
                pull.labels = vec!["bug".to_owned(), "Preview".to_owned()];
            }),
            Ok(())
        );
        assert_eq!(
            with(|policy, _| policy.authors = vec!["bob".to_owned()]),
            Err(Unfit::Author("ann".to_owned()))
        );
        assert_eq!(
            with(|policy, _| policy.authors = vec!["ANN".to_owned()]),
            Ok(())
        );
        assert_eq!(
            with(|policy, pull| {
                policy.bots = Some(false);
                pull.author.kind = ActorKind::Bot;
            }),
            Err(Unfit::Bot)
        );
        assert_eq!(
            with(|policy, pull| {
                policy.drafts = Some(false);
                pull.draft = true;
            }),
            Err(Unfit::Draft)
        );
    }
}

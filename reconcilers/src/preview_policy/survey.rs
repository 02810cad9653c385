//! What stands in the way at a repository as a whole, looked at when a process begins or a policy changes.

use mirage_github::{Error, Forge, Permission, RepositoryName};

use super::refusal::Refusal;
use crate::reason::Reason;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Nothing can be written there any more.
    pub is_archived: bool,
    /// The credential may read and no more.
    pub may_only_read: bool,
    /// Branches whose rules ask for the policy's commit status before a merge.
    pub required_by: Vec<String>,
}

/// Looks at the repository and at the branches that the policy names, or else at the one that people see first.
///
/// # Errors
/// When the repository could not be read. A branch that cannot be read is left out: what is not known is no trouble yet.
pub async fn survey(
    forge: &dyn Forge,
    repository: &RepositoryName,
    bases: &[String],
    context: &str,
) -> Result<Survey, Error> {
    let found = forge.repository(repository).await?;
    let mut branches: Vec<&str> = bases
        .iter()
        .map(String::as_str)
        .filter(|base| !base.contains('*'))
        .collect();
    if branches.is_empty() {
        branches.push(&found.default_branch);
    }
    let mut required_by = Vec::new();
    for branch in branches {
        match forge.branch(repository, branch).await {
            Ok(found) if found.required_contexts.iter().any(|known| known == context) => {
                required_by.push(found.name);
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, branch, "a branch could not be read"),
        }
    }
    Ok(Survey {
        is_archived: found.archived,
        may_only_read: found.permission.is_some_and(|may| may < Permission::Write),
        required_by,
    })
}

impl Survey {
    /// Why nothing can be said on GitHub, as far as that is known without trying. Pure.
    pub fn obstacle(&self) -> Option<Refusal> {
        if self.is_archived {
            let message = "the repository is archived: comments, deployments and statuses cannot be written; unarchive it, or delete the policy";
            return Some(Refusal::new(Reason::GitHubRefused, message.to_owned()));
        }
        self.may_only_read.then(|| {
            Refusal::new(
                Reason::GitHubForbidden,
                "the token may only read the repository: statuses and deployments take write access; grant it, or use a GitHub App".to_owned(),
            )
        })
    }

    /// What the rules of branches mean for pull requests without a preview. Pure.
    pub fn warning(&self, context: &str) -> Option<String> {
        (!self.required_by.is_empty()).then(|| {
            format!(
                "the rules of branch {} ask for the status {context:?}: pull requests that this policy is not for, or that wait for a place, cannot be merged",
                self.required_by.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_way_is_told_with_what_to_do() {
        let nothing = Survey::default();
        assert_eq!(
            (nothing.obstacle(), nothing.warning("mirage/shop")),
            (None, None)
        );
        let archived = Survey {
            is_archived: true,
            ..Survey::default()
        };
        assert_eq!(archived.obstacle().unwrap().reason, Reason::GitHubRefused);
        let protected = Survey {
            may_only_read: true,
            required_by: vec!["main".to_owned()],
            ..Survey::default()
        };
        assert_eq!(
            protected.obstacle().unwrap().reason,
            Reason::GitHubForbidden
        );
        assert!(
            protected
                .warning("mirage/shop")
                .unwrap()
                .contains("branch main")
        );
    }
}

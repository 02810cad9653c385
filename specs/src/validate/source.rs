//! Where code comes from: a repository, and the branch or commit of it.

use crate::{
    path::FieldPath,
    validate::{Faults, node::Node},
};

/// The repository part of `source`, of an environment or of one service.
pub(super) fn check(source: &Node<'_>, faults: &mut Faults) {
    let (repo, branch, commit) = (source.at("repo"), source.at("branch"), source.at("commit"));
    if let Some(text) = repo.text() {
        check_repository(text, &repo.path, faults);
    }
    if let Some(text) = branch.text()
        && !is_branch(text)
    {
        faults.invalid(&branch.path, "not the name of a branch");
    }
    if commit.text().is_some_and(|text| !is_commit(text)) {
        faults.invalid(&commit.path, COMMIT_FORM);
    }
    if branch.is_given() && commit.is_given() {
        faults.forbidden(
            &commit.path,
            "either follow a branch or stay on a commit; if one comes from a template, remove it with null",
        );
    }
    let root = source.at("rootDirectory");
    if let Some(text) = root.text()
        && (text.is_empty() || text.split('/').any(|part| part == ".."))
    {
        faults.invalid(
            &root.path,
            "a folder inside the repository, for example \"/services/api\"",
        );
    }
}

/// A repository on GitHub, `owner/name`.
pub(super) fn check_repository(text: &str, path: &FieldPath, faults: &mut Faults) {
    if is_repository(text) {
        return;
    }
    let hint = match text.split_once("github.com") {
        Some((_, rest)) => {
            let rest = rest.trim_start_matches(['/', ':']).trim_end_matches(".git");
            format!(", here {rest:?}")
        }
        None => String::new(),
    };
    faults.invalid(
        path,
        format!("a GitHub repository is written owner/name{hint}"),
    );
}

/// What a commit id looks like.
pub(super) const COMMIT_FORM: &str = "a full commit id has 40 characters of 0-9 and a-f";

pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_repository(text: &str) -> bool {
    // GitHub's limits: 39 characters for an owner, 100 for a repository.
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    text.split_once('/').is_some_and(|(owner, name)| {
        (1..=39).contains(&owner.len())
            && (1..=100).contains(&name.len())
            && owner
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && name.bytes().all(plain)
    })
}

/// The part of git's rules for reference names that people run into.
pub(super) fn is_branch(text: &str) -> bool {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    !text.is_empty()
        && !text.contains(forbidden)
        && !text.contains("..")
        && !text.starts_with(['-', '/'])
        && !text.ends_with(['/', '.'])
}

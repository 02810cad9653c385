//! A plan's entries as calls: what goes together, in which order, and what it costs. Pure.

use super::plan::{Action, Entry, Plan};

/// One call to Railway, or one commit of many entries.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<'a> {
    /// Make the project.
    CreateProject(&'a str),
    /// Make the environment.
    CreateEnvironment(&'a str),
    /// Everything that is configuration, in one commit.
    Commit(Vec<&'a Entry>),
    /// One call of its own.
    Call(&'a Entry),
}

/// The steps of one visit.
///
/// Domains and deployments belong to instances, so they wait for the visit that sees the commit's result; a project and
/// an environment that are made in this visit are committed to in the same one, because nothing of anybody's is in them.
pub fn order(plan: &Plan) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut commit = Vec::new();
    let mut calls = Vec::new();
    for entry in &plan.entries {
        match &entry.action {
            Action::CreateProject { name } => steps.push(Step::CreateProject(name)),
            Action::CreateEnvironment { name, .. } => steps.push(Step::CreateEnvironment(name)),
            Action::CreateDomain { .. }
            | Action::DeleteDomain { .. }
            | Action::Deploy { .. }
            | Action::Stop { .. }
            | Action::DeleteEnvironment { .. }
            | Action::Unmark { .. } => calls.push(Step::Call(entry)),
            _ => commit.push(entry),
        }
    }
    if commit.is_empty() {
        steps.extend(calls);
    } else {
        steps.push(Step::Commit(commit));
    }
    steps
}

/// Requests to Railway that the whole plan takes on the change-set path, the look afterwards included.
pub fn requests(plan: &Plan) -> u32 {
    if plan.entries.is_empty() {
        return 0;
    }
    let mut own_calls = 0;
    let mut has_commit = false;
    let mut makes_services = false;
    let mut shares = false;
    for entry in &plan.entries {
        match &entry.action {
            Action::CreateProject { .. }
            | Action::CreateEnvironment { .. }
            | Action::CreateDomain { .. }
            | Action::DeleteDomain { .. }
            | Action::Deploy { .. }
            | Action::Stop { .. }
            | Action::DeleteEnvironment { .. }
            | Action::Unmark { .. } => own_calls += 1,
            action => {
                has_commit = true;
                makes_services |= matches!(action, Action::CreateService { existing: None, .. });
                shares |= matches!(
                    action,
                    Action::Mark
                        | Action::SetSharedVariable { .. }
                        | Action::DeleteSharedVariable { .. }
                );
            }
        }
    }
    // A change set makes services and cannot carry shared variables: those go first, in a call of their own.
    let commit = if has_commit {
        1 + u32::from(makes_services && shares)
    } else {
        0
    };
    own_calls + commit + 1
}

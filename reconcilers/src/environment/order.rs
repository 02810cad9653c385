//! A plan's entries as calls: what goes together, in which order, and what it costs. Pure.

use std::collections::BTreeSet;

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
            | Action::Rollback { .. }
            | Action::Cancel { .. }
            | Action::Restart { .. }
            | Action::DeleteEnvironment { .. }
            | Action::Unmark { .. } => calls.push(Step::Call(entry)),
            _ => commit.push(entry),
        }
    }
    if commit.is_empty() {
        steps.extend(calls);
    } else {
        steps.push(Step::Commit(first_of(commit)));
    }
    steps
}

/// What of a commit goes first; the next visit sees what is left.
///
/// A service that is new to the project can only be made by a change set without appearing in every ordinary
/// environment of the project, other people's too, and a change set cannot carry the rest: so the two go apart. An
/// environment without our mark yet is empty, and its shared variables go with the services that need them; in any other
/// they go first, with a deployment of the services that use them.
fn first_of(commit: Vec<&Entry>) -> Vec<&Entry> {
    let new = new_to_the_project(&commit);
    let is_of_new = |entry: &&Entry| {
        entry
            .action
            .service()
            .is_some_and(|service| new.contains(service))
    };
    let is_fresh = commit.iter().any(|entry| entry.action == Action::Mark);
    let goes_along = |entry: &&Entry| is_of_new(entry) || (is_fresh && sets_shared(&entry.action));
    if new.is_empty() || commit.iter().all(goes_along) {
        return commit;
    }
    let shares = commit.iter().any(|entry| is_shared(&entry.action));
    if is_fresh || !shares {
        commit.into_iter().filter(goes_along).collect()
    } else {
        commit
            .into_iter()
            .filter(|entry| !is_of_new(entry))
            .collect()
    }
}

fn new_to_the_project<'a>(commit: &[&'a Entry]) -> BTreeSet<&'a str> {
    let created = commit.iter().filter_map(|entry| match &entry.action {
        Action::CreateService {
            service,
            existing: None,
        } => Some(service.as_str()),
        _ => None,
    });
    created.collect()
}

fn sets_shared(action: &Action) -> bool {
    matches!(action, Action::Mark | Action::SetSharedVariable { .. })
}

fn is_shared(action: &Action) -> bool {
    sets_shared(action) || matches!(action, Action::DeleteSharedVariable { .. })
}

/// Requests to Railway that the whole plan takes on the change-set path, the look afterwards included.
pub fn requests(plan: &Plan) -> u32 {
    if plan.entries.is_empty() {
        return 0;
    }
    let (calls, commit): (Vec<&Entry>, Vec<&Entry>) = plan
        .entries
        .iter()
        .partition(|entry| is_call(&entry.action));
    let mut commits = 0;
    let mut left = commit;
    while !left.is_empty() {
        let first = first_of(left.clone());
        left.retain(|entry| !first.iter().any(|other| std::ptr::eq(*entry, *other)));
        // A change set makes services and cannot carry shared variables: those go before it, in a call of their own.
        let makes_services = !new_to_the_project(&first).is_empty();
        commits +=
            1 + u32::from(makes_services && first.iter().any(|entry| is_shared(&entry.action)));
    }
    u32::try_from(calls.len()).unwrap_or(u32::MAX) + commits + 1
}

fn is_call(action: &Action) -> bool {
    matches!(
        action,
        Action::CreateProject { .. }
            | Action::CreateEnvironment { .. }
            | Action::CreateDomain { .. }
            | Action::DeleteDomain { .. }
            | Action::Deploy { .. }
            | Action::Stop { .. }
            | Action::Rollback { .. }
            | Action::Cancel { .. }
            | Action::Restart { .. }
            | Action::DeleteEnvironment { .. }
            | Action::Unmark { .. }
    )
}

#[cfg(test)]
mod tests {
    use mirage_railway::id::ServiceId;
    use mirage_specs::plan::PlanReason;

    use super::*;

    fn plan(actions: Vec<Action>) -> Plan {
        let entries = actions
            .into_iter()
            .map(|action| Entry {
                action,
                reason: PlanReason::Missing,
            })
            .collect();
        Plan {
            entries,
            ..Plan::default()
        }
    }

    fn create(service: &str, existing: Option<&str>) -> Action {
        Action::CreateService {
            service: service.to_owned(),
            existing: existing.map(ServiceId::new),
        }
    }

    fn shared(name: &str) -> Action {
        Action::SetSharedVariable {
            name: name.to_owned(),
            exists: false,
        }
    }

    fn committed(plan: &Plan) -> Vec<&Action> {
        let steps = order(plan);
        let commit = steps.into_iter().find_map(|step| match step {
            Step::Commit(entries) => Some(entries),
            _ => None,
        });
        commit
            .unwrap_or_default()
            .into_iter()
            .map(|entry| &entry.action)
            .collect()
    }

    #[test]
    fn what_is_new_to_the_project_does_not_share_a_commit_with_what_the_project_has() {
        let plan = plan(vec![
            Action::Mark,
            shared("LEVEL"),
            create("api", Some("s1")),
            create("web", None),
        ]);
        assert_eq!(
            committed(&plan),
            [&Action::Mark, &shared("LEVEL"), &create("web", None)]
        );
        // Shared variables, the change set, the patch, and the look.
        assert_eq!(requests(&plan), 4);
    }

    #[test]
    fn shared_variables_of_services_that_run_go_with_a_deployment() {
        let plan = plan(vec![shared("LEVEL"), create("web", None)]);
        assert_eq!(committed(&plan), [&shared("LEVEL")]);
        assert_eq!(requests(&plan), 3);
    }

    #[test]
    fn a_fresh_environment_takes_one_commit() {
        let plan = plan(vec![
            Action::Mark,
            shared("LEVEL"),
            create("api", None),
            create("web", None),
        ]);
        assert_eq!(committed(&plan).len(), 4);
        assert_eq!(requests(&plan), 3);
    }
}

//! Whether a plan may run, or waits for a person. Pure.

use mirage_specs::{environment::Approval, status::ApprovedPlan};

use super::plan::Plan;

/// Annotation that lets exactly the plan of that hash run.
pub const APPROVE: &str = "mirage.dev/approve";
/// Annotation that makes Mirage go on where it stopped by itself; taken away once heard.
pub const RETRY: &str = "mirage.dev/retry";

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Nothing stands in the way.
    Open,
    /// A person approved this plan; to be remembered, so that what remains of it needs no second approval.
    Approved(ApprovedPlan),
    /// A person must approve the plan.
    Closed,
}

/// Decides. A plan is worked off over several visits, each with a smaller plan and so another hash: what an approved
/// plan covered stays approved for its generation, and anything beyond it does not.
pub fn gate(
    plan: &Plan,
    rule: Approval,
    generation: i64,
    annotation: Option<&str>,
    approved: Option<&ApprovedPlan>,
) -> Gate {
    let needed = match rule {
        Approval::Automatic => false,
        Approval::Destructive => plan.is_destructive(),
        Approval::Always => !plan.entries.is_empty(),
    };
    if !needed {
        return Gate::Open;
    }
    let targets = targets(plan);
    let covered = approved.is_some_and(|approved| {
        approved.generation == generation
            && targets
                .iter()
                .all(|target| approved.targets.contains(target))
    });
    if covered {
        return Gate::Open;
    }
    if annotation == Some(plan.hash.as_str()) {
        return Gate::Approved(ApprovedPlan {
            hash: plan.hash.clone(),
            generation,
            targets,
        });
    }
    Gate::Closed
}

fn targets(plan: &Plan) -> Vec<String> {
    plan.entries
        .iter()
        .map(|entry| format!("{} {}", entry.action.target(), entry.action.verb()))
        .collect()
}

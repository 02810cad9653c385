//! Whether a plan may run, or waits for a person. Pure.

pub use mirage_specs::wake::{APPROVE, RETRY};
use mirage_specs::{environment::Approval, plan::PlanReason, status::ApprovedPlan};

use super::plan::Plan;

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
    // Whoever declares `onFailure: rollback` has agreed to the way back; waiting for a person would leave what failed.
    let only_goes_back = plan
        .entries
        .iter()
        .all(|entry| entry.reason == PlanReason::RolledBack);
    if only_goes_back {
        return Gate::Open;
    }
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

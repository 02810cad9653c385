//! What must hold whatever happened, judged by Railway's own inventory and record.

mod bystanders;
mod canary;
mod ledger;
mod orphans;
mod settled;
mod wishes;

use std::collections::BTreeSet;

use mirage_railway_simulator::Inventory;

pub use settled::{has_given_up, is_settled, unsettled};

use crate::{history::wish::Wish, world::World};

/// What was so before Mirage came, and what may be found besides what it was told to make.
pub struct Expectation<'a> {
    /// Railway before.
    pub before: &'a Inventory,
    /// What the objects that are still there say.
    pub wishes: Vec<&'a Wish>,
    /// Railway ids of environments that were to stay when their object went.
    pub retained: &'a BTreeSet<String>,
    /// Secret values by key; planted to be found wherever they should not be.
    pub secrets: &'a std::collections::BTreeMap<String, String>,
    /// Secret values of the past.
    pub old_secrets: &'a [String],
    /// Railway made a new service in every ordinary environment, because it was not made by a change set.
    pub spills: bool,
}

/// Everything that does not hold, in words.
///
/// # Errors
/// When the world could not be asked.
pub async fn violations(world: &World, expected: &Expectation<'_>) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let inventory = world.simulator.inventory_with_values();
    orphans::duplicates(&inventory, expected, &mut found);
    orphans::orphans(world, &inventory, expected, &mut found).await?;
    wishes::unfulfilled(world, &inventory, expected, &mut found).await?;
    ledger::unbalanced(world, &inventory, expected, &mut found).await?;
    bystanders::touched(&inventory, expected, &mut found);
    bystanders::reached(world, expected, &mut found).await?;
    canary::leaks(world, expected, &mut found).await?;
    unfinished_plans(world, &mut found).await?;
    Ok(found)
}

/// Environments whose plan is not empty although they are said to be settled.
async fn unfinished_plans(world: &World, found: &mut Vec<String>) -> anyhow::Result<()> {
    for environment in world.environments().await? {
        let name = environment.metadata.name.clone().unwrap_or_default();
        if settled::is_refused(&environment) || settled::is_waiting(&environment) {
            continue;
        }
        if let Some(planned) = world.plan(&environment).await?
            && !planned.plan.actions.is_empty()
        {
            found.push(format!(
                "{name}: a second plan is not empty: {}",
                planned.lines.join("; ")
            ));
        }
    }
    Ok(())
}

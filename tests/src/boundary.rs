//! A walk over every boundary: the same act again and again, killed before and after each of its effects.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mirage_railway_simulator::{DashboardEdit, Inventory, Quirk, Timing};
use serde_json::json;

use crate::{
    history::{HAND_MADE, wish::Wish},
    invariants::{self, Expectation},
    manifest, seeds,
    world::{Cut, Cutting, World, WorldOptions},
};

/// What Mirage is killed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// An environment with one of everything comes to be, in a project that is not there yet.
    Provision,
    /// Something is changed, something added, something left out.
    Update,
    /// All of it goes.
    Teardown,
}

/// Everything must have come to rest so long after the kill.
const REST_WITHIN: Duration = Duration::from_secs(40 * 60);

const NAME: &str = "stage";
const PROJECT: &str = "shop";

/// Walks an act from its first effect to its last, on the change-set path or the patch path.
///
/// # Errors
/// What did not hold, and where the kill was.
pub fn walk(act: Act, change_sets: bool) -> Result<u64, String> {
    let effects = attempt(act, change_sets, None)?;
    // Runs after a kill may take a way of their own, so a few more than were counted: these come to no kill.
    let cuts = 2 * (effects + 3);
    seeds::play_all(0..cuts, "boundaries::", |index| {
        let side = if index % 2 == 0 {
            Cutting::Before
        } else {
            Cutting::After
        };
        let cut = Cut {
            at: index / 2 + 1,
            side,
        };
        attempt(act, change_sets, Some(cut))
            .map(|_| ())
            .map_err(|why| format!("{act:?}, killed at {cut:?}: {why}"))
    })?;
    Ok(effects)
}

/// One run of an act. Returns how many effects it had.
fn attempt(act: Act, change_sets: bool, cut: Option<Cut>) -> Result<u64, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| error.to_string())?;
    runtime
        .block_on(run(act, change_sets, cut))
        .map_err(|error| format!("{error:#}"))
}

async fn run(act: Act, change_sets: bool, cut: Option<Cut>) -> anyhow::Result<u64> {
    let mut options = WorldOptions::lifelike(1);
    // Delays are another test's matter, but for those of the creation throttle.
    options.railway.timing = Timing {
        creation_throttle: Timing::default().creation_throttle,
        ..Timing::instant()
    };
    if !change_sets {
        options.railway.quirks = options.railway.quirks.with(Quirk::ChangeSetsUnavailable);
    }
    let mut world = World::new(options).await?;
    let others = format!("{HAND_MADE}-project");
    world.simulator.edit(DashboardEdit::CreateProject {
        name: others.clone(),
    })?;
    world.simulator.edit(DashboardEdit::CreateService {
        environment: format!("{others}/production"),
        name: "web".to_owned(),
        image: "legacy:1".to_owned(),
    })?;
    let before = world.simulator.inventory_with_values();
    let secrets = BTreeMap::from([("token".to_owned(), "canary-5f3a9c".to_owned())]);
    world.secrets("keys", json!(secrets)).await?;
    world.start();
    // The credential is looked at first; that is not part of any act.
    world.pass(Duration::from_secs(5)).await;

    let first = manifest::wish_for_everything(NAME, PROJECT);
    let second = manifest::another_wish_for_everything(NAME, PROJECT);
    if act != Act::Provision {
        world.apply(&first.manifest()).await?;
        must_rest(&mut world, &before, &secrets, Some(&first), !change_sets).await?;
    }
    let effects_before = world.effects();
    if let Some(cut) = cut {
        world.cut(cut);
    }
    let left = match act {
        Act::Provision => {
            world.apply(&first.manifest()).await?;
            Some(&first)
        }
        Act::Update => {
            world.apply(&second.manifest()).await?;
            Some(&second)
        }
        Act::Teardown => {
            world.delete(NAME).await?;
            None
        }
    };
    must_rest(&mut world, &before, &secrets, left, !change_sets).await?;
    world.disarm();
    world.start();
    Ok(world.effects().saturating_sub(effects_before))
}

async fn must_rest(
    world: &mut World,
    before: &Inventory,
    secrets: &BTreeMap<String, String>,
    wish: Option<&Wish>,
    spills: bool,
) -> anyhow::Result<()> {
    let wanted = usize::from(wish.is_some());
    let rested = world
        .pass_until(REST_WITHIN, async |world| {
            let there = world.environments().await?.len();
            Ok(world.is_running()
                && there == wanted
                && invariants::unsettled(world).await?.is_empty())
        })
        .await?;
    if !rested {
        anyhow::bail!(
            "no rest: {}",
            invariants::unsettled(world).await?.join("; ")
        );
    }
    let expected = Expectation {
        before,
        wishes: wish.into_iter().collect(),
        retained: &BTreeSet::new(),
        secrets,
        old_secrets: &[],
        spills,
    };
    let found = invariants::violations(world, &expected).await?;
    anyhow::ensure!(found.is_empty(), "{}", found.join("\n    "));
    if wish.is_none() {
        let mark = world
            .simulator
            .inventory()
            .environment(PROJECT, NAME)
            .is_some();
        anyhow::ensure!(!mark, "the environment is still there");
    }
    let mutations = world.simulator.requests().mutations;
    world.pass(Duration::from_secs(10 * 60)).await;
    let more = world.simulator.requests().mutations - mutations;
    anyhow::ensure!(
        more == 0,
        "{more} mutations although everything was at rest"
    );
    Ok(())
}

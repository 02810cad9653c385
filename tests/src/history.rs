//! A random history of a small company: specs come, change and go, Railway has bad days, Mirage is killed, somebody
//! edits in the dashboard. Then it quietens down, and everything must be as declared, and stay so.

mod imagine;
mod trouble;
pub mod wish;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::Context as _;
use mirage_railway_simulator::{DashboardEdit, Inventory, Quirk};
use mirage_specs::wake::RETRY;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;

use crate::{
    invariants::{self, Expectation},
    world::{Cut, Cutting, World, WorldOptions},
};
use wish::Wish;

/// How names of what people make by hand begin.
pub const HAND_MADE: &str = "hand";

/// Everything must have come to rest so long after the last fault: teardown alone may take a quarter of an hour, and
/// a creation whose answer was lost is waited for.
const REST_WITHIN: Duration = Duration::from_secs(45 * 60);

/// How long it must stay so.
const STAYS_FOR: Duration = Duration::from_secs(10 * 60);

/// Plays one history.
///
/// # Errors
/// What did not hold, with the story up to it.
pub fn play(seed: u64) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut history = History::begin(seed)
            .await
            .map_err(|error| format!("{error:#}"))?;
        let result = history.run().await;
        let story = history.story.join("\n    ");
        if history.tells_all {
            eprintln!("seed {seed}:\n    {story}");
            for (effect, times) in history.effects() {
                eprintln!("  {times:5} × {effect}");
            }
        }
        result.map_err(|error| format!("{error:#}\n  story:\n    {story}"))
    })
}

struct History {
    world: World,
    random: StdRng,
    wishes: Vec<Wish>,
    before: Inventory,
    retained: BTreeSet<String>,
    secrets: BTreeMap<String, String>,
    old_secrets: Vec<String>,
    spills: bool,
    story: Vec<String>,
    /// One seed was asked for: then somebody wants to know every word.
    tells_all: bool,
}

impl History {
    async fn begin(seed: u64) -> anyhow::Result<Self> {
        let mut random = StdRng::seed_from_u64(seed);
        let mut options = WorldOptions::lifelike(seed);
        options.railway.quirks = trouble::quirks(&mut random);
        let spills = options.railway.quirks.has(Quirk::ChangeSetsUnavailable);
        let story = vec![format!("quirks: {:?}", options.railway.quirks)];
        let world = World::new(options).await?;
        let mut history = Self {
            world,
            random,
            wishes: Vec::new(),
            before: Inventory::default(),
            retained: BTreeSet::new(),
            secrets: BTreeMap::new(),
            old_secrets: Vec::new(),
            spills,
            story,
            tells_all: std::env::var_os("MIRAGE_SEED").is_some(),
        };
        history.others_were_here()?;
        // What is new is not listed at once; what others have has been there for long.
        history.world.pass(Duration::from_secs(60)).await;
        for key in imagine::KEYS {
            history.rotate(key).await?;
        }
        history.before = history.world.simulator.inventory_with_values();
        Ok(history)
    }

    /// In some histories the project is there already, with things of other people in it.
    fn others_were_here(&mut self) -> anyhow::Result<()> {
        if !self.random.random_bool(0.4) {
            return Ok(());
        }
        let simulator = &self.world.simulator;
        let project = "shop".to_owned();
        simulator.edit(DashboardEdit::CreateProject {
            name: project.clone(),
        })?;
        let environment = format!("{project}/{HAND_MADE}-one");
        simulator.edit(DashboardEdit::CreateEnvironment {
            project,
            name: format!("{HAND_MADE}-one"),
        })?;
        simulator.edit(DashboardEdit::CreateService {
            environment: environment.clone(),
            name: format!("{HAND_MADE}-service"),
            image: "legacy:1".to_owned(),
        })?;
        simulator.edit(DashboardEdit::SetVariable {
            environment,
            service: None,
            name: "HAND".to_owned(),
            value: "made".to_owned(),
        })?;
        self.tell("others have a project with an environment of their own");
        Ok(())
    }

    fn tell(&mut self, what: &str) {
        self.story.push(format!("{} {what}", self.world.now()));
    }

    async fn rotate(&mut self, key: &str) -> anyhow::Result<()> {
        let value = format!("canary-{:016x}", self.random.random::<u64>());
        let manifest: serde_json::Map<_, _> = {
            let old = self.secrets.insert(key.to_owned(), value);
            self.old_secrets.extend(old);
            self.secrets
                .iter()
                .map(|(key, value)| (key.clone(), value.clone().into()))
                .collect()
        };
        self.world.secrets("keys", manifest.into()).await
    }

    async fn run(&mut self) -> anyhow::Result<()> {
        self.world.start();
        for index in 0..self.random.random_range(1..=3) {
            let project = if self.random.random_bool(0.7) {
                "shop"
            } else {
                "lab"
            };
            let mut wish = imagine::wish(&mut self.random, &format!("env-{index}"), project);
            let has_hand_made = !self.before.projects.is_empty() && project == "shop";
            if has_hand_made && self.random.random_bool(0.15) {
                wish.railway_name = format!("{HAND_MADE}-one");
                wish.is_refused = true;
                wish.ttl_minutes = None;
            }
            self.apply(wish).await?;
        }
        for _ in 0..self.random.random_range(2..=7) {
            let pause = self.random.random_range(0..120);
            self.world.downtime = Duration::from_secs(self.random.random_range(0..60));
            self.world.pass(Duration::from_secs(pause)).await;
            self.something_happens().await?;
        }
        self.peace().await?;
        self.must_rest("after the last fault").await?;
        if self.random.random_bool(0.3) {
            self.tell("everything is deleted");
            for name in self.names() {
                self.delete(&name).await?;
            }
            self.must_rest("after everything was deleted").await?;
            let left = self.world.environments().await?.len();
            anyhow::ensure!(left == 0, "{left} objects are left");
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        self.wishes.iter().map(|wish| wish.name.clone()).collect()
    }

    async fn apply(&mut self, wish: Wish) -> anyhow::Result<()> {
        let manifest = wish.manifest();
        if self.tells_all {
            self.tell(&format!("applies {}", manifest["spec"]));
        }
        self.world
            .apply(&manifest)
            .await
            .with_context(|| format!("{manifest}"))?;
        self.wishes.retain(|other| other.name != wish.name);
        self.wishes.push(wish);
        Ok(())
    }

    async fn delete(&mut self, name: &str) -> anyhow::Result<()> {
        if let Some(index) = self.wishes.iter().position(|wish| wish.name == name) {
            let wish = self.wishes.remove(index);
            self.note_retained(&wish).await?;
        }
        self.world.delete(name).await
    }

    async fn note_retained(&mut self, wish: &Wish) -> anyhow::Result<()> {
        if !wish.retain {
            return Ok(());
        }
        for object in self.world.past("environments.mirage.dev").await? {
            if object["metadata"]["name"] == wish.name.as_str() {
                let id = object["status"]["railway"]["environmentId"].as_str();
                self.retained.extend(id.map(str::to_owned));
            }
        }
        Ok(())
    }

    async fn something_happens(&mut self) -> anyhow::Result<()> {
        match self.random.random_range(0..20) {
            0..4 => {
                let at = self.random.random_range(1..25);
                let side = if self.random.random_bool(0.5) {
                    Cutting::Before
                } else {
                    Cutting::After
                };
                self.tell(&format!("Mirage will be killed at effect {at}, {side:?}"));
                self.world.cut(Cut { at, side });
            }
            4 => {
                self.tell("Mirage is killed");
                self.world.crash().await;
            }
            5..10 => {
                let fault = trouble::fault(&mut self.random, &self.wishes);
                self.tell(&format!("fault: {}", serde_json::to_string(&fault)?));
                let _ = self.world.simulator.inject(fault);
            }
            10 => {
                let fault = trouble::bad_deployments(&mut self.random);
                self.tell(&format!("fault: {}", serde_json::to_string(&fault)?));
                let _ = self.world.simulator.inject(fault);
            }
            11..14 => {
                if let Some(edit) = trouble::edit(&mut self.random, &self.wishes) {
                    // What is to be edited may not be there yet; then nobody edits it.
                    let done = self.world.simulator.edit(edit.clone()).is_ok();
                    self.tell(&format!(
                        "dashboard: {} ({done})",
                        serde_json::to_string(&edit)?
                    ));
                }
            }
            14 => {
                let key = imagine::KEYS[self.random.random_range(0..imagine::KEYS.len())];
                self.tell(&format!("secret {key} is changed"));
                self.rotate(key).await?;
            }
            15 => {
                let names = self.names();
                if !names.is_empty() {
                    let name = names[self.random.random_range(0..names.len())].clone();
                    self.tell(&format!("deletes {name}"));
                    self.delete(&name).await?;
                }
            }
            _ => {
                let index = if self.wishes.is_empty() {
                    return Ok(());
                } else {
                    self.random.random_range(0..self.wishes.len())
                };
                let mut wish = self.wishes[index].clone();
                let what = imagine::reconsider(&mut self.random, &mut wish);
                self.tell(&format!("{} {what}", wish.name));
                if self
                    .world
                    .environment(&wish.name)
                    .await?
                    .is_some_and(|object| object.metadata.deletion_timestamp.is_none())
                {
                    self.apply(wish).await?;
                }
            }
        }
        Ok(())
    }

    /// From here on nothing goes wrong any more.
    async fn peace(&mut self) -> anyhow::Result<()> {
        self.world.simulator.clear_faults();
        self.world.disarm();
        self.world.start();
        self.tell("peace");
        Ok(())
    }

    /// Those whose time is over are gone, and are no longer wished for.
    async fn forget_expired(&mut self) -> anyhow::Result<()> {
        for wish in self.wishes.clone() {
            if wish.ttl_minutes.is_some() && self.world.environment(&wish.name).await?.is_none() {
                self.note_retained(&wish).await?;
                self.wishes.retain(|other| other.name != wish.name);
            }
        }
        Ok(())
    }

    async fn must_rest(&mut self, when: &str) -> anyhow::Result<()> {
        // What nobody tells Mirage of is seen when it looks: at Railway each minute, at Secrets and at what its ledger
        // kept for fear of a lagging read every ten.
        self.world.pass(Duration::from_secs(11 * 60)).await;
        let timed: Vec<String> = self
            .wishes
            .iter()
            .filter(|wish| wish.ttl_minutes.is_some())
            .map(|wish| wish.name.clone())
            .collect();
        let deleted = self.names();
        let rested = self
            .world
            .pass_until(REST_WITHIN, async |world| {
                let objects = world.environments().await?;
                // Somebody looks after rollouts that failed.
                let mut is_retried = false;
                for object in objects
                    .iter()
                    .filter(|object| invariants::has_given_up(object))
                {
                    let name = object.metadata.name.clone().unwrap_or_default();
                    let retry = json!({"metadata": {"annotations": {RETRY: "again"}}});
                    world.merge(&name, &retry).await?;
                    is_retried = true;
                }
                if is_retried {
                    return Ok(false);
                }
                let over = objects.iter().all(|object| {
                    let name = object.metadata.name.clone().unwrap_or_default();
                    deleted.contains(&name) && !timed.contains(&name)
                });
                Ok(over && invariants::unsettled(world).await?.is_empty())
            })
            .await?;
        if !rested {
            anyhow::bail!(
                "no rest {when}: {}",
                invariants::unsettled(&self.world).await?.join("; ")
            );
        }
        let (requests, effects) = (self.world.simulator.requests().total, self.world.effects());
        self.tell(&format!(
            "at rest after {requests} requests to Railway, and {effects} effects of this life"
        ));
        self.forget_expired().await?;
        self.must_hold(when).await?;
        let mutations = self.world.simulator.requests().mutations;
        self.world.pass(STAYS_FOR).await;
        let more = self.world.simulator.requests().mutations - mutations;
        anyhow::ensure!(
            more == 0,
            "{more} mutations {when}, although everything was at rest: {}",
            self.last_mutations()
        );
        self.must_hold(when).await
    }

    async fn must_hold(&self, when: &str) -> anyhow::Result<()> {
        let expected = Expectation {
            before: &self.before,
            wishes: self.wishes.iter().collect(),
            retained: &self.retained,
            secrets: &self.secrets,
            old_secrets: &self.old_secrets,
            // A change that also adopts what the project has already takes the other way, for all that is in it.
            spills: self.spills || self.world.simulator.requests().of("serviceCreate") > 0,
        };
        let found = invariants::violations(&self.world, &expected).await?;
        anyhow::ensure!(found.is_empty(), "{when}: {}", found.join("\n    "));
        Ok(())
    }

    /// What the last life did, and how often.
    fn effects(&self) -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        for name in self.world.effect_names() {
            *counts.entry(name).or_default() += 1;
        }
        counts
    }

    fn last_mutations(&self) -> String {
        let log = self.world.simulator.log();
        let mutations = log.iter().rev().filter(|request| request.mutation).take(6);
        mutations
            .map(|request| format!("{} {:?} {}", request.at, request.fields, request.outcome))
            .collect::<Vec<_>>()
            .join("; ")
    }
}

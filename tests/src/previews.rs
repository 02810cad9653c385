//! A week of pull requests: fifty are opened, pushed to, closed and opened again, webhooks get lost, come twice and out of
//! order, GitHub has bad moments, Mirage is killed. Then it is quiet, and everything must be as the open ones ask.
//!
//! ```text
//!   people.rs  what people do, and when ──► github ──► post.rs  webhooks: lost, late, twice ──┐
//!                                             ▲                                              ▼
//!   trouble.rs  faults of GitHub's, kills ────┴───────────────────────────────────────── world
//!                                                                                           │
//!                                                     judge.rs  what must hold at the end ◄─┘
//! ```

mod judge;
mod people;
mod post;
mod scene;
mod trouble;

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::time::Instant;

pub(crate) use judge::unfulfilled;
use people::Deed;
use post::Post;
pub use scene::{POLICY, SHOP, Scene};
use trouble::Trouble;

/// A week.
const LENGTH: Duration = Duration::from_secs(7 * 24 * 3_600);

/// How often the repository is looked at without a webhook: seldom, so that it matters when one gets lost.
const INTERVAL: &str = "15m";

/// Pull requests in it.
const PULL_REQUESTS: u64 = 50;

/// Kills in it.
const KILLS: u64 = 3;

/// Everything must have come to rest so long after the last event: creations are a throttle of 30 s apart, and a teardown
/// may take a quarter of an hour.
const REST_WITHIN: Duration = Duration::from_secs(2 * 3_600);

/// How long it must stay so.
const STAYS_FOR: Duration = Duration::from_secs(30 * 60);

/// Something that happens.
enum Event {
    Person(Deed),
    Trouble(Trouble),
}

/// Plays one week.
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
        let mut week = Week::begin(seed)
            .await
            .map_err(|error| format!("{error:#}"))?;
        let result = week.run().await;
        let story = week.story.join("\n    ");
        result.map_err(|error| format!("{error:#}\n  story:\n    {story}"))
    })
}

struct Week {
    scene: Scene,
    random: StdRng,
    /// Latest first, so that the next one is the last.
    events: Vec<(Duration, Event)>,
    post: Post,
    story: Vec<String>,
    /// One seed was asked for: then somebody wants to know every word, as it happens.
    tells_all: bool,
}

impl Week {
    async fn begin(seed: u64) -> anyhow::Result<Self> {
        let mut random = StdRng::seed_from_u64(seed);
        let mut scene = Scene::new(seed, INTERVAL).await?;
        scene.world.start();
        let deeds = people::week(&mut random, PULL_REQUESTS, LENGTH)
            .into_iter()
            .map(|(at, deed)| (at, Event::Person(deed)));
        let troubles = trouble::week(&mut random, KILLS, LENGTH)
            .into_iter()
            .map(|(at, trouble)| (at, Event::Trouble(trouble)));
        let mut events: Vec<_> = deeds.chain(troubles).collect();
        // What is planned for the same second stays in its order: nobody pushes before the opening.
        events.sort_by_key(|(at, _)| *at);
        events.reverse();
        Ok(Self {
            scene,
            random,
            events,
            post: Post::default(),
            story: Vec::new(),
            tells_all: std::env::var_os("MIRAGE_SEED").is_some(),
        })
    }

    fn tell(&mut self, what: &str) {
        let line = format!("{} {what}", self.scene.world.now());
        if self.tells_all {
            let requests = self.scene.world.simulator.requests();
            eprintln!(
                "{line} (so far: {} effects of this life, {} requests to Railway, {} to GitHub)",
                self.scene.world.effects(),
                requests.total,
                self.scene.github.asked().len(),
            );
        }
        self.story.push(line);
    }

    async fn run(&mut self) -> anyhow::Result<()> {
        let start = Instant::now();
        while let Some((at, event)) = self.events.pop() {
            self.pass_until(start + at).await;
            self.happen(event).await;
        }
        self.pass_until(start + LENGTH).await;
        self.tell(&format!(
            "quiet: {} webhooks came, {} were lost, {} came again; killed {} times",
            self.post.carried, self.post.lost, self.post.repeated, self.scene.world.crashes
        ));
        self.scene.github.clear_faults();
        self.scene.world.disarm();
        self.scene.world.start();
        anyhow::ensure!(
            self.scene.world.crashes >= KILLS,
            "Mirage was killed only {} times",
            self.scene.world.crashes
        );
        self.must_rest().await
    }

    /// Lets time pass, and carries the webhooks that are due meanwhile.
    async fn pass_until(&mut self, until: Instant) {
        loop {
            let next = self.post.next_due().filter(|due| *due <= until);
            let moment = next.unwrap_or(until);
            let wait = moment.saturating_duration_since(Instant::now());
            self.scene.world.pass(wait).await;
            match next {
                Some(_) => self.post.carry_due(&self.scene.world).await,
                None => return,
            }
        }
    }

    async fn happen(&mut self, event: Event) {
        match event {
            Event::Person(deed) => {
                if let Some(what) = deed.done_on(&self.scene.github) {
                    self.tell(&what);
                }
                let sent = self.scene.github.take_deliveries();
                self.post.take(&mut self.random, sent);
            }
            Event::Trouble(trouble) => {
                self.tell(&trouble.to_string());
                let away = Duration::from_secs(self.random.random_range(0..900));
                self.scene.world.downtime = away;
                trouble.strike(&mut self.scene).await;
            }
        }
    }

    async fn must_rest(&mut self) -> anyhow::Result<()> {
        let github = self.scene.github.clone();
        let rested = self
            .scene
            .world
            .pass_until(REST_WITHIN, async |world| {
                Ok(judge::unfulfilled(world, &github).await?.is_empty())
            })
            .await?;
        if !rested {
            let missing = judge::unfulfilled(&self.scene.world, &github).await?;
            anyhow::bail!("no rest: {}", missing.join("\n    "));
        }
        self.tell("at rest");
        // What is said on GitHub may come a visit later.
        self.scene.world.pass(STAYS_FOR).await;
        let before = self.writes();
        self.scene.world.pass(STAYS_FOR).await;
        let after = self.writes();
        anyhow::ensure!(
            before == after,
            "something was written although everything was at rest: {before:?} and then {after:?}"
        );
        let found = judge::violations(&self.scene.world, &github).await?;
        anyhow::ensure!(found.is_empty(), "{}", found.join("\n    "));
        Ok(())
    }

    /// Mutations at Railway and writes at GitHub so far.
    fn writes(&self) -> (u64, usize) {
        let asked = self.scene.github.asked();
        (
            self.scene.world.simulator.requests().mutations,
            asked.iter().filter(|asked| asked.writes).count(),
        )
    }
}

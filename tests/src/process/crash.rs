//! Killing Mirage at one boundary after the other.
//!
//! A boundary lies before or after the effect of a mutation: Railway holds the nth one there, the process dies, and its
//! connection with it. Railway then goes on as if nothing had been, and so must Mirage when it is started again.

use anyhow::{Context as _, Result, anyhow, ensure};
use kube::Client;
use mirage_railway_simulator::{Fault, FaultId, FaultKind, When};
use serde_json::Value;

use super::{
    inventory,
    mirage::Mirage,
    objects,
    railway::{Railway, WritePath},
    specs::{self, NAME},
    waiting::{Look, until},
};

/// Mirage and its Railway, with the Secret that the specs read.
pub struct Scene {
    /// The Railway.
    pub railway: Railway,
    /// The process.
    pub mirage: Mirage,
    /// A user. Stays valid over restarts no longer than the addresses do: take a new one after each.
    pub client: Client,
}

impl Scene {
    /// Both started, nothing declared.
    ///
    /// # Errors
    /// One of them did not start.
    pub async fn begin(path: WritePath) -> Result<Self> {
        let railway = Railway::start(path).await?;
        let mirage = Mirage::on(&railway).await?;
        let client = mirage.client().await?;
        objects::apply_secret(
            &client,
            &specs::secret("keys", "token", "a value of no weight"),
        )
        .await?;
        Ok(Self {
            railway,
            mirage,
            client,
        })
    }

    /// Declares and waits until it is so.
    ///
    /// # Errors
    /// It does not come to that, or Railway shows something else.
    pub async fn reach(&self, manifest: &Value) -> Result<()> {
        objects::apply(&self.client, manifest).await?;
        self.arrive(manifest).await
    }

    /// Waits until what is declared is so, then holds Railway against it.
    ///
    /// # Errors
    /// It does not come to that, or Railway shows something else.
    pub async fn arrive(&self, manifest: &Value) -> Result<()> {
        until("Railway to be as declared", async || {
            let object = objects::settled(&self.client, NAME).await?;
            let inventory = self.railway.simulator.inventory();
            let matched = inventory::matches(&inventory, manifest, &object);
            Ok(Look::when(matched.as_ref().ok().copied(), || {
                format!("{:?}", matched.err())
            }))
        })
        .await
    }

    /// Lets Railway hold the nth mutation from here on.
    pub fn hold(&self, nth: u64, when: When) -> FaultId {
        self.railway
            .simulator
            .inject(Fault::new(FaultKind::Hold { when }).on("mutation").nth(nth))
    }

    /// Kills Mirage while a mutation is held, lets its connection break, and starts it again.
    ///
    /// # Errors
    /// It does not start again.
    pub async fn die_and_rise(&mut self, held: FaultId) -> Result<()> {
        self.mirage.kill().await?;
        let simulator = self.railway.simulator.clone();
        until("the dead process's connection to break", async || {
            let left = simulator.held(held);
            Ok(Look::when((left == 0).then_some(()), || {
                format!("{left} calls held")
            }))
        })
        .await?;
        simulator.clear_faults();
        self.mirage.start_again().await?;
        self.client = self.mirage.client().await?;
        Ok(())
    }

    fn with_log(&self, error: &anyhow::Error) -> anyhow::Error {
        anyhow!(
            "{error:#}\n--- log\n{}",
            self.mirage.log().unwrap_or_default()
        )
    }

    /// Waits for the boundary or for the end, whichever comes: whether the boundary was there.
    ///
    /// # Errors
    /// Neither came.
    pub async fn meets(
        &self,
        held: FaultId,
        end: impl Future<Output = Result<()>>,
    ) -> Result<bool> {
        tokio::select! {
            () = self.railway.simulator.until_held(held) => Ok(true),
            ended = end => ended.map(|()| false),
        }
    }
}

/// What is walked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journey {
    /// From nothing to one of everything.
    Provision,
    /// To the edited state, and back again: both ways are held at each boundary that they have.
    Update,
    /// From one of everything to nothing.
    Teardown,
}

/// Kills Mirage at every boundary of a journey, one run each, until a run comes through unharmed. Returns how many
/// boundaries there were.
///
/// # Errors
/// A run did not converge, or left a duplicate or an orphan; says which boundary.
pub async fn walk(journey: Journey, path: WritePath, when: When) -> Result<u64> {
    let boundary = |nth: u64| format!("{journey:?} by {path:?}, killed {when:?} mutation {nth}");
    match journey {
        Journey::Provision => {
            for nth in 1.. {
                if !provision(nth, path, when)
                    .await
                    .with_context(|| boundary(nth))?
                {
                    return Ok(nth - 1);
                }
            }
        }
        Journey::Update => {
            for nth in 1.. {
                // A world of its own each time: a service that was once in a project may leave something there, and is not
                // made a second time.
                let mut scene = Scene::begin(path).await?;
                scene.reach(&specs::before()).await?;
                let mut met = false;
                for to in [specs::after(), specs::before()] {
                    let one = update(&mut scene, nth, when, &to).await;
                    met |= one.with_context(|| boundary(nth))?;
                }
                // The way there and the way back may have different lengths.
                if !met {
                    return Ok(nth - 1);
                }
            }
        }
        Journey::Teardown => {
            for nth in 1.. {
                if !teardown(nth, path, when)
                    .await
                    .with_context(|| boundary(nth))?
                {
                    return Ok(nth - 1);
                }
            }
        }
    }
    Ok(u64::MAX)
}

async fn provision(nth: u64, path: WritePath, when: When) -> Result<bool> {
    let mut scene = Scene::begin(path).await?;
    let held = scene.hold(nth, when);
    objects::apply(&scene.client, &specs::before()).await?;
    let met = scene
        .meets(held, async {
            objects::settled(&scene.client, NAME).await.map(drop)
        })
        .await?;
    if met {
        scene.die_and_rise(held).await?;
    }
    scene
        .arrive(&specs::before())
        .await
        .map_err(|error| scene.with_log(&error))?;
    Ok(met)
}

async fn update(scene: &mut Scene, nth: u64, when: When, to: &Value) -> Result<bool> {
    let held = scene.hold(nth, when);
    objects::apply(&scene.client, to).await?;
    let met = scene
        .meets(held, async {
            objects::settled(&scene.client, NAME).await.map(drop)
        })
        .await?;
    if met {
        scene.die_and_rise(held).await?;
    }
    scene.railway.simulator.clear_faults();
    scene
        .arrive(to)
        .await
        .map_err(|error| scene.with_log(&error))?;
    Ok(met)
}

async fn teardown(nth: u64, path: WritePath, when: When) -> Result<bool> {
    let mut scene = Scene::begin(path).await?;
    scene.reach(&specs::before()).await?;
    let held = scene.hold(nth, when);
    objects::delete(&scene.client, NAME).await?;
    let met = scene
        .meets(held, objects::gone(&scene.client, NAME))
        .await?;
    if met {
        scene.die_and_rise(held).await?;
        objects::gone(&scene.client, NAME)
            .await
            .map_err(|error| scene.with_log(&error))?;
    }
    let simulator = scene.railway.simulator.clone();
    until("Railway to have deleted everything", async || {
        let left = inventory::is_empty(&simulator.inventory());
        Ok(Look::when(left.as_ref().ok().copied(), || {
            format!("{:?}", left.err())
        }))
    })
    .await?;
    ensure!(
        receipts(&scene.client).await? == 0,
        "something was left behind as an Orphan"
    );
    Ok(met)
}

async fn receipts(client: &Client) -> Result<usize> {
    let orphans: kube::Api<mirage_specs::Orphan> = kube::Api::all(client.clone());
    Ok(orphans
        .list(&kube::api::ListParams::default())
        .await?
        .items
        .len())
}

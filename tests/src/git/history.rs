//! Random histories of a repository and of those who edit what it declares by hand, with kills.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, ensure};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use mirage_specs::{EnvironmentTemplate, GitSync};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use super::Depot;
use crate::world::{Cut, Cutting, World, WorldOptions};

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const STEPS: usize = 30;
/// Long enough for a fight to be forgotten, and for every retry.
const REST: Duration = Duration::from_secs(40 * 60);

/// Plays one history.
///
/// # Errors
/// What did not hold, with the story.
pub fn play(seed: u64) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut story = Vec::new();
        history(seed, &mut story)
            .await
            .map_err(|error| format!("{error:#}\n  story:\n    {}", story.join("\n    ")))
    })
}

/// Template name to image.
type Wishes = BTreeMap<&'static str, String>;

async fn history(seed: u64, story: &mut Vec<String>) -> anyhow::Result<()> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = World::new(WorldOptions::lifelike(seed)).await?;
    let mut depot = Depot::new()?;
    depot.push("main", [("README.md", "nothing yet")])?;
    // Somebody's own, which no repository declares.
    let own = template("mine", "nginx:mine");
    world
        .objects::<EnvironmentTemplate>()
        .create(&PostParams::default(), &serde_json::from_value(own)?)
        .await?;
    follow(&world, &depot).await?;
    world.start();
    for _ in 0..STEPS {
        step(&mut world, &mut depot, &mut random, story).await?;
        let seconds = random.random_range(1..120);
        world.pass(Duration::from_secs(seconds)).await;
    }
    world.disarm();
    let wishes = wishes(&mut random, "last");
    let commit = depot.push("main", files(&wishes))?;
    story.push(format!("at last {wishes:?}"));
    world.pass(REST).await;
    judge(&world, &wishes, &commit).await
}

async fn step(
    world: &mut World,
    depot: &mut Depot,
    random: &mut StdRng,
    story: &mut Vec<String>,
) -> anyhow::Result<()> {
    let name = NAMES[random.random_range(0..NAMES.len())];
    match random.random_range(0..8) {
        0..=2 => {
            let version = random.random_range(0..1000).to_string();
            let wishes = wishes(random, &version);
            story.push(format!("push {wishes:?}"));
            let mut files = files(&wishes);
            if random.random_range(0..4) == 0 {
                story.push("with a faulty file".to_owned());
                files.insert("faulty.yaml".to_owned(), "kind: [".to_owned());
            }
            depot.push("main", files)?;
        }
        3 => {
            story.push("the branch goes".to_owned());
            // It may be gone already.
            let _ = depot.delete_branch("main");
        }
        4 | 5 => {
            story.push(format!("{name} is edited by hand"));
            let params = PatchParams {
                field_manager: Some("kubectl-edit".to_owned()),
                ..PatchParams::default()
            };
            let image = json!({"image": "nginx:hand"});
            let patch = json!({"spec": {"base": {"services": {"web": {"source": image}}}}});
            let edited = world
                .objects::<EnvironmentTemplate>()
                .patch(name, &params, &Patch::Merge(patch))
                .await;
            unless_missing(edited)?;
        }
        6 => {
            story.push(format!("{name} is deleted by hand"));
            let deleted = world
                .objects::<EnvironmentTemplate>()
                .delete(name, &DeleteParams::default())
                .await;
            unless_missing(deleted)?;
        }
        _ => {
            let cut = Cut {
                at: random.random_range(1..12),
                side: if random.random_range(0..2) == 0 {
                    Cutting::Before
                } else {
                    Cutting::After
                },
            };
            story.push(format!("a kill at {cut:?}"));
            world.cut(cut);
        }
    }
    Ok(())
}

fn unless_missing<T>(outcome: kube::Result<T>) -> anyhow::Result<()> {
    match outcome {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        other => other.map(drop).context("an edit by hand"),
    }
}

fn wishes(random: &mut StdRng, version: &str) -> Wishes {
    NAMES
        .into_iter()
        .filter(|_| random.random_range(0..2) == 0)
        .map(|name| (name, format!("nginx:{name}-{version}")))
        .collect()
}

fn files(wishes: &Wishes) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = wishes
        .iter()
        .map(|(name, image)| (format!("{name}.yaml"), template(name, image).to_string()))
        .collect();
    files.insert("README.md".to_owned(), "the folder is there".to_owned());
    files
}

fn template(name: &str, image: &str) -> Value {
    json!({
        "apiVersion": "mirage.dev/v1alpha1", "kind": "EnvironmentTemplate", "metadata": {"name": name},
        "spec": {"base": {"services": {"web": {"source": {"image": image}}}}},
    })
}

async fn follow(world: &World, depot: &Depot) -> anyhow::Result<()> {
    let sync: GitSync = serde_json::from_value(json!({
        "apiVersion": "mirage.dev/v1alpha1", "kind": "GitSync", "metadata": {"name": "shop"},
        "spec": {"url": depot.url(), "branch": "main", "interval": "1m"},
    }))?;
    world
        .objects::<GitSync>()
        .create(&PostParams::default(), &sync)
        .await?;
    Ok(())
}

async fn judge(world: &World, wishes: &Wishes, commit: &str) -> anyhow::Result<()> {
    let status = world
        .objects::<GitSync>()
        .get("shop")
        .await?
        .status
        .context("the sync has a status")?;
    ensure!(
        status.phase.as_deref() == Some("Synced"),
        "not synced: {status:#?}"
    );
    ensure!(
        status.applied_commit.as_deref() == Some(commit),
        "another commit: {status:#?}"
    );
    let mut expected: BTreeMap<String, String> = wishes
        .iter()
        .map(|(name, image)| ((*name).to_owned(), image.clone()))
        .collect();
    let inventory: Vec<&str> = status
        .inventory
        .iter()
        .map(|entry| entry.name.as_str())
        .collect();
    let brought: Vec<&str> = wishes.keys().copied().collect();
    ensure!(
        inventory == brought,
        "the inventory holds {inventory:?}, Git declares {brought:?}"
    );
    expected.insert("mine".to_owned(), "nginx:mine".to_owned());
    let mut found = BTreeMap::new();
    let all = world
        .objects::<EnvironmentTemplate>()
        .list(&ListParams::default())
        .await?;
    for object in all.items {
        let value = serde_json::to_value(&object)?;
        let image = value["spec"]["base"]["services"]["web"]["source"]["image"].as_str();
        found.insert(
            object.metadata.name.context("an object has a name")?,
            image.unwrap_or_default().to_owned(),
        );
    }
    ensure!(
        found == expected,
        "the API has {found:?}, Git declares {expected:?}"
    );
    Ok(())
}

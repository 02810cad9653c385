//! Killed at every boundary of a clone and of its rollback, and every mutation on Railway failing in every way.

use std::pin::Pin;

use mirage_railway_simulator::{DeploymentEnding, Fault, FaultKind, When};
use mirage_tests::{
    seeds,
    world::{Cut, Cutting},
};
use serde_json::{Value, json};

use super::scene::{DASHBOARD, LONG, MINUTE, PROJECT, SOURCE, Scene};

const OTHER: &str = "other";

fn options() -> Value {
    json!({"name": "twin", "project": {"name": OTHER}, "suffix": "-2"})
}

/// Runs a history of its own, on a clock of its own.
fn alone<T>(history: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(history)
}

/// What must be there of a clone that came to its end: it, whole, once, and nothing else.
async fn is_whole(scene: &mut Scene) -> Result<(), String> {
    let done = scene
        .world
        .pass_until(LONG, async |world| {
            let phase = match world.environment("twin").await? {
                Some(twin) => twin.status.and_then(|status| status.phase),
                None => anyhow::bail!("the clone is gone"),
            };
            Ok(world.is_running() && phase.as_deref() == Some("Ready"))
        })
        .await
        .map_err(|error| error.to_string())?;
    if !done {
        return Err(format!("not ready: {:#?}", scene.get("twin").await.status));
    }
    scene.world.pass(15 * MINUTE).await;
    let inventory = scene.world.simulator.inventory_with_values();
    let projects: Vec<_> = inventory
        .projects
        .iter()
        .filter(|project| project.name == OTHER)
        .collect();
    let [project] = projects.as_slice() else {
        return Err(format!("{} projects", projects.len()));
    };
    let twins: Vec<_> = project
        .environments
        .iter()
        .filter(|environment| environment.name == "twin")
        .collect();
    let [twin] = twins.as_slice() else {
        return Err(format!("{} environments", twins.len()));
    };
    let mut names: Vec<&str> = twin.services.iter().map(|one| one.name.as_str()).collect();
    names.sort_unstable();
    if names != ["api-2", "db-2", "web-2"] || twin.volumes.len() != 1 {
        return Err(format!("{names:?} and {} volumes", twin.volumes.len()));
    }
    if project.services.len() != 3 {
        return Err(format!("services left over: {:?}", project.services));
    }
    let copied = twin
        .service("api-2")
        .and_then(|api| api.variables["STRIPE_KEY"].as_deref());
    if copied != Some(DASHBOARD) {
        return Err("the value was not copied".to_owned());
    }
    let twin = scene.get("twin").await;
    let plan = scene.world.plan(&twin).await;
    match plan.map_err(|error| error.to_string())? {
        Some(plan) if !plan.plan.actions.is_empty() => {
            Err(format!("a second plan: {:?}", plan.lines))
        }
        _ => Ok(()),
    }
}

/// What must be there of a clone that was taken back: nothing but its project.
async fn is_nothing(scene: &mut Scene) -> Result<(), String> {
    let gone = scene
        .world
        .pass_until(LONG, async |world| {
            let inventory = world.simulator.inventory();
            let left = inventory.environment(OTHER, "twin");
            Ok(world.is_running()
                && world.environment("twin").await?.is_none()
                && left.is_none_or(|left| left.deleting))
        })
        .await
        .map_err(|error| error.to_string())?;
    if !gone {
        let left = scene.world.environment("twin").await;
        return Err(format!("not gone: {left:#?}"));
    }
    scene.world.pass(15 * MINUTE).await;
    let inventory = scene.world.simulator.inventory();
    let left = inventory.environment(OTHER, "twin").is_some();
    let orphans = scene
        .world
        .orphans()
        .await
        .map_err(|error| error.to_string())?;
    match (left, orphans.is_empty()) {
        (false, true) => Ok(()),
        _ => Err(format!("left over: {inventory:#?} {orphans:#?}")),
    }
}

async fn clone(cut: Option<Cut>) -> Result<u64, String> {
    let mut scene = Scene::at_once(101).await;
    let before = scene.world.effects();
    if let Some(cut) = cut {
        scene.world.cut(cut);
    }
    scene.clones(options()).await;
    is_whole(&mut scene).await?;
    scene.world.disarm();
    Ok(scene.world.effects().saturating_sub(before))
}

async fn rollback(cut: Option<Cut>) -> Result<u64, String> {
    let mut scene = Scene::at_once(102).await;
    let before = scene.world.effects();
    if let Some(cut) = cut {
        scene.world.cut(cut);
    }
    let failing = Fault::new(FaultKind::Deployment {
        ending: DeploymentEnding::BuildFails,
    });
    let _ = scene.world.simulator.inject(failing.object("web-2"));
    scene.clones(options()).await;
    is_nothing(&mut scene).await?;
    scene.world.disarm();
    Ok(scene.world.effects().saturating_sub(before))
}

type History = Pin<Box<dyn Future<Output = Result<u64, String>>>>;

/// The same again and again, killed before and after each of its effects.
fn survives(effects: u64, history: fn(Option<Cut>) -> History) {
    assert!(effects > 0, "nothing was done");
    // Runs after a kill may take a way of their own, so a few more than were counted: these come to no kill.
    let walked = seeds::play_all(0..2 * (effects + 2), "clones::", |index| {
        let side = if index % 2 == 0 {
            Cutting::Before
        } else {
            Cutting::After
        };
        let cut = Cut {
            at: index / 2 + 1,
            side,
        };
        alone(history(Some(cut)))
            .map(|_| ())
            .map_err(|why| format!("killed at {cut:?}: {why}"))
    });
    if let Err(failures) = walked {
        panic!("{failures}");
    }
}

#[test]
fn a_clone_survives_a_kill_at_every_boundary() {
    let effects = alone(clone(None)).unwrap();
    survives(effects, |cut| Box::pin(clone(cut)));
}

#[test]
fn a_rollback_survives_a_kill_at_every_boundary() {
    let effects = alone(rollback(None)).unwrap();
    survives(effects, |cut| Box::pin(rollback(cut)));
}

/// The mutations of a clone, in their order, by their root fields.
async fn mutations() -> Result<Vec<String>, String> {
    let mut scene = Scene::at_once(103).await;
    scene.world.simulator.reset_requests();
    scene.clones(options()).await;
    is_whole(&mut scene).await?;
    let log = scene.world.simulator.log();
    let sent = log.into_iter().filter(|request| request.mutation);
    Ok(sent
        .filter_map(|request| request.fields.into_iter().next())
        .collect())
}

#[test]
fn a_clone_survives_every_mutation_going_wrong_once_in_every_way() {
    let mutations = alone(mutations()).unwrap();
    assert!(mutations.len() >= 4, "{mutations:?}");
    let ways = |index: u64| match index {
        0 => FaultKind::AnswerLost { when: When::Before },
        1 => FaultKind::AnswerLost { when: When::After },
        2 => FaultKind::GatewayError {
            status: 502,
            when: When::Before,
            empty: false,
        },
        3 => FaultKind::GatewayError {
            status: 502,
            when: When::After,
            empty: false,
        },
        _ => FaultKind::ProblemProcessing,
    };
    let count = u64::try_from(mutations.len()).unwrap();
    let walked = seeds::play_all(0..count * 5, "clones::", |index| {
        let (nth, kind) = (index / 5 + 1, ways(index % 5));
        let told = format!("{:?} at mutation {nth} of {mutations:?}", kind);
        alone(async move {
            let mut scene = Scene::at_once(103).await;
            let fault = Fault::new(kind).on("mutation").nth(nth);
            let _ = scene.world.simulator.inject(fault);
            scene.clones(options()).await;
            is_whole(&mut scene).await
        })
        .map_err(|why| format!("{told}: {why}"))
    });
    if let Err(failures) = walked {
        panic!("{failures}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_source_is_never_written_to() {
    let mut scene = Scene::at_once(104).await;
    let before = scene.on_railway(PROJECT, SOURCE);
    scene.ready(options()).await;
    scene.world.pass(15 * MINUTE).await;
    assert_eq!(scene.on_railway(PROJECT, SOURCE), before);
}

//! Every answer lost after its effect: the process lives on and must not do twice what it was not told of.

use anyhow::{Context as _, Result, ensure};
use mirage_railway_simulator::{Fault, FaultKind, When};
use mirage_tests::process::{
    crash::Scene, inventory, objects, railway::WritePath, specs, specs::NAME,
};

fn answers_lost() -> Fault {
    Fault::new(FaultKind::AnswerLost { when: When::After }).on("mutation")
}

/// Provision, update and teardown, with the same fault over each of them.
async fn lives_through(path: WritePath, fault: impl Fn() -> Fault) -> Result<u64> {
    let scene = Scene::begin(path).await?;
    let simulator = &scene.railway.simulator;
    let mut struck = 0;
    for manifest in [specs::before(), specs::after()] {
        let id = simulator.inject(fault());
        scene.reach(&manifest).await?;
        struck += simulator
            .faults()
            .iter()
            .filter(|report| report.id == id)
            .map(|report| report.struck)
            .sum::<u64>();
        simulator.clear_faults();
    }
    let _lost = simulator.inject(fault());
    objects::delete(&scene.client, NAME).await?;
    objects::gone(&scene.client, NAME).await?;
    inventory::is_empty(&simulator.inventory())?;
    Ok(struck)
}

#[tokio::test]
async fn all_answers_to_mutations_may_be_lost_on_the_change_set_path() -> Result<()> {
    let struck = lives_through(WritePath::ChangeSet, answers_lost).await?;
    ensure!(struck >= 6, "only {struck} answers were lost");
    Ok(())
}

#[tokio::test]
async fn all_answers_to_mutations_may_be_lost_on_the_patch_path() -> Result<()> {
    let struck = lives_through(WritePath::Patch, answers_lost).await?;
    ensure!(struck >= 8, "only {struck} answers were lost");
    Ok(())
}

#[tokio::test]
async fn any_one_answer_to_a_mutation_may_be_lost() -> Result<()> {
    for path in [WritePath::ChangeSet, WritePath::Patch] {
        for nth in 1.. {
            let struck = lives_through(path, || answers_lost().nth(nth))
                .await
                .with_context(|| format!("answer {nth} lost by {path:?}"))?;
            if struck == 0 {
                ensure!(nth > 4, "only {nth} mutations by {path:?}");
                break;
            }
        }
    }
    Ok(())
}

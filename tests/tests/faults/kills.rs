//! SIGKILL at every boundary of a provision, an update and a teardown, on both write paths.

use anyhow::{Result, ensure};
use mirage_railway_simulator::When;
use mirage_tests::process::{
    crash::{Journey, walk},
    railway::WritePath,
};

/// Walks it before and after each effect. `at_least` guards against a walk that holds nothing and proves nothing.
async fn killed_everywhere(journey: Journey, path: WritePath, at_least: u64) -> Result<()> {
    for when in [When::Before, When::After] {
        let boundaries = walk(journey, path, when).await?;
        ensure!(
            boundaries >= at_least,
            "only {boundaries} boundaries in {journey:?} by {path:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_provision_by_change_set_survives_a_kill_at_every_boundary() -> Result<()> {
    killed_everywhere(Journey::Provision, WritePath::ChangeSet, 5).await
}

#[tokio::test]
async fn a_provision_by_patch_survives_a_kill_at_every_boundary() -> Result<()> {
    killed_everywhere(Journey::Provision, WritePath::Patch, 8).await
}

#[tokio::test]
async fn an_update_by_change_set_survives_a_kill_at_every_boundary() -> Result<()> {
    killed_everywhere(Journey::Update, WritePath::ChangeSet, 2).await
}

#[tokio::test]
async fn an_update_by_patch_survives_a_kill_at_every_boundary() -> Result<()> {
    killed_everywhere(Journey::Update, WritePath::Patch, 3).await
}

#[tokio::test]
async fn a_teardown_survives_a_kill_at_every_boundary() -> Result<()> {
    killed_everywhere(Journey::Teardown, WritePath::ChangeSet, 1).await?;
    killed_everywhere(Journey::Teardown, WritePath::Patch, 1).await
}

//! 13 to 18: who is asking, and what they may.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::{
    checklist::checklist,
    scene::{Scene, row},
};

checklist![
    wire_13_whoami_names_the_user_and_the_groups,
    wire_14_can_i_answers_for_each_user,
    wire_15_can_i_lists_all_rights,
    wire_16_a_wrong_token_is_told_to_log_in,
    wire_17_a_refusal_names_user_verb_resource_and_namespace,
    wire_18_acting_as_another_is_refused,
];

async fn wire_13_whoami_names_the_user_and_the_groups(scene: &Scene<'_>) -> Result<()> {
    let me = scene.does("auth whoami").await?;
    ensure!(row(&me, &["Username", "admin"]).is_some(), "{me}");
    ensure!(
        me.contains("Groups") && me.contains("system:masters"),
        "{me}"
    );
    Ok(())
}

async fn wire_14_can_i_answers_for_each_user(scene: &Scene<'_>) -> Result<()> {
    let said = scene.does("auth can-i delete env").await?;
    ensure!(said.trim() == "yes", "{said}");
    let viewer = scene.viewer().await?;
    let may = viewer.does(&["auth", "can-i", "list", "env"]).await?;
    ensure!(may.trim() == "yes", "{may}");
    let may_not = viewer.run(&["auth", "can-i", "delete", "env"]).await?;
    let may_not = may_not.with(1)?;
    ensure!(may_not.stdout.trim() == "no", "{}", may_not.said());
    Ok(())
}

async fn wire_15_can_i_lists_all_rights(scene: &Scene<'_>) -> Result<()> {
    let all = scene.does("auth can-i --list").await?;
    ensure!(
        all.starts_with("Resources") && row(&all, &["*.*", "[*]"]).is_some(),
        "{all}"
    );
    let viewers = scene
        .viewer()
        .await?
        .does(&["auth", "can-i", "--list"])
        .await?;
    ensure!(
        viewers.contains("[get list watch]") && row(&viewers, &["*.*", "[*]"]).is_none(),
        "{viewers}"
    );
    Ok(())
}

async fn wire_16_a_wrong_token_is_told_to_log_in(scene: &Scene<'_>) -> Result<()> {
    // Credentials of a kubeconfig go before --token, so it is tried with none in it.
    let nobody = scene
        .kubectl
        .with_kubeconfig(&scene.kubeconfig_of(&json!({}))?)?;
    nobody
        .run(&["--token=bad", "get", "environments"])
        .await?
        .refused("You must be logged in to the server")?;
    Ok(())
}

async fn wire_17_a_refusal_names_user_verb_resource_and_namespace(scene: &Scene<'_>) -> Result<()> {
    scene.make("web").await?;
    let viewer = scene.viewer().await?;
    let refused = viewer.run(&["delete", "env", "web"]).await?;
    refused.refused(&format!(
        "environments.mirage.dev \"web\" is forbidden: User \"viewer\" cannot delete resource \"environments\" \
         in API group \"mirage.dev\" in the namespace \"{}\"",
        scene.namespace
    ))?;
    scene.web().await?;
    Ok(())
}

async fn wire_18_acting_as_another_is_refused(scene: &Scene<'_>) -> Result<()> {
    scene.k("get env --as=x").await?.refused("Forbidden")?;
    Ok(())
}

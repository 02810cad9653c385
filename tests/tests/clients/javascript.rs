//! The JavaScript client, over TLS, with the kubeconfig that the server wrote. What each program checks is in
//! `tests/clients/node`.

use anyhow::{Result, bail};
use mirage_tests::process::{Door, Forgetful, Language, Mirage, Script, objects, specs::one_image};

#[tokio::test]
async fn environments_go_through_every_verb_of_both_generic_apis() -> Result<()> {
    let mirage = Mirage::api_only().await?;
    let kubeconfig = mirage.data("kubeconfig");
    match Script::of(Language::JavaScript, "custom_objects.mjs", &kubeconfig)? {
        Some(script) => script.passes().await,
        None => Ok(()),
    }
}

#[tokio::test]
async fn a_watch_tells_every_change_and_says_when_its_version_is_forgotten() -> Result<()> {
    let forgetful = Forgetful::start().await?;
    let kubeconfig = forgetful.kubeconfig();
    let Some(script) = Script::of(Language::JavaScript, "watching.mjs", &kubeconfig)? else {
        return Ok(());
    };
    script
        .passes_with(async |wish| match wish {
            "forget" => forgetful.forgets().await,
            other => bail!("nobody here can {other}"),
        })
        .await
}

#[tokio::test]
async fn wire_70_an_informer_sees_every_change_once_though_the_server_is_killed() -> Result<()> {
    let mut mirage = Mirage::api_only().await?;
    let door = Door::before(&mirage).await?;
    let kubeconfig = door.kubeconfig();
    let Some(script) = Script::of(Language::JavaScript, "informing.mjs", &kubeconfig)? else {
        return Ok(());
    };
    script
        .passes_with(async |wish| {
            mirage.kill().await?;
            mirage.start_again().await?;
            if wish.ends_with("with a change") {
                // Past the door, which still leads to where the dead one was.
                objects::apply(&mirage.client().await?, &one_image("meanwhile")).await?;
            }
            door.leads_to(&mirage)
        })
        .await
}

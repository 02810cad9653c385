//! The Python client, over TLS, with the kubeconfig that the server wrote. What each program checks is in
//! `tests/clients/python`.

use anyhow::{Result, bail};
use mirage_tests::process::{Forgetful, Language, Mirage, Script};

async fn passes(program: &str) -> Result<()> {
    let mirage = Mirage::api_only().await?;
    match Script::of(Language::Python, program, &mirage.data("kubeconfig"))? {
        Some(script) => script.passes().await,
        None => Ok(()),
    }
}

#[tokio::test]
async fn wire_69_environments_are_written_read_paged_and_selected_as_custom_objects() -> Result<()>
{
    passes("custom_objects.py").await
}

#[tokio::test]
async fn wire_69_a_watch_begins_anywhere_and_goes_on_without_gap_or_repeat() -> Result<()> {
    passes("watching.py").await
}

#[tokio::test]
async fn wire_69_the_dynamic_client_discovers_applies_and_watches() -> Result<()> {
    passes("dynamic.py").await
}

#[tokio::test]
async fn typed_models_accept_every_kind_around_ours() -> Result<()> {
    passes("around.py").await
}

#[tokio::test]
async fn one_of_two_candidates_leads_and_the_other_takes_over() -> Result<()> {
    passes("electing.py").await
}

#[tokio::test]
async fn a_version_that_is_forgotten_is_gone_and_a_new_list_heals_it() -> Result<()> {
    let forgetful = Forgetful::start().await?;
    let kubeconfig = forgetful.kubeconfig();
    let Some(script) = Script::of(Language::Python, "expiring.py", &kubeconfig)? else {
        return Ok(());
    };
    script
        .passes_with(async |wish| match wish {
            "forget" => forgetful.forgets().await,
            other => bail!("nobody here can {other}"),
        })
        .await
}

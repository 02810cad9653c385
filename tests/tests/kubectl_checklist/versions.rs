//! 72: the whole list by older kubectls, each on one server.

use std::io::Write as _;

use anyhow::{Result, bail};
use mirage_tests::process::{
    Mirage,
    kubectl::{installed, newest},
};

use crate::{
    apply, checklist::Item, deleting, discovery, identity, reading, scene::Scene, watching, writing,
};

/// What an older kubectl cannot do, whatever the server answers: the item, the first minor version that can, and why.
const LATER: &[(&str, u32, &str)] = &[(
    "wire_58_wait_for_create_returns_when_it_is_there",
    31,
    "`wait` does not know `--for=create`",
)];

fn items() -> impl Iterator<Item = &'static Item> {
    [
        discovery::ITEMS,
        identity::ITEMS,
        writing::ITEMS,
        apply::ITEMS,
        reading::ITEMS,
        watching::ITEMS,
        deleting::ITEMS,
    ]
    .into_iter()
    .flatten()
}

/// The namespace of an item: its name, as far as a namespace's may be long.
fn namespace(item: &Item) -> String {
    let name: String = item.name.replace('_', "-").chars().take(50).collect();
    name.trim_end_matches('-').to_owned()
}

/// Walks the list with kubectl 1.`minor`, and says every item that fails.
async fn walk(minor: u32) -> Result<()> {
    let Some(newest) = newest() else {
        return Ok(());
    };
    if newest.minor == minor {
        // Each item is a test of its own with this one.
        return Ok(());
    }
    let Some(kubectl) = installed().iter().find(|one| one.minor == minor) else {
        note(&format!("kubectl 1.{minor} is not on this machine"));
        return Ok(());
    };
    let mirage = Mirage::api_only().await?;
    let mut failures = Vec::new();
    for item in items() {
        let later = LATER
            .iter()
            .find(|(name, since, _)| item.name == *name && minor < *since);
        if later.is_some() {
            continue;
        }
        let scene = Scene::on(&mirage, kubectl, &namespace(item)).await?;
        if let Err(error) = (item.run)(&scene).await {
            failures.push(format!("{}: {error:#}", item.name));
        }
    }
    if !failures.is_empty() {
        bail!("kubectl 1.{minor}:\n{}", failures.join("\n"));
    }
    Ok(())
}

fn note(what: &str) {
    // Not `eprintln!`, which the test harness keeps to itself when a test passes.
    let note = format!(
        "\n==================================================================\n\
        NOT TESTED: {what}.\n\
        MIRAGE_KUBECTLS names programs to test with, as PATH does.\n\
        ==================================================================\n"
    );
    let _ = std::io::stderr().write_all(note.as_bytes());
}

#[tokio::test]
async fn wire_72_kubectl_1_27_passes_the_list() -> Result<()> {
    walk(27).await
}

#[tokio::test]
async fn wire_72_kubectl_1_29_passes_the_list() -> Result<()> {
    walk(29).await
}

#[tokio::test]
async fn wire_72_kubectl_1_33_passes_the_list() -> Result<()> {
    walk(33).await
}

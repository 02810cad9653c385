//! What "Previews in ten minutes" tells people to do, done as it stands there.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use mirage_tests::{
    github::{FakeGitHub, Opening, TOKEN},
    process::{
        Mirage, Railway,
        binary::repository,
        railway::WritePath,
        waiting::{Look, until},
    },
};

const REPOSITORY: &str = "acme/shop";

/// The fenced blocks of a page: their language and text.
fn blocks(page: &Path) -> Result<Vec<(String, String)>> {
    let text = std::fs::read_to_string(page)?;
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    Ok(blocks)
}

/// Runs the commands of a block, each of which must succeed; what they printed.
async fn does_all(mirage: &Mirage, commands: &str) -> Result<String> {
    let mut said = String::new();
    for line in commands.lines() {
        let words = line
            .strip_prefix("mirage ")
            .with_context(|| line.to_owned())?;
        let words: Vec<&str> = words.split_whitespace().collect();
        said.push_str(&mirage.does(&words).await.with_context(|| line.to_owned())?);
    }
    Ok(said)
}

#[tokio::test]
async fn previews_in_ten_minutes() -> Result<()> {
    let blocks = blocks(&repository().join("docs/how-to/previews.md"))?;
    let of = |language: &str| -> Vec<&str> {
        let found = blocks.iter().filter(|(found, _)| found == language);
        found.map(|(_, text)| text.as_str()).collect()
    };
    let (files, commands) = (of("yaml"), of(""));
    let ([secret, policy], [apply, look, gone]) = (files.as_slice(), commands.as_slice()) else {
        anyhow::bail!("the page has other blocks than this test knows: {blocks:#?}");
    };

    let github = FakeGitHub::new(std::sync::Arc::new(jiff::Timestamp::now));
    github.create_repository(REPOSITORY);
    let (address, serving) = github.listen().await?;
    tokio::spawn(serving);
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let mirage = Mirage::on(&railway).await?;

    // What differs from person to person: the token, and in a test the address.
    ensure!(secret.contains("github_pat_…"), "{secret}");
    mirage.write("github.yaml", &secret.replace("github_pat_…", TOKEN))?;
    let here = format!("  repository: {REPOSITORY}\n  apiUrl: http://{address}\n");
    let policy = policy.replace(&format!("  repository: {REPOSITORY}\n"), &here);
    ensure!(policy.contains("apiUrl"), "{policy}");
    mirage.write("previews.yaml", &policy)?;
    does_all(&mirage, apply).await?;

    let number = github.open(REPOSITORY, Opening::of("cart"));
    until("the environment to be there", async || {
        let table = mirage.does(&["get"]).await?;
        Ok(Look::when(
            table.contains("shop-pr-1").then_some(()),
            || table.clone(),
        ))
    })
    .await?;
    let said = does_all(&mirage, look).await?;
    for words in ["shop-pr-1", "REPOSITORY", "acme/shop"] {
        ensure!(said.contains(words), "no {words} in:\n{said}");
    }
    until("the comment to say so", async || {
        let comments = github.own_comments(REPOSITORY, number);
        let is_ready = comments.len() == 1 && comments[0].body.contains("is ready");
        Ok(Look::when(is_ready.then_some(()), || {
            format!("{comments:#?}")
        }))
    })
    .await?;

    github.close(REPOSITORY, number);
    does_all(&mirage, gone).await?;
    until("the comment to say that it is gone", async || {
        let comments = github.own_comments(REPOSITORY, number);
        let is_gone = comments.len() == 1 && comments[0].body.contains("was torn down: closed");
        Ok(Look::when(is_gone.then_some(()), || {
            format!("{comments:#?}")
        }))
    })
    .await?;
    ensure!(github.violations().is_empty(), "{:#?}", github.violations());
    ensure!(!mirage.log()?.contains(TOKEN), "the token is in the log");
    Ok(())
}

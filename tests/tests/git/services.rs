//! What a repository holds, asked of the real binary, which asks a GitHub.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use mirage_tests::{
    github::{FakeGitHub, TOKEN},
    process::{Mirage, http},
};
use serde_json::{Value, json};

const COMPOSE: &str = "services:\n  web:\n    build: ./apps/web\n    ports: ['80:3000']\n    depends_on: [db]\n  \
                       db:\n    image: postgres:17\n";

/// Status and body of an answer.
async fn ask(mirage: &Mirage, token: &str, path: &str) -> Result<(u16, Value)> {
    let url = format!("{}/api/v1/repositories/{path}", mirage.address("http")?);
    let answer = http::get(&url, Some(token)).await?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no body")?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok((status, serde_json::from_str(body)?))
}

fn message(body: &Value) -> &str {
    body["message"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn services_are_found_in_what_the_asker_may_see() -> Result<()> {
    let github = FakeGitHub::new(Arc::new(jiff::Timestamp::now));
    for repository in ["acme/shop", "acme/vault"] {
        github.create_repository(repository);
    }
    github.publish("acme/shop");
    github.commit(
        "acme/shop",
        &[
            ("compose.yaml", COMPOSE),
            ("apps/web/Dockerfile", "FROM node:24"),
            ("apps/admin/package.json", "{}"),
            ("packages/ui/package.json", "{}"),
        ],
    );
    github.commit("acme/vault", &[("go.mod", "module vault")]);
    let (address, serving) = github.listen().await?;
    let serving = tokio::spawn(serving);
    let api = format!("http://{address}");
    let mirage = Mirage::with(&["--simulate-railway", "--github-api", &api], &[]).await?;
    let admin = mirage.token()?;

    let (status, found) = ask(&mirage, &admin, "acme/shop/services?ref=main").await?;
    ensure!(status == 200, "{found}");
    ensure!(
        found
            == json!({
                "repository": "acme/shop",
                "reference": "main",
                "services": [
                    {"name": "db", "foundIn": "compose.yaml", "isCertain": true, "engine": "postgres"},
                    {"name": "web", "foundIn": "compose.yaml", "isCertain": true, "rootDirectory": "apps/web", "port": 3000,
                     "dependsOn": ["db"]},
                    {"name": "admin", "foundIn": "apps/admin/package.json", "isCertain": true, "rootDirectory": "apps/admin"},
                    {"name": "ui", "foundIn": "packages/ui/package.json", "isCertain": false, "rootDirectory": "packages/ui"},
                ],
            }),
        "{found:#}"
    );

    for query in ["namespace=default/secrets/github%3F", "secret=..%2Fgithub"] {
        let (status, refusal) =
            ask(&mirage, &admin, &format!("acme/shop/services?{query}")).await?;
        ensure!(
            status == 400 && message(&refusal).contains("is no name"),
            "{refusal}"
        );
    }

    // A private one is not there for who shows nothing; the message says what to do.
    let (status, refusal) = ask(&mirage, &admin, "acme/vault/services?ref=main").await?;
    ensure!(
        status == 404 && message(&refusal).contains("name a Secret"),
        "{refusal}"
    );
    let (status, refusal) = ask(&mirage, &admin, "acme/vault/services?secret=github").await?;
    ensure!(
        status == 404 && message(&refusal).contains("there is no Secret"),
        "{refusal}"
    );
    mirage.write(
        "github.yaml",
        &format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: github}}\nstringData: {{token: {TOKEN}}}\n"),
    )?;
    mirage.does(&["apply", "-f", "github.yaml"]).await?;
    let (status, found) = ask(&mirage, &admin, "acme/vault/services?secret=github").await?;
    ensure!(status == 200 && found["reference"] == "main", "{found}");
    ensure!(found["services"][0]["name"] == "vault", "{found}");

    // Who may make environments may look; a Secret's credential takes the right to that Secret.
    let token = async |flags: &[&str]| -> Result<String> {
        let made = mirage.does(&[&["token", "create"], flags].concat()).await?;
        Ok(made.trim().to_owned())
    };
    let viewer = token(&["viewer", "--role", "viewer"]).await?;
    let (status, refusal) = ask(&mirage, &viewer, "acme/shop/services").await?;
    ensure!(
        status == 403 && message(&refusal).contains("environments"),
        "{refusal}"
    );
    let limited = token(&["limited", "--role", "editor", "--resources", "environments"]).await?;
    let (status, found) = ask(&mirage, &limited, "acme/shop/services?ref=main").await?;
    ensure!(status == 200, "{found}");
    let (status, refusal) = ask(&mirage, &limited, "acme/vault/services?secret=github").await?;
    ensure!(
        status == 403 && message(&refusal).contains("secrets"),
        "{refusal}"
    );

    ensure!(github.violations().is_empty(), "{:#?}", github.violations());
    serving.abort();
    let _ = serving.await;
    let (status, refusal) = ask(&mirage, &admin, "acme/other/services?ref=main").await?;
    ensure!(
        status == 503 && message(&refusal).contains("githubstatus.com"),
        "{refusal}"
    );
    ensure!(!mirage.log()?.contains(TOKEN), "the token is in the log");
    Ok(())
}

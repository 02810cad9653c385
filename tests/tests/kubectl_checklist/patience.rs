//! 71: a server that is too busy says so, and kubectl comes back by itself.

use std::fs::File;

use anyhow::{Result, ensure};
use mirage_tests::process::{
    Mirage, kubectl,
    waiting::{Look, until},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::scene::{Scene, row};

/// A request that has begun and does not end: its body is announced and never sent.
struct Unfinished {
    _connection: TcpStream,
}

impl Unfinished {
    async fn begin(scene: &Scene<'_>) -> Result<Self> {
        let address = scene.mirage.address("http")?;
        let host = address.trim_start_matches("http://");
        let mut connection = TcpStream::connect(host).await?;
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\ncontent-length: 10\r\nexpect: 100-continue\r\n\r\n",
            scene.environments(),
            scene.mirage.token()?
        );
        connection.write_all(head.as_bytes()).await?;
        // The server says this when it begins to wait for the body, so the request has its place by then.
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).await?;
        ensure!(
            &answer == b"HTTP/1.1 100",
            "{}",
            String::from_utf8_lossy(&answer)
        );
        Ok(Self {
            _connection: connection,
        })
    }
}

#[tokio::test]
async fn wire_71_kubectl_repeats_what_was_too_much_at_once() -> Result<()> {
    let Some(newest) = kubectl::newest() else {
        return Ok(());
    };
    let arguments = ["--no-controllers", "--max-requests-in-flight", "1"];
    let mirage = Mirage::with(&arguments, &[]).await?;
    let scene = Scene::on(&mirage, newest, "checklist").await?;
    scene.make("web").await?;

    let unfinished = Unfinished::begin(&scene).await?;
    let refused = scene.get(&scene.environments()).await?;
    ensure!(
        refused.status == 429
            && refused.headers["retry-after"] == "1"
            && refused.json()?["reason"] == "TooManyRequests",
        "{}",
        refused.text
    );
    let mut getting = scene
        .kubectl
        .typed("get env -v=6")
        .stdout(File::create(scene.path("out.txt"))?)
        .stderr(File::create(scene.path("log.txt"))?)
        .kill_on_drop(true)
        .spawn()?;
    until("kubectl to be told to come back", async || {
        let log = scene.read("log.txt")?;
        Ok(Look::when(
            log.contains("429 Too Many Requests").then_some(()),
            || log.clone(),
        ))
    })
    .await?;
    drop(unfinished);
    ensure!(
        getting.wait().await?.success(),
        "{}",
        scene.read("log.txt")?
    );
    let table = scene.read("out.txt")?;
    ensure!(row(&table, &["web"]).is_some(), "{table}");
    Ok(())
}

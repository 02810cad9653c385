//! Repositories and servers of Git's own making, for tests that would otherwise only show that Mirage understands itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

/// Whether the program is installed. Says so loudly when it is not: the test that asks is about to skip itself.
pub fn is_installed(program: &str) -> bool {
    let is_there = find(program).is_some();
    if !is_there {
        eprintln!("SKIPPED: {program} is not installed; deploy/test-tools.sh installs it");
    }
    is_there
}

/// Where a program is. Those of servers are often not in the search path of those who are not root.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// `git` without anybody's settings.
pub(super) fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0");
    command
}

/// A bare repository and a working copy that pushes to it.
pub struct Workshop {
    folder: TempDir,
}

impl Workshop {
    /// With an empty branch `main`.
    ///
    /// # Errors
    /// When `git` fails.
    pub fn new() -> anyhow::Result<Self> {
        let workshop = Self {
            folder: tempfile::tempdir()?,
        };
        let root = workshop.folder();
        fs::create_dir(root.join("copy"))?;
        run(
            root,
            &[
                "init",
                "--quiet",
                "--bare",
                "--initial-branch=main",
                "shop.git",
            ],
        )?;
        // As forges have it: the older protocol gives away by id only what a branch or tag names, unless told so.
        let bare = root.join("shop.git");
        run(&bare, &["config", "uploadpack.allowAnySHA1InWant", "true"])?;
        let copy = root.join("copy");
        run(&copy, &["init", "--quiet", "--initial-branch=main"])?;
        run(&copy, &["config", "user.name", "Test"])?;
        run(&copy, &["config", "user.email", "test@example.com"])?;
        run(&copy, &["remote", "add", "origin", "../shop.git"])?;
        Ok(workshop)
    }

    /// Holds `shop.git`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Changes files, commits on top of what is there, and pushes. The id of the commit.
    ///
    /// # Errors
    /// When `git` fails.
    pub fn push(&self, files: &[(&str, &str)]) -> anyhow::Result<String> {
        let copy = self.folder().join("copy");
        for (path, text) in files {
            let file = copy.join(path);
            fs::create_dir_all(file.parent().context("a file stands in a folder")?)?;
            fs::write(file, text)?;
        }
        run(&copy, &["add", "."])?;
        run(&copy, &["commit", "--quiet", "-m", "a change"])?;
        run(&copy, &["push", "--quiet", "origin", "HEAD:main"])?;
        run(&copy, &["rev-parse", "HEAD"])
    }

    /// Puts an annotated tag on the newest commit, and pushes it.
    ///
    /// # Errors
    /// When `git` fails.
    pub fn tag(&self, name: &str) -> anyhow::Result<()> {
        let copy = self.folder().join("copy");
        run(&copy, &["tag", "-a", "-m", "a tag", name])?;
        run(&copy, &["push", "--quiet", "origin", name])?;
        Ok(())
    }

    /// Packs the bare repository as servers do from time to time, with deltas.
    ///
    /// # Errors
    /// When `git` fails.
    pub fn pack(&self) -> anyhow::Result<()> {
        let bare = self.folder().join("shop.git");
        run(&bare, &["repack", "--quiet", "-a", "-d", "-f"])?;
        run(&bare, &["pack-refs", "--all"])?;
        Ok(())
    }
}

fn run(folder: &Path, words: &[&str]) -> anyhow::Result<String> {
    let output = git(folder).args(words).output()?;
    ensure!(
        output.status.success(),
        "git {words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

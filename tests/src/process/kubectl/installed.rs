//! Which kubectls this machine has.
//!
//! Distributions install one. Google's SDK installs one of each minor version beside a dispatcher, named `kubectl.1.N`.
//! `MIRAGE_KUBECTLS` names others, as a list of paths like `PATH`.

use std::{
    env,
    ffi::OsStr,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::Value;

/// More kubectls to test with: paths of programs, parted as in `PATH`.
const GIVEN: &str = "MIRAGE_KUBECTLS";

/// A kubectl of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Where it is.
    pub program: PathBuf,
    /// N of its version 1.N.
    pub minor: u32,
}

/// All of them, one of each minor version, the oldest first.
pub fn installed() -> &'static [Installed] {
    static INSTALLED: OnceLock<Vec<Installed>> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let mut found: Vec<Installed> = candidates().into_iter().filter_map(ask).collect();
        // Stable, so that of two with the same version the one that was named first stays.
        found.sort_by_key(|one| one.minor);
        found.dedup_by_key(|one| one.minor);
        found
    })
}

/// The newest one. Where there is none, that is said loudly, once.
pub fn newest() -> Option<&'static Installed> {
    static SAID: OnceLock<()> = OnceLock::new();
    let newest = installed().last();
    if newest.is_none() {
        SAID.get_or_init(|| {
            // Not `eprintln!`, which the test harness keeps to itself when a test passes.
            let note = "\n==================================================================\n\
                NOT TESTED: what kubectl needs. There is no kubectl on this machine.\n\
                deploy/test-tools.sh installs one where it can.\n\
                ==================================================================\n";
            let _ = std::io::stderr().write_all(note.as_bytes());
        });
    }
    newest
}

fn candidates() -> Vec<PathBuf> {
    let given = env::var_os(GIVEN).unwrap_or_default();
    let mut found: Vec<PathBuf> = env::split_paths(&given).collect();
    let path = env::var_os("PATH").unwrap_or_default();
    let plain: Vec<PathBuf> = env::split_paths(&path)
        .map(|folder| folder.join("kubectl"))
        .filter(|program| program.is_file())
        .collect();
    for program in &plain {
        let real = program.canonicalize().unwrap_or_else(|_| program.clone());
        found.extend(real.parent().map(versioned).unwrap_or_default());
    }
    found.extend(plain);
    let mut unique = Vec::new();
    for program in found {
        if !unique.contains(&program) {
            unique.push(program);
        }
    }
    unique
}

fn versioned(folder: &Path) -> Vec<PathBuf> {
    let is_versioned = |name: &OsStr| name.to_string_lossy().starts_with("kubectl.1.");
    let entries = folder.read_dir().into_iter().flatten().flatten();
    entries
        .filter(|entry| is_versioned(&entry.file_name()))
        .map(|entry| entry.path())
        .collect()
}

/// A program that does not answer as kubectl does is none.
fn ask(program: PathBuf) -> Option<Installed> {
    let output = Command::new(&program)
        .args(["version", "--client", "-o", "json"])
        .output()
        .ok()?;
    let version: Value = serde_json::from_slice(&output.stdout).ok()?;
    // Some distributions write "33+".
    let minor = version["clientVersion"]["minor"].as_str()?;
    let minor = minor.trim_end_matches('+').parse().ok()?;
    Some(Installed { program, minor })
}

//! Files of other tools, read as Environments.

use std::{
    fs,
    io::{Read as _, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use mirage_specs::convert::{
    Read, Unreadable, compose,
    railway_config::{self, Around},
};

use crate::{
    cli::{
        failure::Failure,
        output::{self, Document},
    },
    exit::Exit,
};

/// Flags that name a file.
#[derive(Debug, Args)]
#[command(next_help_heading = "Files")]
pub(super) struct FileArgs {
    /// A Compose file, printed as an Environment; - is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "railway_config")]
    compose: Option<PathBuf>,
    /// A railway.json or railway.toml, printed as an Environment with one service
    #[arg(long, value_name = "FILE")]
    railway_config: Option<PathBuf>,
    /// Repository that the services are built from, owner/name
    #[arg(long, value_name = "REPO")]
    repo: Option<String>,
    /// With --railway-config: name of the service
    #[arg(long, value_name = "NAME", default_value = "web")]
    service: String,
    /// With --railway-config: the environment whose overrides apply
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
}

impl FileArgs {
    /// Whether a file is to be read.
    pub(super) fn are_given(&self) -> bool {
        self.compose.is_some() || self.railway_config.is_some()
    }

    /// Writes the Environment, and what could not be said to stderr.
    pub(super) fn print(
        &self,
        out: &mut dyn Write,
        name: Option<&str>,
        format: Option<Document>,
    ) -> Result<Exit, Failure> {
        let path = self.compose.as_ref().or(self.railway_config.as_ref());
        let Some(path) = path else {
            return Err(Failure::NothingGiven { verb: "import" });
        };
        let text = read(path)?;
        let name = name.map_or_else(|| folder(path), str::to_owned);
        let around = Around {
            name: &name,
            service: &self.service,
            repo: self.repo.as_deref(),
            environment: self.environment.as_deref(),
        };
        let found = if self.compose.is_some() {
            compose::read(&text, &name, self.repo.as_deref())
        } else if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            railway_config::read_toml(&text, around)
        } else {
            railway_config::read_json(&text, around)
        };
        let Read { manifest, remarks } = found.map_err(|error| broken(path, &error))?;
        for remark in remarks {
            eprintln!("{}: {remark}", path.display());
        }
        output::document(out, format.unwrap_or(Document::Yaml), &manifest)?;
        Ok(Exit::Success)
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let unreadable = |source| Failure::Unreadable {
        path: path.to_owned(),
        source,
    };
    if path.as_os_str() != "-" {
        return fs::read_to_string(path).map_err(unreadable);
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    Ok(text)
}

/// The folder that the file is in names the project, as Compose does it.
fn folder(path: &Path) -> String {
    let whole = path.canonicalize().ok();
    let folder = whole
        .as_deref()
        .and_then(Path::parent)
        .and_then(Path::file_name);
    let name: String = folder
        .map(|name| name.to_string_lossy().to_lowercase())
        .unwrap_or_default()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let name = name.trim_matches(|c: char| !c.is_ascii_lowercase());
    match name {
        "" => "imported".to_owned(),
        name => name
            .chars()
            .take(32)
            .collect::<String>()
            .trim_end_matches('-')
            .to_owned(),
    }
}

fn broken(path: &Path, error: &Unreadable) -> Failure {
    Failure::Usage(format!("{}: {error}", path.display()))
}

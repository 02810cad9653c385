//! The state file: the whole world as JSON, replaced in one step.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::state::World;

/// The file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PersistError {
    /// Reading or writing failed.
    #[error("the state file {path} could not be {verb}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// read or written
        verb: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not a state file of this version.
    #[error("the state file {path} is not one of this simulator's")]
    Format {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// The world in the file, if there is a file.
pub(crate) fn load(path: &Path) -> Result<Option<World>, PersistError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(PersistError::Io {
                path: path.to_owned(),
                verb: "read",
                source,
            });
        }
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|source| PersistError::Format {
            path: path.to_owned(),
            source,
        })
}

/// Writes beside the file and renames, so that a killed process leaves the old state or the new one.
pub(crate) fn save(path: &Path, world: &World) -> Result<(), PersistError> {
    let written = |source| PersistError::Io {
        path: path.to_owned(),
        verb: "written",
        source,
    };
    let bytes = serde_json::to_vec(world).map_err(|source| PersistError::Format {
        path: path.to_owned(),
        source,
    })?;
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::create_dir_all(folder).map_err(written)?;
    }
    let beside = path.with_extension("writing");
    write_privately(&beside, &bytes).map_err(written)?;
    fs::rename(&beside, path).map_err(written)
}

/// The file holds variables in the clear, as the real Railway's store does: for its owner only.
#[cfg(unix)]
fn write_privately(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)
}

#[cfg(not(unix))]
fn write_privately(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::write(path, bytes)
}

//! The data folder: made, locked, and tidied after a crash.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use mirage_api::store::data_dir;

/// Held by the process that uses the folder.
pub(super) const LOCK_FILE: &str = "lock";

/// Where a file's next content is written before it takes the file's place.
const UNFINISHED: &str = "new";

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirError {
    /// It cannot be made or read.
    #[error("cannot use the data folder {}", path.display())]
    Unusable {
        /// The folder or a file in it.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Two processes on one database would each believe that they alone write to it.
    #[error("another Mirage is using the data folder {}", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
}

/// The folder while this process alone uses it. The lock is the kernel's: it ends with the process, however that ends.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the folder if it is not there, takes it for this process, and removes what a crash left half written.
    pub(crate) fn open(path: &Path) -> Result<Self, DataDirError> {
        let unusable = |path: &Path| {
            let path = path.to_owned();
            move |source| DataDirError::Unusable { path, source }
        };
        data_dir::ensure(path).map_err(unusable(path))?;
        // Absolute, because what is printed of it must hold in another folder too.
        let path = fs::canonicalize(path).map_err(unusable(path))?;
        let lock = take(&path.join(LOCK_FILE))?
            .ok_or_else(|| DataDirError::InUse { path: path.clone() })?;
        remove_unfinished(&path).map_err(unusable(&path))?;
        Ok(Self { path, _lock: lock })
    }

    /// The folder, absolute.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A file or folder in it.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Takes a lock file for this process; nothing when another process has it.
pub(super) fn take(lock_file: &Path) -> Result<Option<File>, DataDirError> {
    let unusable = |source| DataDirError::Unusable {
        path: lock_file.to_owned(),
        source,
    };
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(lock_file)
        .map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

/// Files are replaced whole, so what lies beside one was never read by anybody and may hold half a secret.
fn remove_unfinished(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file()
            && path
                .extension()
                .is_some_and(|extension| extension == UNFINISHED)
        {
            tracing::info!(file = %path.display(), "removing what a crash left half written");
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_second_process_is_told_and_the_first_ones_end_frees_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("data");
        let first = DataDir::open(&folder).unwrap();
        assert!(matches!(
            DataDir::open(&folder),
            Err(DataDirError::InUse { .. })
        ));
        drop(first);
        DataDir::open(&folder).unwrap();
        assert_eq!(
            fs::metadata(&folder).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }

    #[test]
    fn what_a_crash_left_half_written_goes_and_the_rest_stays() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("admin.token.new"), "mir_ha").unwrap();
        fs::write(root.path().join("admin.token"), "whole").unwrap();
        let folder = DataDir::open(root.path()).unwrap();
        assert!(!folder.join("admin.token.new").exists());
        assert_eq!(
            fs::read_to_string(folder.join("admin.token")).unwrap(),
            "whole"
        );
    }
}

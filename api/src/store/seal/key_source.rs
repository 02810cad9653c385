//! Where master keys come from, and how a new one gets there.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::master_key::{entries, entry, text_of};
use super::{KeyError, MasterKeys};
use crate::store::data_dir;

/// Where master keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeySource {
    /// They were handed over, as by the environment: only whoever did can change them, by a new start.
    Given,
    /// A private file, made when it is missing.
    File(PathBuf),
}

impl KeySource {
    /// The keys as the source has them now; nothing where it cannot have changed.
    pub(super) fn read_again(&self) -> Result<Option<MasterKeys>, KeyError> {
        match self {
            Self::Given => Ok(None),
            Self::File(path) => MasterKeys::from_file(path).map(Some),
        }
    }

    /// Puts a new key of this version beside the others. Nothing happens, and the answer is no, where only a person can.
    pub(super) fn add(&self, version: u32) -> Result<bool, KeyError> {
        let Self::File(path) = self else {
            return Ok(false);
        };
        let _turn = turn(path)?;
        let mut text = text_of(path)?;
        // Another server that shares the file was quicker, and its key serves both.
        if entries(&text).any(|(there, _)| there == Some(version)) {
            return Ok(true);
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&entry(version)?);
        replace(path, &text)?;
        Ok(true)
    }

    /// Takes versions out. As with [`KeySource::add`], the answer says whether it could.
    pub(super) fn remove(&self, versions: &[u32]) -> Result<bool, KeyError> {
        let Self::File(path) = self else {
            return Ok(false);
        };
        let _turn = turn(path)?;
        let text = text_of(path)?;
        let mut kept = Zeroizing::new(String::new());
        for (version, entry) in entries(&text) {
            if !version.is_some_and(|version| versions.contains(&version)) {
                kept.push_str(entry);
                kept.push('\n');
            }
        }
        replace(path, &kept)?;
        Ok(true)
    }
}

/// Servers that share a key file change it one after the other. Not by a lock on the file itself, which is replaced.
fn turn(path: &Path) -> Result<File, KeyError> {
    let take = || {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.with_extension("key.lock"))?;
        file.lock()?;
        Ok(file)
    };
    take().map_err(|source| KeyError::File {
        path: path.to_owned(),
        source,
    })
}

fn replace(path: &Path, text: &str) -> Result<(), KeyError> {
    data_dir::write_private(path, text.as_bytes()).map_err(|source| KeyError::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::seal::KEY_FILE;

    #[test]
    fn a_new_version_goes_beside_the_old_ones_and_out_again() {
        let dir = tempfile::tempdir().unwrap();
        MasterKeys::load(None, dir.path()).unwrap();
        let path = dir.path().join(KEY_FILE);
        let source = KeySource::File(path.clone());
        let first = std::fs::read_to_string(&path).unwrap();
        assert!(source.add(2).unwrap());
        let keys = source.read_again().unwrap().unwrap();
        assert_eq!(keys.versions().collect::<Vec<_>>(), [1, 2]);
        assert!(source.remove(&[2]).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), first);
    }

    #[test]
    fn what_was_handed_over_only_a_person_can_change() {
        assert!(!KeySource::Given.add(2).unwrap());
        assert!(!KeySource::Given.remove(&[1]).unwrap());
        assert!(KeySource::Given.read_again().unwrap().is_none());
    }
}

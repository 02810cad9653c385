//! The keys that everything else hangs on: from the environment, or from a file made at the first start.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::aead::LessSafeKey;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use super::{KEY_LEN, aes};
use crate::store::data_dir;

/// The key file's name in the data folder.
pub const KEY_FILE: &str = "master.key";

/// Why there are no master keys. The messages never contain a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// An entry is not `[VERSION:]KEY` with a key of 32 bytes as hex or base64.
    #[error(
        "entry {entry} is no master key: give 32 bytes as hex or base64, with `VERSION:` before it when there are several"
    )]
    Malformed {
        /// Which entry, counted from 1.
        entry: usize,
    },
    /// Two entries claim one version, so it is not clear which one opens what.
    #[error("version {version} of the master key is given twice")]
    Repeated {
        /// The version in question.
        version: u32,
    },
    /// There is no entry at all.
    #[error("no master key is given")]
    Empty,
    /// Others on this machine may read the file: `chmod 600` it, and think about who has read it.
    #[error("the key file {} can be read by others; make it private with chmod 600", path.display())]
    Exposed {
        /// The key file.
        path: PathBuf,
    },
    /// The file could not be read or made.
    #[error("cannot use the key file {}", path.display())]
    File {
        /// The key file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// What the file says is no list of master keys.
    #[error("the key file {} is not usable", path.display())]
    FileContent {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<KeyError>,
    },
    /// The operating system gave no random numbers for a new key.
    #[error("no random numbers to make a master key from")]
    NoRandomness,
}

/// One or more versions of the master key; the newest seals, all of them open.
pub struct MasterKeys {
    /// Never empty.
    versions: BTreeMap<u32, LessSafeKey>,
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKeys")
            .field("versions", &self.versions.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl MasterKeys {
    /// The keys that the environment gives, else those of the file in the data folder, which is made if it is missing.
    pub fn load(from_environment: Option<&str>, data_dir: &Path) -> Result<Self, KeyError> {
        match from_environment {
            Some(keys) => Self::parse(keys),
            None => Self::from_file(&data_dir.join(KEY_FILE)),
        }
    }

    /// The same keys, and `None` where [`Self::load`] would make one.
    pub fn find(from_environment: Option<&str>, data_dir: &Path) -> Result<Option<Self>, KeyError> {
        let path = data_dir.join(KEY_FILE);
        let is_there = path
            .try_exists()
            .map_err(|source| KeyError::File { path, source })?;
        if from_environment.is_none() && !is_there {
            return Ok(None);
        }
        Self::load(from_environment, data_dir).map(Some)
    }

    /// Entries `[VERSION:]KEY` separated by spaces, commas or lines; a key is 32 bytes as hex or base64, and an entry
    /// without a version is version 1.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut versions = BTreeMap::new();
        for (index, (_, entry)) in entries(text).enumerate() {
            let (version, key) =
                parse_entry(entry).ok_or(KeyError::Malformed { entry: index + 1 })?;
            if versions.insert(version, aes(&key)).is_some() {
                return Err(KeyError::Repeated { version });
            }
        }
        if versions.is_empty() {
            return Err(KeyError::Empty);
        }
        Ok(Self { versions })
    }

    pub(super) fn from_file(path: &Path) -> Result<Self, KeyError> {
        let file = |source| KeyError::File {
            path: path.to_owned(),
            source,
        };
        if !path.try_exists().map_err(file)? {
            path.parent()
                .map_or(Ok(()), data_dir::ensure)
                .map_err(file)?;
            data_dir::write_private(path, entry(1)?.as_bytes()).map_err(file)?;
        }
        let text = text_of(path)?;
        Self::parse(&text).map_err(|source| KeyError::FileContent {
            path: path.to_owned(),
            source: Box::new(source),
        })
    }

    /// Versions, rising.
    pub(super) fn versions(&self) -> impl Iterator<Item = u32> {
        self.versions.keys().copied()
    }

    pub(super) fn newest(&self) -> u32 {
        self.versions
            .last_key_value()
            .map(|(version, _)| *version)
            .expect("parse refuses an empty list")
    }

    pub(super) fn get(&self, version: u32) -> Option<&LessSafeKey> {
        self.versions.get(&version)
    }
}

/// What a private key file says.
pub(super) fn text_of(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let file = |source| KeyError::File {
        path: path.to_owned(),
        source,
    };
    if data_dir::is_exposed(path).map_err(file)? {
        return Err(KeyError::Exposed {
            path: path.to_owned(),
        });
    }
    Ok(Zeroizing::new(std::fs::read_to_string(path).map_err(file)?))
}

/// Each entry, with the version that it claims; an entry without one is version 1.
pub(super) fn entries(text: &str) -> impl Iterator<Item = (Option<u32>, &str)> {
    text.split(|c: char| c.is_whitespace() || c == ',')
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            let version = entry
                .split_once(':')
                .map_or(Some(1), |(v, _)| v.parse().ok());
            (version, entry)
        })
}

/// A new key of this version, as a line of a key file.
pub(super) fn entry(version: u32) -> Result<Zeroizing<String>, KeyError> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    SystemRandom::new()
        .fill(&mut *key)
        .map_err(|_| KeyError::NoRandomness)?;
    let key = Zeroizing::new(hex::encode(*key));
    Ok(Zeroizing::new(format!("{version}:{}\n", *key)))
}

fn parse_entry(entry: &str) -> Option<(u32, Zeroizing<[u8; KEY_LEN]>)> {
    let (version, key) = match entry.split_once(':') {
        Some((version, key)) => (version.parse().ok()?, key),
        None => (1, entry),
    };
    let bytes = Zeroizing::new(if key.len() == 2 * KEY_LEN {
        hex::decode(key).ok()?
    } else {
        decode_base64(key)?
    });
    let key = <[u8; KEY_LEN]>::try_from(bytes.as_slice()).ok()?;
    Some((version, Zeroizing::new(key)))
}

/// Both alphabets, padded or not: people paste what their tool printed.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn outcome(text: &str) -> String {
        match MasterKeys::parse(text) {
            Ok(keys) => format!("{:?}", keys.versions.keys().collect::<Vec<_>>()),
            Err(KeyError::Malformed { entry }) => format!("malformed {entry}"),
            Err(KeyError::Repeated { version }) => format!("repeated {version}"),
            Err(KeyError::Empty) => "empty".to_owned(),
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn keys_are_read_as_people_write_them() {
        let hex = "0f".repeat(32);
        // 32 bytes of 0xff, in the alphabets with / and _, with and without padding.
        let standard = format!("{}8=", "/".repeat(42));
        let url_safe = format!("{}8", "_".repeat(42));
        let rows = [
            (hex.clone(), "[1]"),
            (hex.to_uppercase(), "[1]"),
            (format!("{hex}\n"), "[1]"),
            (standard.clone(), "[1]"),
            (url_safe.clone(), "[1]"),
            (format!("7:{hex}"), "[7]"),
            (format!("2:{standard},1:{hex}"), "[1, 2]"),
            (format!("1:{hex}\n2:{url_safe}\n"), "[1, 2]"),
            (format!("{hex} {url_safe}"), "repeated 1"),
            (format!("{hex} 2:short"), "malformed 2"),
            ("x:abc".to_owned(), "malformed 1"),
            ("0f".repeat(31), "malformed 1"),
            (" , \n".to_owned(), "empty"),
        ];
        for (text, expected) in rows {
            assert_eq!(outcome(&text), expected, "{text}");
        }
    }

    #[test]
    fn a_refused_key_is_not_repeated_in_the_message() {
        let error = MasterKeys::parse("1:hunter2hunter2").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let keys = MasterKeys::parse(&"ab".repeat(32)).unwrap();
        assert_eq!(format!("{keys:?}"), "MasterKeys { versions: [1], .. }");
    }

    #[test]
    fn the_first_start_makes_a_private_key_file_and_later_ones_keep_it() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("data");
        MasterKeys::load(None, &dir).unwrap();
        let path = dir.join(KEY_FILE);
        let made = std::fs::read(&path).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        MasterKeys::load(None, &dir).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), made);
    }

    #[test]
    fn looking_for_a_key_makes_none() {
        let dir = tempfile::tempdir().unwrap();
        assert!(MasterKeys::find(None, dir.path()).unwrap().is_none());
        assert!(!dir.path().join(KEY_FILE).exists());
        MasterKeys::load(None, dir.path()).unwrap();
        assert!(MasterKeys::find(None, dir.path()).unwrap().is_some());
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        MasterKeys::load(None, dir.path()).unwrap();
        let path = dir.path().join(KEY_FILE);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = MasterKeys::load(None, dir.path());
        assert!(matches!(refused, Err(KeyError::Exposed { .. })));
    }

    #[test]
    fn a_key_from_the_environment_makes_no_file() {
        let dir = tempfile::tempdir().unwrap();
        MasterKeys::load(Some(&"ab".repeat(32)), dir.path()).unwrap();
        assert!(!dir.path().join(KEY_FILE).exists());
    }
}

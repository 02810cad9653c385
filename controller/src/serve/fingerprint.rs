//! The key of variables' fingerprints. It stays with the data folder: with another key every stored fingerprint would
//! differ, and every variable look changed.

use std::{fs, io, path::Path};

use mirage_api::store::data_dir;
use mirage_railway::secret::FingerprintKey;
use rand::{TryRng as _, rngs::SysRng};

const FILE: &str = "fingerprint.key";
const LENGTH: usize = 32;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// The file cannot be read or written.
    #[error("cannot use {FILE} in the data folder")]
    File(#[source] io::Error),
    /// The file holds something else.
    #[error(
        "{FILE} in the data folder is not a key of {LENGTH} bytes in hexadecimal; restore it, or delete it and let every variable be compared anew"
    )]
    Malformed,
    /// The system gave no random numbers.
    #[error("no random numbers to make {FILE} from")]
    NoRandomness,
}

/// Reads the key, or makes one at the first start.
pub(crate) fn load(folder: &Path) -> Result<FingerprintKey, KeyError> {
    let path = folder.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().is_empty() => make(&path),
        Ok(text) => {
            let mut bytes = [0; LENGTH];
            hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| KeyError::Malformed)?;
            Ok(FingerprintKey::new(bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path),
        Err(error) => Err(KeyError::File(error)),
    }
}

fn make(path: &Path) -> Result<FingerprintKey, KeyError> {
    let mut bytes = [0; LENGTH];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|_| KeyError::NoRandomness)?;
    data_dir::write_private(path, hex::encode(bytes).as_bytes()).map_err(KeyError::File)?;
    Ok(FingerprintKey::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_outlives_a_restart_and_an_empty_file_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "").unwrap();
        let first = load(folder.path()).unwrap().fingerprint("x");
        assert_eq!(load(folder.path()).unwrap().fingerprint("x"), first);
        fs::write(folder.path().join(FILE), "abc").unwrap();
        assert!(matches!(load(folder.path()), Err(KeyError::Malformed)));
    }
}

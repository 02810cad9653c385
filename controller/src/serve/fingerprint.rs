//! The key of variables' fingerprints. It stays with the objects, sealed like a secret: with another key nobody
//! would know what was applied last, drift would pass for a change of spec, and sealed variables would be written anew.
//! Older versions had it in the data folder.

use std::{fs, io, path::Path};

use mirage_api::Api;
use mirage_railway::secret::FingerprintKey;
use zeroize::Zeroizing;

const FILE: &str = "fingerprint.key";
const LENGTH: usize = 32;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// The file cannot be read.
    #[error("cannot read {FILE} in the data folder")]
    File(#[source] io::Error),
    /// The file holds something else.
    #[error(
        "{FILE} in the data folder is not a key of {LENGTH} bytes in hexadecimal; restore it, or delete it: what changed on Railway meanwhile then counts as a change of spec"
    )]
    Malformed,
    /// The store has none to give.
    #[error("the database did not give it")]
    Store(#[source] mirage_api::error::Status),
}

/// The key; where the store has none yet, it takes that of the data folder over or makes one.
pub(super) async fn key(api: &Api, folder: &Path) -> Result<FingerprintKey, KeyError> {
    let key = api.variables_key(carried(folder)?).await;
    Ok(FingerprintKey::new(*key.map_err(KeyError::Store)?))
}

/// What an older version left in the data folder.
fn carried(folder: &Path) -> Result<Option<Zeroizing<[u8; LENGTH]>>, KeyError> {
    let text = match fs::read_to_string(folder.join(FILE)) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(KeyError::File(error)),
    };
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let mut bytes = Zeroizing::new([0; LENGTH]);
    hex::decode_to_slice(text, &mut *bytes).map_err(|_| KeyError::Malformed)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_an_older_version_is_read_and_an_empty_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(carried(folder.path()).unwrap().is_none());
        fs::write(folder.path().join(FILE), "").unwrap();
        assert!(carried(folder.path()).unwrap().is_none());
        fs::write(folder.path().join(FILE), "ab".repeat(LENGTH) + "\n").unwrap();
        let key = carried(folder.path()).unwrap();
        assert_eq!(*key.unwrap(), [0xab; LENGTH]);
        fs::write(folder.path().join(FILE), "abc").unwrap();
        assert!(matches!(carried(folder.path()), Err(KeyError::Malformed)));
    }
}

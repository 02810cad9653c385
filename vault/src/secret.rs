//! A place in a KV engine and what is there.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;

/// A path of a KV version 2 engine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Path of the engine.
    pub mount: String,
    /// Path inside it.
    pub path: String,
    /// The version to stay at; the newest when absent.
    pub version: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.mount, self.path)?;
        match self.version {
            Some(version) => write!(f, " version {version}"),
            None => Ok(()),
        }
    }
}

/// One version of a secret.
#[derive(Clone)]
pub struct StoredSecret {
    /// Its fields. What is no text is here as the JSON that it is.
    pub fields: BTreeMap<String, SecretString>,
    /// Which version it is.
    pub version: u64,
}

impl fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredSecret")
            .field("fields", &self.fields.keys().collect::<Vec<_>>())
            .field("version", &self.version)
            .finish()
    }
}

//! How much of a repository is taken.

use std::time::Duration;

/// Bounds of one look at a repository. A repository of specs is far below all of them.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one file that is read.
    pub file_bytes: u64,
    /// Bytes of all files that are read.
    pub all_bytes: u64,
    /// Files that are read.
    pub files: usize,
    /// Folders within folders.
    pub depth: usize,
    /// Bytes that come over the network.
    pub transfer_bytes: u64,
    /// Bytes that one object of the repository may take in memory, whether it is read or not: a few packed bytes can
    /// stand for a great many.
    pub object_bytes: u64,
    /// Time for all of it.
    pub time: Duration,
}

const MIB: u64 = 1024 * 1024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: MIB,
            all_bytes: 16 * MIB,
            files: 2000,
            depth: 32,
            transfer_bytes: 256 * MIB,
            object_bytes: 128 * MIB,
            time: Duration::from_secs(120),
        }
    }
}

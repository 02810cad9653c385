//! The folder in which Mirage keeps what it must remember. Only its owner may look inside: it holds the database, the
//! keys and the first token.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Owner may read and write, nobody else anything.
const PRIVATE_FILE: u32 = 0o600;
/// What anybody on the machine may read, such as a CA certificate.
const PUBLIC_FILE: u32 = 0o644;
const PRIVATE_DIR: u32 = 0o700;

/// Makes `dir` and what leads to it, each for the owner only. A folder that is there already keeps its rights: it may
/// be one that the user shares on purpose.
pub fn ensure(dir: &Path) -> io::Result<()> {
    if dir.as_os_str().is_empty() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE_DIR)
        .create(dir)
}

/// Makes an empty private file unless there is one.
pub(crate) fn touch_private(path: &Path) -> io::Result<()> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(PRIVATE_FILE)
        .open(path)
        .map(drop)
}

/// Replaces a file whole, with mode 0600 from its first byte: after a crash either the old or the new content is there.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    replace(path, content, PRIVATE_FILE)
}

/// Replaces a file whole, readable by everybody who may enter the folder.
pub fn write_public(path: &Path, content: &[u8]) -> io::Result<()> {
    replace(path, content, PUBLIC_FILE)
}

/// True when the group or others may do anything at all with the file.
pub(crate) fn is_exposed(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut name = path
        .file_name()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?
        .to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    // What a crash left behind may have other rights, and `mode` binds only when the file is made.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&fresh)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_folder_and_its_private_files_are_for_the_owner_only() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b");
        ensure(&dir).unwrap();
        write_private(&dir.join("token"), b"x").unwrap();
        touch_private(&dir.join("db")).unwrap();
        assert_eq!(mode(&root.path().join("a")), 0o700);
        assert_eq!(mode(&dir), 0o700);
        assert_eq!(mode(&dir.join("token")), 0o600);
        assert_eq!(mode(&dir.join("db")), 0o600);
    }

    #[test]
    fn a_private_file_replaces_an_exposed_one_without_inheriting_its_rights() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("token");
        fs::write(&path, b"old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        fs::write(root.path().join("token.new"), b"left by a crash").unwrap();
        assert!(is_exposed(&path).unwrap());
        write_private(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(!is_exposed(&path).unwrap());
    }
}

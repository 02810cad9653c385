//! The files of a folder at a commit, within bounds.

use gix::{
    ObjectId, Repository,
    bstr::ByteSlice as _,
    objs::tree::{EntryKind, EntryMode},
};
use mirage_specs::git_sync::{IgnoredPath, SyncFault};

use super::{FetchError, Limits, Snapshot, SourceFile, in_full};

/// Reads what may hold manifests below `path`.
pub(super) fn read(
    repository: &Repository,
    commit: ObjectId,
    path: &str,
    limits: &Limits,
) -> Result<Snapshot, FetchError> {
    let commit = repository
        .find_object(commit)
        .and_then(gix::Object::peel_to_commit)
        .map_err(unreadable)?;
    let root = commit.tree_id().map_err(unreadable)?.detach();
    let mut reading = Reading {
        repository,
        limits,
        root,
        bytes: 0,
        snapshot: Snapshot {
            commit: commit.id.to_string(),
            ..Snapshot::default()
        },
    };
    let folder = parts(path);
    let no_path = || FetchError::NoPath {
        path: path.to_owned(),
        commit: commit.id.to_string(),
    };
    let tree = match reading.find(&folder)? {
        Some((mode, id)) if mode.is_tree() => id,
        _ => return Err(no_path()),
    };
    reading.folder(tree, &folder.join("/"), 0)?;
    let mut snapshot = reading.snapshot;
    snapshot.files.sort_by(|a, b| a.path.cmp(&b.path));
    snapshot.ignored.sort();
    snapshot.faults.sort();
    Ok(snapshot)
}

fn parts(path: &str) -> Vec<&str> {
    path.split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect()
}

fn unreadable(error: gix::Error) -> FetchError {
    FetchError::Protocol(in_full(&error))
}

struct Reading<'r> {
    repository: &'r Repository,
    limits: &'r Limits,
    root: ObjectId,
    bytes: u64,
    snapshot: Snapshot,
}

impl Reading<'_> {
    /// What stands at a path from the root.
    fn find(&self, path: &[&str]) -> Result<Option<(EntryMode, ObjectId)>, FetchError> {
        if path.is_empty() {
            return Ok(Some((EntryKind::Tree.into(), self.root)));
        }
        let root = self.repository.find_tree(self.root).map_err(unreadable)?;
        let entry = root
            .lookup_entry(path.iter().map(|part| part.as_bytes()))
            .map_err(unreadable)?;
        Ok(entry.map(|entry| (entry.mode(), entry.object_id())))
    }

    fn folder(&mut self, id: ObjectId, at: &str, depth: usize) -> Result<(), FetchError> {
        if depth > self.limits.depth {
            return Err(FetchError::TooLarge(format!(
                "{at}: more than {} folders within each other",
                self.limits.depth
            )));
        }
        let tree = self.repository.find_tree(id).map_err(unreadable)?;
        for entry in tree.decode().map_err(unreadable)?.entries {
            let Ok(name) = entry.filename.to_str() else {
                let name = entry.filename.to_str_lossy();
                self.ignore(&joined(at, &name), "its name is not UTF-8");
                continue;
            };
            // Workflows, editor settings and the like.
            if name.starts_with('.') {
                continue;
            }
            let path = joined(at, name);
            match entry.mode.kind() {
                EntryKind::Tree => self.folder(entry.oid.to_owned(), &path, depth + 1)?,
                EntryKind::Blob | EntryKind::BlobExecutable if is_manifest(name) => {
                    self.file(entry.oid.to_owned(), path)?;
                }
                EntryKind::Blob | EntryKind::BlobExecutable => {}
                EntryKind::Link if is_manifest(name) => {
                    self.link(entry.oid.to_owned(), at, path)?
                }
                EntryKind::Link => {
                    self.ignore(&path, "a symbolic link that is not to a file of manifests")
                }
                EntryKind::Commit => self.ignore(
                    &path,
                    "a submodule: give its repository a GitSync of its own",
                ),
            }
        }
        Ok(())
    }

    fn file(&mut self, id: ObjectId, path: String) -> Result<(), FetchError> {
        let size = self.repository.find_header(id).map_err(unreadable)?.size();
        let limits = self.limits;
        if size > limits.file_bytes {
            self.fault(
                path,
                format!(
                    "{size} bytes: a file of manifests has at most {} KiB; it was not read",
                    limits.file_bytes / 1024
                ),
            );
            return Ok(());
        }
        self.bytes += size;
        if self.bytes > limits.all_bytes || self.snapshot.files.len() >= limits.files {
            return Err(FetchError::TooLarge(format!(
                "the folder holds more than {} files or {} MiB of manifests: divide it among several GitSyncs",
                limits.files,
                limits.all_bytes / (1024 * 1024)
            )));
        }
        let object = self.repository.find_object(id).map_err(unreadable)?;
        match std::str::from_utf8(&object.data) {
            Ok(text) => self.snapshot.files.push(SourceFile {
                path,
                text: text.trim_start_matches('\u{feff}').to_owned(),
            }),
            Err(_) => self.fault(path, "it is not text in UTF-8".to_owned()),
        }
        Ok(())
    }

    /// A link to a file of this commit is that file. Any other could show what is none of the repository's.
    fn link(&mut self, id: ObjectId, at: &str, path: String) -> Result<(), FetchError> {
        const LONGEST: u64 = 4096;
        let size = self.repository.find_header(id).map_err(unreadable)?.size();
        let target = if size > LONGEST {
            None
        } else {
            let object = self.repository.find_object(id).map_err(unreadable)?;
            object
                .data
                .to_str()
                .ok()
                .and_then(|target| within(at, target))
        };
        let Some(target) = target else {
            self.fault(
                path,
                "a symbolic link that leaves the repository; it was not followed".to_owned(),
            );
            return Ok(());
        };
        let target: Vec<&str> = target.iter().map(String::as_str).collect();
        match self.find(&target)? {
            Some((mode, id)) if mode.is_blob() => self.file(id, path),
            Some(_) => {
                self.fault(
                    path,
                    "a symbolic link to something that is not a file".to_owned(),
                );
                Ok(())
            }
            None => {
                self.fault(path, "a symbolic link to nothing".to_owned());
                Ok(())
            }
        }
    }

    fn ignore(&mut self, path: &str, reason: &str) {
        self.snapshot.ignored.push(IgnoredPath {
            path: path.to_owned(),
            reason: reason.to_owned(),
        });
    }

    fn fault(&mut self, file: String, message: String) {
        self.snapshot.faults.push(SyncFault {
            file,
            line: None,
            column: None,
            message,
        });
    }
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

fn is_manifest(name: &str) -> bool {
    matches!(name.rsplit_once('.'), Some((_, "yaml" | "yml" | "json")))
}

/// Where a link that stands in `folder` leads, from the root; `None` when that is outside.
fn within(folder: &str, target: &str) -> Option<Vec<String>> {
    if target.starts_with('/') {
        return None;
    }
    let mut at: Vec<String> = parts(folder).into_iter().map(str::to_owned).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(at.pop()?),
            part => at.push(part.to_owned()),
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_followed_inside_the_repository_only() {
        for (folder, target, leads) in [
            ("envs", "shop.yaml", Some("envs/shop.yaml")),
            ("envs", "../base/shop.yaml", Some("base/shop.yaml")),
            ("envs/prod", "./../../x.yaml", Some("x.yaml")),
            ("envs", "../../etc/passwd", None),
            ("", "../x.yaml", None),
            ("envs", "/etc/x.yaml", None),
        ] {
            let found = within(folder, target).map(|parts| parts.join("/"));
            assert_eq!(found.as_deref(), leads, "{folder} {target}");
        }
    }

    #[test]
    fn manifests_are_known_by_the_end_of_their_name() {
        for (name, is) in [
            ("a.yaml", true),
            ("b.yml", true),
            ("c.json", true),
            ("yaml", false),
            ("d.yaml.bak", false),
        ] {
            assert_eq!(is_manifest(name), is, "{name}");
        }
    }
}

//! Git repositories for tests: made by the library itself, and served on loopback without a `git` on the machine. Where
//! there is one, Git's own servers show that this is not only how Mirage imagines them.
//!
//! ```text
//! Depot (a bare repository) ─┬─ file:///…
//!                            ├─ Forge:  http://127.0.0.1:…/shop.git, with logins, delays and lies
//!                            └─ Bastion: ssh://git@127.0.0.1:…/shop.git
//! Workshop (made by git) ────┬─ Backend: https://127.0.0.1:…/shop.git
//!                            └─ Sshd:    ssh://127.0.0.1:…/…/shop.git
//! ```

pub mod backend;
mod bastion;
mod forge;
pub mod history;
mod pack;
pub mod program;
pub mod sshd;
mod upload;

use std::collections::BTreeMap;

use anyhow::Context as _;
use gix::{
    ObjectId,
    objs::{self, tree::EntryKind},
    refs::transaction::PreviousValue,
};
use tempfile::TempDir;

pub use bastion::Bastion;
pub use forge::{Forge, Manners};

/// What stands at a path.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A file.
    File(Vec<u8>),
    /// A symbolic link to this target.
    Link(String),
    /// A submodule at this commit.
    Submodule(ObjectId),
}

impl From<&str> for Entry {
    fn from(text: &str) -> Self {
        Self::File(text.as_bytes().to_vec())
    }
}

impl From<String> for Entry {
    fn from(text: String) -> Self {
        Self::File(text.into_bytes())
    }
}

/// A bare repository in a folder of its own.
pub struct Depot {
    folder: TempDir,
    repository: gix::Repository,
    commits: i64,
}

impl Depot {
    /// An empty one.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let options = gix::open::Options::isolated()
            .config_overrides(["user.name=Test", "user.email=test@example.com"]);
        let repository = gix::ThreadSafeRepository::init_opts(
            folder.path().join("shop.git"),
            gix::create::Kind::Bare,
            gix::create::Options::default(),
            options,
        )?;
        Ok(Self {
            folder,
            repository: repository.to_thread_local(),
            commits: 0,
        })
    }

    /// Its address on this machine.
    pub fn url(&self) -> String {
        format!("file://{}", self.path().display())
    }

    /// Where it is.
    pub fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("shop.git")
    }

    /// Makes a commit with exactly these files and lets a branch point at it, whatever it pointed at before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn push<E: Into<Entry>>(
        &mut self,
        branch: &str,
        files: impl IntoIterator<Item = (impl Into<String>, E)>,
    ) -> anyhow::Result<String> {
        let files: BTreeMap<String, Entry> = files
            .into_iter()
            .map(|(path, entry)| (path.into(), entry.into()))
            .collect();
        let tree = self.tree(&files)?;
        self.commits += 1;
        let signature = gix::actor::Signature {
            name: "Test".into(),
            email: "test@example.com".into(),
            time: gix::date::Time::new(1_700_000_000 + self.commits, 0),
        };
        let commit = objs::Commit {
            tree,
            parents: Default::default(),
            author: signature.clone(),
            committer: signature,
            encoding: None,
            message: "a change".into(),
            extra_headers: Vec::new(),
        };
        let id = self.repository.write_object(&commit)?.detach();
        self.point(&format!("refs/heads/{branch}"), id)?;
        Ok(id.to_string())
    }

    /// Lets a tag point at a commit, by way of a tag object.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn tag(&self, name: &str, commit: &str) -> anyhow::Result<()> {
        let tag = objs::Tag {
            target: commit.parse()?,
            target_kind: objs::Kind::Commit,
            name: name.into(),
            tagger: None,
            message: "a tag".into(),
            signature: None,
        };
        let id = self.repository.write_object(&tag)?.detach();
        self.point(&format!("refs/tags/{name}"), id)
    }

    /// Deletes a branch.
    ///
    /// # Errors
    /// When there is none.
    pub fn delete_branch(&self, branch: &str) -> anyhow::Result<()> {
        let reference = self
            .repository
            .find_reference(format!("refs/heads/{branch}").as_str())?;
        reference.delete()?;
        Ok(())
    }

    fn point(&self, name: &str, id: ObjectId) -> anyhow::Result<()> {
        self.repository
            .reference(name, id, PreviousValue::Any, "test")?;
        Ok(())
    }

    fn tree(&self, files: &BTreeMap<String, Entry>) -> anyhow::Result<ObjectId> {
        let mut folders: BTreeMap<String, BTreeMap<String, Entry>> = BTreeMap::new();
        let mut tree = objs::Tree::empty();
        for (path, entry) in files {
            if let Some((folder, rest)) = path.split_once('/') {
                let folder = folders.entry(folder.to_owned()).or_default();
                folder.insert(rest.to_owned(), entry.clone());
                continue;
            }
            let (kind, oid) = match entry {
                Entry::File(bytes) => {
                    (EntryKind::Blob, self.repository.write_blob(bytes)?.detach())
                }
                Entry::Link(target) => (
                    EntryKind::Link,
                    self.repository.write_blob(target)?.detach(),
                ),
                Entry::Submodule(id) => (EntryKind::Commit, *id),
            };
            tree.entries.push(objs::tree::Entry {
                mode: kind.into(),
                filename: path.as_str().into(),
                oid,
            });
        }
        for (name, files) in folders {
            tree.entries.push(objs::tree::Entry {
                mode: EntryKind::Tree.into(),
                filename: name.into(),
                oid: self.tree(&files)?,
            });
        }
        tree.entries.sort();
        Ok(self
            .repository
            .write_object(&tree)
            .context("a tree")?
            .detach())
    }
}

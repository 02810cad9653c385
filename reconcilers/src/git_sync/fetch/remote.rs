//! One commit of a repository: fetched into the cache, or read where the repository is.

use std::{fs, io, path::Path};

use gix::{
    ObjectId, Repository,
    bstr::BString,
    create, open,
    progress::Discard,
    remote::{Direction, fetch::Shallow, fetch::Tags},
};
use gix_transport::client::blocking_io::Transport;

use super::{FetchError, Limits, Revision, in_full, line::Line};

/// Where the cache's repository keeps what it fetched last.
const FETCHED: &str = "refs/mirage/fetched";
/// Each fetch may leave a pack; with more than these it is cheaper to begin again.
const PACKS: usize = 50;

/// The commit that a revision of a local repository names.
pub(super) fn in_place(
    path: &Path,
    revision: &Revision,
    limits: &Limits,
) -> Result<(Repository, ObjectId), FetchError> {
    let repository = gix::open_opts(path, options(limits)).map_err(|error| {
        FetchError::NoRepository(format!("{}: {}", path.display(), in_full(&error)))
    })?;
    let missing = || missing(revision);
    let id = match revision {
        Revision::Head => repository.head_id().map_err(|_| missing())?.detach(),
        Revision::Branch(_) | Revision::Tag(_) => {
            let name = source(revision);
            let found = repository
                .try_find_reference(name.as_str())
                .map_err(not_understood)?;
            let mut reference = found.ok_or_else(missing)?;
            reference.peel_to_id().map_err(not_understood)?.detach()
        }
        Revision::Commit(id) => id.parse().map_err(|_| missing())?,
    };
    if !repository.has_object(id) {
        return Err(missing());
    }
    Ok((repository, id))
}

/// Fetches what a revision names, one commit deep.
pub(super) fn fetch<T: Transport>(
    folder: &Path,
    url: &str,
    transport: T,
    revision: &Revision,
    limits: &Limits,
    line: &Line,
) -> Result<(Repository, ObjectId), FetchError> {
    let repository = cached(folder, limits)?;
    // A commit never changes: when it is there, nobody needs to be asked.
    if let Revision::Commit(id) = revision
        && let Ok(id) = id.parse::<ObjectId>()
        && repository.has_object(id)
    {
        return Ok((repository, id));
    }
    let id = {
        let remote = repository
            .remote_at_without_url_rewrite(url)
            .and_then(|remote| {
                let wanted = BString::from(format!("+{}:{FETCHED}", source(revision)));
                remote
                    .with_fetch_tags(Tags::None)
                    .with_refspecs([wanted], Direction::Fetch)
            })
            .map_err(not_understood)?;
        let prepared = remote
            .to_connection_with_transport(transport)
            // The transport logs in by itself; gix would start a program to ask a person.
            .with_credentials(|_| Ok(None))
            .prepare_fetch(Discard, gix::remote::ref_map::Options::default())
            .map_err(not_understood)?;
        let mappings = &prepared.ref_map().mappings;
        let wanted = match mappings.first().map(|mapping| &mapping.remote) {
            Some(source) => source.peeled_id().map(ToOwned::to_owned),
            None => None,
        };
        let wanted = wanted.ok_or_else(|| missing(revision))?;
        let is_there = repository.has_object(wanted) && last(&repository) == Some(wanted);
        if !is_there {
            prepared
                .with_shallow(Shallow::DepthAtRemote(std::num::NonZeroU32::MIN))
                .receive(Discard, line.is_cut())
                .map_err(|error| refused(revision, error))?;
        }
        wanted
    };
    Ok((repository, id))
}

fn last(repository: &Repository) -> Option<ObjectId> {
    let mut reference = repository.try_find_reference(FETCHED).ok()??;
    reference.peel_to_id().ok().map(gix::Id::detach)
}

/// The cache's repository, made when there is none that can be used.
fn cached(folder: &Path, limits: &Limits) -> Result<Repository, FetchError> {
    let packs = fs::read_dir(folder.join("objects/pack")).map_or(0, Iterator::count) / 2;
    if packs <= PACKS
        && let Ok(repository) = gix::open_opts(folder, options(limits))
    {
        return Ok(repository);
    }
    let unusable = |why: String| FetchError::Cache {
        path: folder.to_owned(),
        why,
    };
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(unusable(error.to_string()));
        }
        _ => {}
    }
    fs::create_dir_all(folder).map_err(|error| unusable(error.to_string()))?;
    gix::ThreadSafeRepository::init_opts(
        folder,
        create::Kind::Bare,
        create::Options::default(),
        options(limits),
    )
    .map(|repository| repository.to_thread_local())
    .map_err(|error| unusable(in_full(&error)))
}

/// Nothing of this machine's configuration counts, and no object may take more than its share of the memory.
fn options(limits: &Limits) -> open::Options {
    open::Options::isolated().config_overrides([
        format!("gitoxide.objects.allocLimit={}", limits.object_bytes),
        // Two cores of a small machine have other things to do.
        "pack.threads=1".to_owned(),
        // References are written with who wrote them.
        "user.name=Mirage".to_owned(),
        "user.email=mirage@localhost".to_owned(),
    ])
}

fn source(revision: &Revision) -> String {
    match revision {
        Revision::Head => "HEAD".to_owned(),
        Revision::Branch(name) => format!("refs/heads/{name}"),
        Revision::Tag(name) => format!("refs/tags/{name}"),
        Revision::Commit(id) => id.clone(),
    }
}

fn missing(revision: &Revision) -> FetchError {
    FetchError::NoRevision {
        what: match revision {
            Revision::Head => "HEAD: it is empty".to_owned(),
            Revision::Branch(name) => format!("branch {name:?}"),
            Revision::Tag(name) => format!("tag {name:?}"),
            Revision::Commit(id) => format!("commit {id}, or does not give it away"),
        },
    }
}

/// A server says no to a commit that it does not have in so many words; to a branch that it has just listed it does not.
fn refused(revision: &Revision, error: gix::Error) -> FetchError {
    match revision {
        Revision::Commit(_) if in_full(&error).contains("not our ref") => missing(revision),
        _ => not_understood(error),
    }
}

fn not_understood(error: gix::Error) -> FetchError {
    FetchError::Protocol(in_full(&error))
}

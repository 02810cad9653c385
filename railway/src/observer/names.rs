//! Finding a project by its name.

use std::sync::Arc;

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};

use crate::{
    budget::Priority,
    client::{Client, Identity, ProjectSummary, Recent},
    error::{Error, Failure},
    id::ProjectId,
    observer::{Inner, watched::Known},
    snapshot::Presence,
};

pub(super) type List = Arc<Vec<ProjectSummary>>;

/// A list under way. It may be joined only while no project was created since it began.
#[derive(Clone)]
pub(super) struct Listing {
    creations: u64,
    list: Shared<BoxFuture<'static, Result<List, Error>>>,
}

pub(super) async fn find_project(
    inner: &Arc<Inner>,
    name: &str,
    priority: Priority,
) -> Result<Presence<ProjectId>, Error> {
    if let Some(id) = remembered(inner, name) {
        return Ok(Presence::Present(id));
    }
    let list = listing(inner, priority).list.await?;
    let found = choose(name, &list, &inner.options.project_mark);
    let found = match (found, inner.client.recent_project(name)) {
        // The list may be older than the project.
        (Presence::Absent, Some(Recent::Made(id))) => Presence::Present(id),
        (Presence::Absent, Some(Recent::Unclear)) => Presence::Unknown(
            "a project of that name was asked for a moment ago and may still appear".to_owned(),
        ),
        (found, _) => found,
    };
    if let Presence::Present(id) = &found {
        inner.state().names.insert(name.to_owned(), id.clone());
    }
    Ok(found)
}

fn remembered(inner: &Inner, name: &str) -> Option<ProjectId> {
    let mut state = inner.state();
    let id = state.names.get(name)?.clone();
    let is_gone = state
        .projects
        .get(&id)
        .is_some_and(|watched| matches!(watched.known, Some(Known::Absent)));
    if is_gone {
        state.names.remove(name);
        return None;
    }
    Some(id)
}

/// Every project that the credential sees, asked for afresh.
pub(super) async fn whole_list(inner: &Arc<Inner>, priority: Priority) -> Result<List, Error> {
    listing(inner, priority).list.await
}

fn listing(inner: &Arc<Inner>, priority: Priority) -> Listing {
    let mut state = inner.state();
    let creations = inner.client.project_creations();
    if let Some(listing) = &state.listing
        && listing.creations == creations
        && listing.list.peek().is_none()
    {
        return listing.clone();
    }
    let (client, owner) = (inner.client.with_priority(priority), Arc::clone(inner));
    let list = async move { list(&owner, &client).await.map(Arc::new) }
        .boxed()
        .shared();
    let listing = Listing { creations, list };
    state.listing = Some(listing.clone());
    listing
}

async fn list(inner: &Inner, client: &Client) -> Result<Vec<ProjectSummary>, Error> {
    let identity = identity(inner, client).await?;
    if identity == Identity::default() {
        // An empty list would say that the project is not there.
        return Err(Error::Unauthorized(Failure::new(
            "Projects",
            "the token sees no workspace",
        )));
    }
    let mut found = Vec::new();
    for (workspace, _) in &identity.workspaces {
        found.extend(client.projects(workspace).await?);
    }
    if let Some((id, _)) = &identity.project {
        let readings = client.read_projects(std::slice::from_ref(id)).await?;
        let Some(Presence::Present(reading)) = readings.get(id) else {
            // The token's own project is there, whatever this read says.
            return Err(Error::Unauthorized(Failure::new(
                "ObserveProjects",
                "the project token's project cannot be read",
            )));
        };
        if !reading.is_deleted {
            found.push(ProjectSummary {
                id: id.clone(),
                name: reading.snapshot.name.clone(),
                description: reading.snapshot.description.clone(),
                created_at: reading.snapshot.created_at,
            });
        }
    }
    Ok(found)
}

/// Who the token is does not change while it lives.
async fn identity(inner: &Inner, client: &Client) -> Result<Identity, Error> {
    let known = inner.state().identity.clone();
    if let Some(identity) = known {
        return Ok(identity);
    }
    let identity = client.identify().await?;
    inner.state().identity = Some(identity.clone());
    Ok(identity)
}

fn choose(name: &str, list: &[ProjectSummary], mark: &str) -> Presence<ProjectId> {
    let named: Vec<_> = list.iter().filter(|project| project.name == name).collect();
    let ours = |project: &&&ProjectSummary| {
        project
            .description
            .as_ref()
            .is_some_and(|text| text.to_lowercase().contains(&mark.to_lowercase()))
    };
    match named.as_slice() {
        [] => Presence::Absent,
        [only] => Presence::Present(only.id.clone()),
        several => match several
            .iter()
            .filter(ours)
            .min_by_key(|project| (project.created_at, &project.id))
        {
            Some(oldest) => Presence::Present(oldest.id.clone()),
            None => Presence::Unknown(format!(
                "{} projects are named `{name}`; give the id of the one that is meant",
                several.len()
            )),
        },
    }
}

//! Telling GitHub, and remembering that it was told.

use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams},
    runtime::events::EventType,
};
use mirage_github::{Access, Credential, GitHub};
use mirage_specs::{GitSync, GitSyncStatus};
use serde_json::json;

use super::{Listener, Notice, due, reported};
use crate::{
    git_sync::{SyncError, resolve::owner, syncer::Syncer},
    reason::Reason,
};

/// Tells GitHub what came of a visit. That it could not be told harms nothing: it is tried again, or said on the object.
pub(in crate::git_sync) async fn send(
    syncer: &Syncer,
    sync: &GitSync,
    namespace: &str,
    listener: &Listener,
    status: &GitSyncStatus,
) -> Result<(), SyncError> {
    let Some(notice) = due(&owner(sync, namespace), status) else {
        return Ok(());
    };
    let problem = match tell(&*syncer.github, listener, &notice).await {
        Ok(()) => None,
        Err(Mute::ForNow(error)) => {
            tracing::info!(%error, "GitHub was not told of {notice}, and is at the next visit");
            return Ok(());
        }
        Err(Mute::ForGood(error)) => Some(format!(
            "{error}; set spec.commitStatus to false to say nothing on GitHub"
        )),
    };
    let api: Api<GitSync> = Api::namespaced(syncer.context.client.clone(), namespace);
    let mut patch = json!({"status": {"reportedCommit": reported(&notice, problem.clone())}});
    // Also when there is none: a merge patch keeps what it does not name, and an earlier one is over.
    patch["status"]["reportedCommit"]["problem"] = json!(problem);
    api.patch_status(
        &sync.name_any(),
        &PatchParams::default(),
        &Patch::Merge(patch),
    )
    .await?;
    if let Some(problem) = problem {
        let context = &syncer.context;
        let reason = Reason::CommitNotReported.into();
        context
            .tell(sync, EventType::Warning, reason, problem)
            .await;
    }
    Ok(())
}

/// Why nothing was said.
enum Mute {
    /// The next visit may succeed.
    ForNow(mirage_github::Error),
    /// Somebody has to change something first.
    ForGood(mirage_github::Error),
}

async fn tell(github: &dyn GitHub, listener: &Listener, notice: &Notice) -> Result<(), Mute> {
    use mirage_github::Error;
    let access = Access {
        api_url: listener.api_url.clone(),
        credential: Credential::Token(listener.token.expose().into()),
    };
    let told = match github.open(&access) {
        Ok(forge) => {
            forge
                .create_commit_status(&listener.repository, &notice.commit, &notice.says)
                .await
        }
        Err(error) => Err(error),
    };
    told.map_err(|error| match error {
        // Said twice is said once: the newest counts.
        Error::Transient(_) | Error::Ambiguous(_) | Error::RateLimited { .. } => {
            Mute::ForNow(error)
        }
        Error::Unauthorized(_)
        | Error::Forbidden { .. }
        | Error::NotFound(_)
        | Error::Invalid(_)
        | Error::Unreadable(_) => Mute::ForGood(error),
    })
}

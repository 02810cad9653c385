//! Carrying a plan out: the only place that writes Environments.

use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
};
use mirage_specs::{Environment, PreviewPolicy, preview_policy::PreviewState};
use serde_json::Value;

use super::{
    child,
    diff::{Action, Verdict, conflict},
};

/// Owner of the fields of preview environments.
pub const FIELD_MANAGER: &str = "mirage-previews";

/// What came of an action.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Done; the object as it is, unless it was deleted.
    Done(Option<Box<Environment>>),
    /// Not done, and why; nothing else is kept from being done by it.
    Refused(Verdict),
}

/// Carries out one action. Each is safe to repeat.
///
/// # Errors
/// When the API server does not answer.
pub async fn apply(
    api: &Api<Environment>,
    policy: &PreviewPolicy,
    action: &Action,
) -> Result<Outcome, kube::Error> {
    match action {
        Action::Create { name, manifest, .. } => {
            // Server-side apply would take over what is there already, and be merged into it.
            if let Some(there) = api.get_opt(name).await?
                && !child::is_of(&there, policy)
            {
                return Ok(refused(PreviewState::Conflict, conflict(name)));
            }
            write(api, name, manifest, false).await
        }
        Action::Move { name, manifest, .. } => write(api, name, manifest, true).await,
        Action::Delete { name, uid, .. } => {
            let params = DeleteParams {
                preconditions: Some(Preconditions {
                    uid: Some(uid.clone()),
                    resource_version: None,
                }),
                ..DeleteParams::background()
            };
            match api.delete(name, &params).await {
                Ok(_) => Ok(Outcome::Done(None)),
                // Gone already, or another one by now: the next visit sees it.
                Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {
                    Ok(Outcome::Done(None))
                }
                Err(error) => Err(error),
            }
        }
    }
}

/// `is_ours` says that the object is known to be ours: what somebody wrote into our fields is then written back.
async fn write(
    api: &Api<Environment>,
    name: &str,
    manifest: &Value,
    is_ours: bool,
) -> Result<Outcome, kube::Error> {
    let mut params = PatchParams::apply(FIELD_MANAGER);
    params.force = is_ours;
    match api.patch(name, &params, &Patch::Apply(manifest)).await {
        Ok(environment) => {
            tracing::debug!(name = environment.name_any(), "applied");
            Ok(Outcome::Done(Some(Box::new(environment))))
        }
        Err(kube::Error::Api(status)) if status.code == 409 => {
            Ok(refused(PreviewState::Conflict, conflict(name)))
        }
        // Refused as it is: the message names the field.
        Err(kube::Error::Api(status)) if matches!(status.code, 400 | 403 | 422) => Ok(refused(
            PreviewState::Invalid,
            format!("its Environment was refused: {}", status.message),
        )),
        Err(error) => Err(error),
    }
}

fn refused(state: PreviewState, message: String) -> Outcome {
    Outcome::Refused(Verdict {
        state,
        message: Some(message),
        place: None,
    })
}

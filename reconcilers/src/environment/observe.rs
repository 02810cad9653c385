//! What Railway shows of one environment. Reads, and never writes.

use std::sync::Arc;

use mirage_railway::{
    budget::Priority,
    error::Error,
    observer::Observer,
    snapshot::{Presence, ProjectSnapshot},
};

use super::effective::ProjectTarget;

/// What was seen, and whether what is missing may be believed missing.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The project with everything in it.
    pub project: Presence<Arc<ProjectSnapshot>>,
    /// Our own last write is so recent that Railway's reads may not show it yet: absence is unknown.
    pub in_grace: bool,
}

/// Looks. Answered from the observer's snapshot, without a request, unless that is stale.
///
/// # Errors
/// Whatever the client could not hide by retrying; nothing was learnt then.
pub async fn observe(
    observer: &Observer,
    target: &ProjectTarget,
    priority: Priority,
) -> Result<Observed, Error> {
    let id = match target {
        ProjectTarget::Id(id) => id.clone(),
        ProjectTarget::Named(name) => match observer.find_project(name, priority).await? {
            Presence::Present(id) => id,
            Presence::Absent => {
                return Ok(Observed {
                    project: Presence::Absent,
                    in_grace: false,
                });
            }
            Presence::Unknown(why) => {
                return Ok(Observed {
                    project: Presence::Unknown(why),
                    in_grace: false,
                });
            }
        },
    };
    let project = observer.project(&id, priority).await?;
    Ok(Observed {
        project,
        in_grace: observer.in_grace(&id),
    })
}

//! How old an answer may be: `resourceVersion` and `resourceVersionMatch` (Kubernetes docs: "API Concepts", "Semantics for
//! get and list").

use crate::error::{CauseReason, Fault, Reason, Status};
use crate::kubernetes::call::Call;

/// What the client says of the version of its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Any will do; the newest is as cheap as any other.
    Any,
    /// This one or a later one.
    NotOlderThan(u64),
    /// This one.
    Exact(u64),
}

impl Wanted {
    /// Of a list.
    ///
    /// # Errors
    /// 422 for combinations that contradict themselves, 400 for what is no version.
    pub(super) fn of_list(call: &Call) -> Result<Self, Status> {
        let version = call.query.number("resourceVersion")?;
        let matching = call.query.get("resourceVersionMatch");
        let goes_on = call.query.get("continue").is_some();
        if call.query.get("sendInitialEvents").is_some() {
            return Err(forbidden(
                "sendInitialEvents",
                "sendInitialEvents is forbidden for list",
            ));
        }
        if goes_on && matching.is_some() {
            return Err(forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden when continue is provided",
            ));
        }
        if goes_on && version.is_some_and(|version| version > 0) {
            return Err(Status::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        match (version, matching) {
            (None, Some(_)) => Err(forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            )),
            (Some(0), Some("Exact")) => Err(forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"",
            )),
            (Some(version), Some("Exact")) => Ok(Self::Exact(version)),
            (_, Some(other)) if other != "NotOlderThan" => {
                let message = format!(
                    "Unsupported value: {other:?}: supported values: \"Exact\", \"NotOlderThan\""
                );
                let reason = CauseReason::FieldValueNotSupported;
                Err(refused(Fault::new("resourceVersionMatch", reason, message)))
            }
            (None | Some(0), _) => Ok(Self::Any),
            (Some(version), _) => Ok(Self::NotOlderThan(version)),
        }
    }

    /// Refuses a version that the store has not reached.
    pub(super) fn check(self, newest: u64) -> Result<(), Status> {
        match self {
            Self::NotOlderThan(version) | Self::Exact(version) if version > newest => {
                Err(too_large(version, newest))
            }
            _ => Ok(()),
        }
    }
}

/// 504: the version is of another store, or of this one before a backup was restored. Clients ask again without one.
fn too_large(wanted: u64, newest: u64) -> Status {
    let message = format!("Too large resource version: {wanted}, current: {newest}");
    let cause = Fault::new(
        "",
        CauseReason::ResourceVersionTooLarge,
        "Too large resource version",
    );
    Status::new(Reason::Timeout, message)
        .with_causes(vec![cause])
        .retry_after(1)
}

fn forbidden(field: &str, message: &str) -> Status {
    let message = format!("Forbidden: {message}");
    refused(Fault::new(field, CauseReason::FieldValueForbidden, message))
}

fn refused(fault: Fault) -> Status {
    Status::invalid("meta.k8s.io", "ListOptions", "", vec![fault])
}

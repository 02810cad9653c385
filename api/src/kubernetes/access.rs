//! Who may do what.
//!
//! Two groups have rights: `system:masters` may do everything, `mirage:viewers` may read everything but secrets. What every
//! caller may do is ask who they are and what they may do.

use super::request::RequestInfo;
use crate::auth::Identity;
use crate::error::Status;

/// The group whose members may do everything; Kubernetes' own name for it.
pub(crate) const MASTERS: &str = "system:masters";

/// The group whose members may look at everything but secrets.
pub(crate) const VIEWERS: &str = "mirage:viewers";

/// What someone would like to do.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Attributes<'a> {
    pub(crate) verb: &'a str,
    pub(crate) group: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) subresource: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> Attributes<'a> {
    pub(crate) fn of(info: &'a RequestInfo) -> Self {
        Self {
            verb: info.verb.into(),
            group: &info.group,
            resource: &info.resource,
            subresource: info.subresource.as_deref().unwrap_or_default(),
            namespace: info.namespace.as_deref().unwrap_or_default(),
            name: info.name.as_deref().unwrap_or_default(),
        }
    }
}

/// Whether the caller may.
pub(crate) fn allows(identity: &Identity, attributes: &Attributes<'_>) -> bool {
    let is_in = |group: &str| identity.groups.iter().any(|member| member == group);
    let is_self_review = attributes.verb == "create"
        && matches!(
            attributes.resource,
            "selfsubjectreviews" | "selfsubjectaccessreviews" | "selfsubjectrulesreviews"
        );
    let is_reading = matches!(attributes.verb, "get" | "list" | "watch");
    let is_secret = attributes.group.is_empty() && matches!(attributes.resource, "secrets" | "*");
    is_self_review || is_in(MASTERS) || (is_in(VIEWERS) && is_reading && !is_secret)
}

/// 403 when the caller may not.
pub(crate) fn check(identity: &Identity, attributes: &Attributes<'_>) -> Result<(), Status> {
    if allows(identity, attributes) {
        return Ok(());
    }
    let Attributes {
        verb,
        group,
        resource,
        subresource,
        namespace,
        name,
    } = attributes;
    let resource = if subresource.is_empty() {
        (*resource).to_owned()
    } else {
        format!("{resource}/{subresource}")
    };
    let place = match *namespace {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace {namespace:?}"),
    };
    let why = format!(
        "User {:?} cannot {verb} resource {resource:?} in API group {group:?} {place}",
        identity.username
    );
    Err(Status::forbidden(group, attributes.resource, name, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_have_the_rights_that_are_written_above() {
        let rights = |group: &str, verb: &str, resource: &str| {
            let identity = Identity {
                username: "u".into(),
                groups: vec![group.into()],
            };
            allows(
                &identity,
                &Attributes {
                    verb,
                    resource,
                    ..Attributes::default()
                },
            )
        };
        assert!(rights(MASTERS, "delete", "secrets"));
        assert!(rights(VIEWERS, "list", "environments"));
        assert!(!rights(VIEWERS, "list", "secrets"));
        assert!(!rights(VIEWERS, "list", "*"));
        assert!(!rights(VIEWERS, "delete", "environments"));
        assert!(!rights("builders", "get", "environments"));
        assert!(rights("builders", "create", "selfsubjectreviews"));
    }
}

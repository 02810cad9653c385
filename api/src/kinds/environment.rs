//! Mirage's own kinds, and how an environment looks in a table.

use jiff::Timestamp;
use kube::CustomResourceExt as _;
use mirage_specs::validate::{self, FaultReason};
use mirage_specs::{
    Environment, EnvironmentTemplate, GitSync, Orphan, PreviewPolicy, RailwayAccount, SecretStore,
};
use serde_json::{Value, json};

use super::{Audience, Registry};
use crate::error::{CauseReason, Fault};
use crate::kubernetes::table::{Column, human_duration};

pub(super) fn add_to(registry: Registry) -> Registry {
    registry
        .with_adjusted(Environment::crd(), |kind| {
            kind.columns = columns();
            kind.validate = |object| causes(validate::environment(object));
        })
        .with(EnvironmentTemplate::crd(), |object| {
            causes(validate::template(object))
        })
        .with_adjusted(GitSync::crd(), |kind| {
            // What it brings is written with the controllers' rights, in whichever namespaces it names.
            kind.audience = Audience::Readers;
            kind.validate = |object| causes(validate::git_sync(object));
        })
        .with(RailwayAccount::crd(), |object| {
            causes(validate::account(object))
        })
        .with(Orphan::crd(), |object| causes(validate::orphan(object)))
        .with_adjusted(PreviewPolicy::crd(), |kind| {
            kind.audience = Audience::Delegators;
            kind.validate = |object| causes(validate::preview_policy(object));
        })
        .with_adjusted(SecretStore::crd(), |kind| {
            // It says where credentials of the namespace are sent to.
            kind.audience = Audience::Delegators;
            kind.validate = |object| causes(validate::secret_store(object));
        })
}

/// Faults of a spec as causes of a Status.
pub(crate) fn causes(faults: Vec<validate::Fault>) -> Vec<Fault> {
    let cause = |fault: validate::Fault| {
        let reason = match fault.reason {
            FaultReason::Invalid => CauseReason::FieldValueInvalid,
            FaultReason::Required => CauseReason::FieldValueRequired,
            FaultReason::NotSupported => CauseReason::FieldValueNotSupported,
            FaultReason::TypeInvalid => CauseReason::FieldValueTypeInvalid,
            FaultReason::Duplicate => CauseReason::FieldValueDuplicate,
            FaultReason::Forbidden | FaultReason::UnknownField => CauseReason::FieldValueForbidden,
            FaultReason::TooLong => CauseReason::FieldValueTooLong,
        };
        Fault::new(fault.path, reason, fault.message)
    };
    faults.into_iter().map(cause).collect()
}

fn columns() -> Vec<Column> {
    vec![
        Column::computed("Type", "string", environment_type)
            .described("dev, staging, prod or ephemeral."),
        Column::path("Status", "string", ".status.phase").described("Where it stands."),
        Column::path("Services", "string", ".status.servicesReady")
            .described("Services that are ready, of all."),
        Column::computed("Drift", "integer", drift).described("Differences that nobody asked for."),
        Column::computed("TTL", "string", time_left).described("Time left until it is torn down."),
        Column::path("URL", "string", ".status.url").described("Where it can be reached."),
        Column::path("Age", "date", ".metadata.creationTimestamp")
            .described("Time since it was created."),
        Column::path("Project", "string", ".status.railway.projectName")
            .described("The Railway project.")
            .priority(1),
        Column::path("Railway ID", "string", ".status.railway.environmentId")
            .described("The Railway environment.")
            .priority(1),
        Column::path("Last Reconcile", "date", ".status.lastReconciled")
            .described("Time since it was last compared with Railway.")
            .priority(1),
    ]
}

/// An environment that does not say is a developer's own.
fn environment_type(object: &Value, _now: Timestamp) -> Value {
    json!(object["spec"]["type"].as_str().unwrap_or("dev"))
}

fn drift(object: &Value, _now: Timestamp) -> Value {
    object["status"]["drift"]
        .as_array()
        .map_or(Value::Null, |drift| json!(drift.len()))
}

fn time_left(object: &Value, now: Timestamp) -> Value {
    let expiry = object["status"]["expiresAt"]
        .as_str()
        .and_then(|text| text.parse::<Timestamp>().ok());
    match expiry {
        None => Value::Null,
        Some(expiry) if expiry <= now => json!("expired"),
        Some(expiry) => json!(human_duration(expiry.duration_since(now))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_counted_down_and_then_expired() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        for (status, shown) in [
            (json!({}), json!(null)),
            (json!({"expiresAt": "2026-11-21T15:00:00Z"}), json!("3h")),
            (
                json!({"expiresAt": "2026-11-21T11:00:00Z"}),
                json!("expired"),
            ),
        ] {
            assert_eq!(time_left(&json!({"status": status}), now), shown);
        }
    }

    #[test]
    fn drift_is_unknown_until_it_was_looked_for() {
        assert_eq!(drift(&json!({}), Timestamp::UNIX_EPOCH), json!(null));
        assert_eq!(
            drift(&json!({"status": {"drift": []}}), Timestamp::UNIX_EPOCH),
            json!(0)
        );
        assert_eq!(
            drift(&json!({"status": {"drift": [{}]}}), Timestamp::UNIX_EPOCH),
            json!(1)
        );
    }
}

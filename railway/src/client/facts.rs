//! From generated types to a snapshot's. Several operations read the same fragments, and the generator gives each its own
//! types, so the conversion is written once as a macro.

use jiff::Timestamp;
use serde::Serialize;

/// Why a part of an answer cannot be used, in words.
pub(super) type Unreadable = String;

pub(super) fn time(text: &str) -> Result<Timestamp, Unreadable> {
    text.parse()
        .map_err(|_| "Railway sent a time that cannot be read".to_owned())
}

pub(super) fn port(number: i64) -> Option<u16> {
    u16::try_from(number).ok()
}

/// An enum's value as Railway writes it, values that are newer than us included.
pub(super) fn name_of(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

/// Conversions of the fragments that a service instance and a volume instance consist of.
macro_rules! content_facts {
    ($operation:ident) => {
        use crate::{
            client::facts::{Unreadable, name_of, port, time},
            id::{DeploymentId, DomainId, ServiceId, VolumeId},
            operations::$operation as wire,
            snapshot::{
                DeploymentSnapshot, DeploymentStatus, DomainSnapshot, InstanceSnapshot,
                VolumeSnapshot,
            },
        };

        fn deployment(facts: wire::DeploymentFacts) -> Result<DeploymentSnapshot, Unreadable> {
            let status = name_of(&facts.status);
            Ok(DeploymentSnapshot {
                id: DeploymentId::new(facts.id),
                status: status.parse().unwrap_or(DeploymentStatus::Other(status)),
                stopped: facts.deployment_stopped,
                status_since: facts.status_updated_at.as_deref().map(time).transpose()?,
                created_at: time(&facts.created_at)?,
            })
        }

        /// None for an instance that Railway marks as deleted.
        pub(in crate::client) fn instance(
            facts: wire::InstanceFacts,
        ) -> Result<Option<InstanceSnapshot>, Unreadable> {
            if facts.deleted_at.is_some() {
                return Ok(None);
            }
            Ok(Some(InstanceSnapshot {
                service_id: ServiceId::new(facts.service_id),
                service_name: facts.service_name,
                latest_deployment: facts.latest_deployment.map(deployment).transpose()?,
                active_deployments: facts
                    .active_deployments
                    .into_iter()
                    .map(deployment)
                    .collect::<Result<_, _>>()?,
                service_domains: facts
                    .domains
                    .service_domains
                    .into_iter()
                    .filter(|domain| domain.deleted_at.is_none())
                    .map(|domain| DomainSnapshot {
                        id: DomainId::new(domain.id),
                        domain: domain.domain,
                        target_port: domain.target_port.and_then(port),
                    })
                    .collect(),
                custom_domains: facts
                    .domains
                    .custom_domains
                    .into_iter()
                    .filter(|domain| domain.deleted_at.is_none())
                    .map(|domain| DomainSnapshot {
                        id: DomainId::new(domain.id),
                        domain: domain.domain,
                        target_port: domain.target_port.and_then(port),
                    })
                    .collect(),
            }))
        }

        /// None for a volume instance that Railway marks as deleted.
        pub(in crate::client) fn volume(facts: wire::VolumeFacts) -> Option<VolumeSnapshot> {
            if facts.deleted_at.is_some() {
                return None;
            }
            Some(VolumeSnapshot {
                volume_id: VolumeId::new(facts.volume_id),
                name: facts.volume.name,
                service_id: facts.service_id.map(ServiceId::new),
                mount_path: Some(facts.mount_path),
                size_mb: u64::try_from(facts.size_mb).ok(),
                region: facts.region,
                state: facts.state.map(|state| name_of(&state)),
                is_pending_deletion: facts.is_pending_deletion,
            })
        }

        /// Takes the contents of one page; where the next begins, if there is one.
        macro_rules! contents {
            ($facts:expr, $environment:expr) => {{
                for edge in $facts.service_instances.edges {
                    if let Some(instance) = instance(edge.node)? {
                        $environment
                            .instances
                            .insert(instance.service_id.clone(), instance);
                    }
                }
                for edge in $facts.volume_instances.edges {
                    if let Some(volume) = volume(edge.node) {
                        $environment
                            .volumes
                            .insert(volume.volume_id.clone(), volume);
                    }
                }
                let (instances, volumes) = (
                    $facts.service_instances.page_info,
                    $facts.volume_instances.page_info,
                );
                $crate::client::by_environment::Rest {
                    more: instances.has_next_page || volumes.has_next_page,
                    instances_after: instances.end_cursor,
                    volumes_after: volumes.end_cursor,
                }
            }};
        }
    };
}

/// Conversions of the fragments that a whole environment and a project's lists consist of.
macro_rules! project_facts {
    ($operation:ident) => {
        $crate::client::facts::content_facts!($operation);

        use crate::{
            client::by_environment::Rest, id::EnvironmentId, snapshot::EnvironmentSnapshot,
        };

        /// An environment as far as the first page goes, and what is left to read of it.
        pub(in crate::client) fn environment(
            facts: wire::EnvironmentFacts,
        ) -> Result<(EnvironmentSnapshot, Rest), Unreadable> {
            let mut environment = EnvironmentSnapshot {
                id: EnvironmentId::new(facts.id),
                name: facts.name,
                created_at: time(&facts.created_at)?,
                can_access: facts.can_access,
                etag: Some(facts.config_etag),
                source_environment: facts
                    .source_environment
                    .map(|source| EnvironmentId::new(source.id)),
                unmerged_changes: facts
                    .unmerged_changes_count
                    .and_then(|count| u32::try_from(count).ok())
                    .unwrap_or(0),
                config: None,
                instances: std::collections::BTreeMap::new(),
                volumes: std::collections::BTreeMap::new(),
            };
            let rest = contents!(facts, environment);
            Ok((environment, rest))
        }
    };
}

pub(super) use {content_facts, project_facts};

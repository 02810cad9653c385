//! Spec, template and secrets become one effective environment. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use mirage_railway::{
    id::ProjectId,
    secret::{FingerprintKey, SecretValue},
};
use mirage_specs::{
    Environment, EnvironmentSpec, EnvironmentTemplateSpec, ServiceSpec, Setting, Variable,
    copy::Origin,
    environment::ProjectRef,
    merge,
    quantity::parse_bytes,
    service::{BackupSchedule, Builder, Deploy, RestartPolicy},
    variable::ValueRef,
};
use serde_json::{Value, json};

use super::{
    effective::{
        DesiredDomain, DesiredValue, DesiredVolume, Effective, EffectiveService, ProjectTarget,
    },
    field::Field,
    identity::MirageId,
    pause,
};

/// The credential of an Environment that names none.
pub const DEFAULT_ACCOUNT: &str = "default";

/// Everything outside the object itself that its meaning depends on.
#[derive(Debug, Default)]
pub struct Inputs {
    /// The template it refers to.
    pub template: Option<EnvironmentTemplateSpec>,
    /// Values it refers to, in Secrets and in secret stores.
    pub secrets: BTreeMap<ValueRef, SecretValue>,
    /// In which version each was read: a Secret's `resourceVersion`, or the store's own.
    pub versions: BTreeMap<ValueRef, String>,
    /// What a secret store did not give.
    pub unread: BTreeMap<ValueRef, Unread>,
}

/// Why a secret store did not give a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// For people, with what to do.
    pub why: String,
    /// Whether time alone may heal it.
    pub is_transient: bool,
}

impl Unread {
    /// Somebody has to do something about it.
    pub fn needs_somebody(why: String) -> Self {
        Self {
            why,
            is_transient: false,
        }
    }
}

/// Why an Environment has no effective form.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The template is not there. May appear later.
    #[error(
        "spec.templateRef.name: there is no EnvironmentTemplate {name:?} in this namespace and none of that name ships with Mirage"
    )]
    TemplateMissing {
        /// Its name.
        name: String,
    },
    /// A Secret or its key is not there. May appear later.
    #[error("{path}: there is no key {key:?} in a Secret {name:?} of this namespace")]
    SecretMissing {
        /// Where the reference stands.
        path: String,
        /// The Secret.
        name: String,
        /// Its key.
        key: String,
    },
    /// A secret store did not give a value, or is not there itself. May heal, as the reason says.
    #[error("{path}: {why}", why = .unread.why)]
    SecretUnread {
        /// Where the reference stands.
        path: String,
        /// Why.
        unread: Unread,
    },
    /// The layers do not fit together. Needs a change of the spec or the template.
    #[error("the spec cannot be combined with its template")]
    Merge(#[from] merge::MergeError),
    /// After all layers something required is still missing or makes no sense.
    #[error("{path}: {message}")]
    Invalid {
        /// Field.
        path: String,
        /// What is wrong with it.
        message: String,
    },
}

/// The spec with its template's layers below it.
///
/// # Errors
/// When parameters or layers do not fit.
pub fn layered(
    environment: &Environment,
    template: Option<&EnvironmentTemplateSpec>,
) -> Result<EnvironmentSpec, ResolveError> {
    Ok(merge::effective(template, &environment.spec)?)
}

/// Every value outside of itself that a layered spec refers to.
pub fn secret_refs(spec: &EnvironmentSpec) -> BTreeSet<ValueRef> {
    let of_services = spec
        .services
        .values()
        .flatten()
        .flat_map(|service| service.variables.values());
    spec.variables
        .values()
        .chain(of_services)
        .flatten()
        .filter_map(|variable| match variable {
            Variable::SecretRef(reference) => Some(reference.clone()),
            _ => None,
        })
        .collect()
}

/// Resolves a layered spec.
///
/// # Errors
/// When a Secret is missing or a required field is.
pub fn resolve(
    environment: &Environment,
    spec: &EnvironmentSpec,
    inputs: &Inputs,
    key: &FingerprintKey,
) -> Result<Effective, ResolveError> {
    let metadata = &environment.metadata;
    let name = metadata.name.clone().unwrap_or_default();
    let values = Values { inputs, key };
    let services = spec
        .services
        .iter()
        .filter_map(|(name, service)| Some((name, service.as_ref()?)))
        .map(|(name, service)| Ok((name.clone(), resolve_service(name, service, &values)?)))
        .collect::<Result<_, ResolveError>>()?;
    Ok(Effective {
        id: MirageId::new(metadata.uid.clone().unwrap_or_default()),
        display_name: format!(
            "{}/{name}",
            metadata.namespace.as_deref().unwrap_or("default")
        ),
        generation: metadata.generation.unwrap_or(0),
        environment_type: spec.environment_type.unwrap_or_default(),
        project: project_target(spec.project.as_ref())?,
        environment_name: spec.name.clone().unwrap_or(name),
        services,
        variables: values.all("spec.variables", &spec.variables)?,
        renamed: metadata
            .annotations
            .as_ref()
            .and_then(Origin::of)
            .map(|origin| origin.services)
            .unwrap_or_default(),
        drift: spec.drift.clone().unwrap_or_default(),
        rollout: spec.rollout.clone().unwrap_or_default(),
        deletion: spec.deletion.unwrap_or_default(),
        approval: spec.approval.unwrap_or_default(),
        suspend: spec.suspend.unwrap_or(false),
        pause: pause::pause(metadata.annotations.as_ref()),
        expires_at: expires_at(environment, spec),
        account: spec.account_ref.as_ref().map_or_else(
            || DEFAULT_ACCOUNT.to_owned(),
            |account| account.name.clone(),
        ),
    })
}

/// When an environment expires: a fixed time, or its ttl counted from its creation.
pub fn expires_at(environment: &Environment, spec: &EnvironmentSpec) -> Option<Timestamp> {
    if let Some(at) = spec.expires_at.value() {
        return Some(*at);
    }
    let ttl = spec.ttl.value()?;
    let created = environment.metadata.creation_timestamp.as_ref()?.0;
    created.checked_add(ttl.duration()).ok()
}

fn project_target(project: Option<&ProjectRef>) -> Result<ProjectTarget, ResolveError> {
    match project {
        Some(ProjectRef { id: Some(id), .. }) => Ok(ProjectTarget::Id(ProjectId::new(id))),
        Some(ProjectRef {
            name: Some(name), ..
        }) => Ok(ProjectTarget::Named(name.clone())),
        _ => Err(ResolveError::Invalid {
            path: "spec.project".to_owned(),
            message: "say which Railway project: project: {name: …}".to_owned(),
        }),
    }
}

struct Values<'a> {
    inputs: &'a Inputs,
    key: &'a FingerprintKey,
}

impl Values<'_> {
    fn all(
        &self,
        path: &str,
        variables: &BTreeMap<String, Option<Variable>>,
    ) -> Result<BTreeMap<String, DesiredValue>, ResolveError> {
        variables
            .iter()
            .filter_map(|(name, variable)| Some((name, variable.as_ref()?)))
            .map(|(name, variable)| {
                Ok((name.clone(), self.one(&format!("{path}.{name}"), variable)?))
            })
            .collect()
    }

    fn one(&self, path: &str, variable: &Variable) -> Result<DesiredValue, ResolveError> {
        Ok(match variable {
            Variable::Plain(text) => self.value(SecretValue::new(text)),
            Variable::SecretRef(reference) => {
                let secret = self.inputs.secrets.get(reference);
                self.value(
                    secret
                        .cloned()
                        .ok_or_else(|| self.missing(path, reference))?,
                )
            }
            Variable::Preserve => DesiredValue::Preserve,
            Variable::CopyFrom(from) => DesiredValue::CopyFrom(from.clone()),
            Variable::Generate(generate) => DesiredValue::Generate {
                length: generate.length,
            },
        })
    }

    fn missing(&self, path: &str, reference: &ValueRef) -> ResolveError {
        let path = path.to_owned();
        match self.inputs.unread.get(reference) {
            Some(unread) => ResolveError::SecretUnread {
                path,
                unread: unread.clone(),
            },
            None => ResolveError::SecretMissing {
                path,
                name: reference.name.clone(),
                key: reference.key.clone(),
            },
        }
    }

    fn value(&self, secret: SecretValue) -> DesiredValue {
        DesiredValue::Value {
            fingerprint: self.key.fingerprint(secret.expose()),
            secret,
        }
    }
}

fn resolve_service(
    name: &str,
    service: &ServiceSpec,
    values: &Values<'_>,
) -> Result<EffectiveService, ResolveError> {
    let path = format!("spec.services.{name}");
    let mut settings = BTreeMap::new();
    if let Some(source) = &service.source {
        text(&mut settings, Field::Image, &source.image);
        text(&mut settings, Field::Repo, &source.repo);
        text(&mut settings, Field::Branch, &source.branch);
        text(&mut settings, Field::Commit, &source.commit);
        text(&mut settings, Field::RootDirectory, &source.root_directory);
    }
    if let Some(build) = &service.build {
        text(&mut settings, Field::BuildCommand, &build.command);
        text(&mut settings, Field::Dockerfile, &build.dockerfile);
        json_of(&mut settings, Field::WatchPatterns, &build.watch_patterns);
        if let Some(builder) = build.builder.value() {
            settings.insert(Field::Builder, json!(builder_name(*builder)));
        } else if build.dockerfile.value().is_some() {
            settings.insert(Field::Builder, json!(builder_name(Builder::Dockerfile)));
        }
    }
    if let Some(deploy) = &service.deploy {
        resolve_deploy(&mut settings, &path, deploy)?;
    }
    let volumes = service
        .volumes
        .iter()
        .filter_map(|(volume, spec)| Some((volume, spec.as_ref()?)))
        .map(|(volume, spec)| {
            let at = format!("{path}.volumes.{volume}");
            let mount_path =
                spec.mount_path
                    .value()
                    .cloned()
                    .ok_or_else(|| ResolveError::Invalid {
                        path: format!("{at}.mountPath"),
                        message: "say where the volume is mounted".to_owned(),
                    })?;
            let size_mb = spec
                .size
                .value()
                .map(|size| megabytes(&format!("{at}.size"), size))
                .transpose()?;
            let backup_schedules = spec
                .backups
                .value()
                .map(|all| all.iter().map(|one| schedule(*one).to_owned()).collect());
            let desired = DesiredVolume {
                mount_path,
                size_mb,
                region: spec.region.value().cloned(),
                backup_schedules,
            };
            Ok((volume.clone(), desired))
        })
        .collect::<Result<_, ResolveError>>()?;
    Ok(EffectiveService {
        settings,
        variables: values.all(&format!("{path}.variables"), &service.variables)?,
        domains: service
            .domains
            .value()
            .into_iter()
            .flatten()
            .map(|domain| DesiredDomain {
                name: domain.name.clone(),
                port: domain.port,
            })
            .collect(),
        tcp_proxies: service
            .tcp_proxies
            .value()
            .into_iter()
            .flatten()
            .copied()
            .collect(),
        volumes,
        depends_on: service
            .depends_on
            .value()
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
    })
}

fn resolve_deploy(
    settings: &mut BTreeMap<Field, Value>,
    path: &str,
    deploy: &Deploy,
) -> Result<(), ResolveError> {
    text(settings, Field::StartCommand, &deploy.start_command);
    json_of(
        settings,
        Field::PreDeployCommand,
        &deploy.pre_deploy_command,
    );
    if let Some(healthcheck) = &deploy.healthcheck {
        text(settings, Field::HealthcheckPath, &healthcheck.path);
        if let Some(timeout) = healthcheck.timeout.value() {
            settings.insert(Field::HealthcheckTimeout, json!(timeout.as_secs()));
        }
    }
    json_of(settings, Field::Replicas, &deploy.replicas);
    let regions: BTreeMap<&String, Value> = deploy
        .regions
        .iter()
        .filter_map(|(region, count)| Some((region, json!({"numReplicas": (*count)?}))))
        .collect();
    if !regions.is_empty() {
        settings.insert(Field::Regions, json!(regions));
    }
    if let Some(restart) = &deploy.restart {
        if let Some(policy) = restart.policy.value() {
            settings.insert(Field::RestartPolicy, json!(restart_policy_name(*policy)));
        }
        json_of(settings, Field::RestartRetries, &restart.max_retries);
    }
    text(settings, Field::Cron, &deploy.cron);
    json_of(settings, Field::Sleep, &deploy.sleep);
    if let Some(overlap) = deploy.overlap.value() {
        settings.insert(Field::Overlap, json!(overlap.as_secs()));
    }
    if let Some(draining) = deploy.draining.value() {
        settings.insert(Field::Draining, json!(draining.as_secs()));
    }
    if let Some(limits) = &deploy.limits {
        json_of(settings, Field::Cpu, &limits.cpu);
        if let Some(memory) = limits.memory.value() {
            let bytes = parse_bytes(memory).map_err(|error| ResolveError::Invalid {
                path: format!("{path}.deploy.limits.memory"),
                message: error.to_string(),
            })?;
            settings.insert(Field::Memory, json!(bytes));
        }
    }
    Ok(())
}

fn text(settings: &mut BTreeMap<Field, Value>, field: Field, setting: &Setting<String>) {
    json_of(settings, field, setting);
}

fn json_of<T: serde::Serialize>(
    settings: &mut BTreeMap<Field, Value>,
    field: Field,
    setting: &Setting<T>,
) {
    if let Some(value) = setting.value() {
        settings.insert(field, json!(value));
    }
}

fn megabytes(path: &str, size: &str) -> Result<u64, ResolveError> {
    let bytes = parse_bytes(size).map_err(|error| ResolveError::Invalid {
        path: path.to_owned(),
        message: error.to_string(),
    })?;
    Ok(bytes / (1024 * 1024))
}

fn builder_name(builder: Builder) -> &'static str {
    match builder {
        Builder::Railpack => "RAILPACK",
        Builder::Nixpacks => "NIXPACKS",
        Builder::Dockerfile => "DOCKERFILE",
    }
}

fn restart_policy_name(policy: RestartPolicy) -> &'static str {
    match policy {
        RestartPolicy::OnFailure => "ON_FAILURE",
        RestartPolicy::Always => "ALWAYS",
        RestartPolicy::Never => "NEVER",
    }
}

fn schedule(backup: BackupSchedule) -> &'static str {
    match backup {
        BackupSchedule::Daily => "DAILY",
        BackupSchedule::Weekly => "WEEKLY",
        BackupSchedule::Monthly => "MONTHLY",
    }
}

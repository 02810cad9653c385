//! Reading what a copy depends on. Nothing is made here, and no value leaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use kube::{Client, ResourceExt as _};
use mirage_railway::{
    budget::Priority,
    client::Clock,
    error::Error,
    id::{EnvironmentId, ProjectId},
    snapshot::{EnvironmentSnapshot, Presence, ProjectSnapshot},
};
use mirage_specs::{
    CopyOptions, Environment, EnvironmentSpec, Variable, copy::Copied, environment::ProjectRef,
    variable::ValueRef,
};
use mirage_vault::Vault;

use super::{OnRailway, Source, Surroundings, copy, naming::mentions};
use crate::{
    accounts::{Account, Accounts},
    environment::{
        inputs,
        resolve::{self, DEFAULT_ACCOUNT},
        sources,
    },
};

type Mentions = BTreeMap<(Option<String>, String), BTreeSet<String>>;

/// Works copies out, over the credentials and snapshots of this process.
pub struct Copier {
    pub(crate) client: Client,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) clock: Clock,
    pub(crate) vault: Arc<dyn Vault>,
}

/// Why a copy could not even be worked out.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The object is not an Environment.
    #[error("the object is not an Environment")]
    NotAnEnvironment(#[source] serde_json::Error),
    /// The API server did not answer, or the source refers to something that is not there.
    #[error(transparent)]
    Inputs(#[from] inputs::InputsError),
    /// The source makes no sense with its template.
    #[error(transparent)]
    Resolve(#[from] resolve::ResolveError),
    /// The copy's credential cannot be used.
    #[error("{0}")]
    Account(String),
    /// Railway could not be read.
    #[error("Railway could not be read: {0}. {step}", step = .0.next_step())]
    Railway(#[from] Error),
}

/// Where a source is on Railway, by its own status.
struct Place {
    project: ProjectId,
    environment: EnvironmentId,
}

impl Copier {
    /// What a copy of the environment would be.
    ///
    /// # Errors
    /// When the source's inputs or Railway could not be read. What speaks against the copy is in the answer.
    pub async fn copy(
        &self,
        source: serde_json::Value,
        options: &CopyOptions,
    ) -> Result<Copied, CopyError> {
        let environment: Environment =
            serde_json::from_value(source).map_err(CopyError::NotAnEnvironment)?;
        let home = environment
            .namespace()
            .unwrap_or_else(|| "default".to_owned());
        let template = inputs::template(&self.client, &home, &environment).await?;
        let spec = resolve::layered(&environment, template.as_ref())?;
        let namespace = options.namespace.as_deref().unwrap_or(&home);
        let wanted = with_overrides(&spec, options);
        let found = sources::values(&self.client, &*self.vault, namespace, &wanted).await?;
        let secrets: BTreeSet<ValueRef> = found.secrets.into_keys().collect();
        let account = self.account(namespace, &spec).await?;
        let now: Timestamp = (self.clock)();

        let place = place(&environment);
        let seen = match &place {
            Some(place) => look(&account, place).await?,
            None => Presence::Absent,
        };
        let project = match &seen {
            Presence::Present(project) => Some(project),
            Presence::Absent | Presence::Unknown(_) => None,
        };
        let railway = match (&place, &seen) {
            (None, _) => OnRailway::NeverMade,
            (Some(place), Presence::Present(project)) => {
                match project.environments.get(&place.environment) {
                    Some(found) if found.config.is_some() => OnRailway::Seen(&project.id, found),
                    Some(_) => OnRailway::Unread("its configuration is not shown to this account"),
                    None => OnRailway::Unread("this account does not see it"),
                }
            }
            (Some(_), Presence::Absent) => {
                OnRailway::Unread("this account does not see its project")
            }
            (Some(_), Presence::Unknown(why)) => OnRailway::Unread(why),
        };
        let source = Source {
            environment: &environment,
            spec: &spec,
            railway,
        };
        let is_same_project = is_same_project(options.project.as_ref(), project.map(Arc::as_ref));
        let nothing = Mentions::new();
        let surroundings = Surroundings {
            secrets: &secrets,
            is_same_project,
            mentions: &nothing,
            now,
        };
        let copied = copy(source, options, surroundings);
        let leaves_out = !options.exclude.is_empty() || !options.include.is_empty();
        let OnRailway::Seen(project, found) = railway else {
            return Ok(copied);
        };
        if !leaves_out || !copies_values(&copied) {
            return Ok(copied);
        }
        // A value that refers to what is left out would render as nothing; only the values themselves show that.
        let mentions = read_mentions(&account, project, found).await?;
        Ok(copy(
            source,
            options,
            Surroundings {
                mentions: &mentions,
                ..surroundings
            },
        ))
    }

    /// The credential that will make the copy: it must be able to read the source, too.
    async fn account(
        &self,
        namespace: &str,
        spec: &EnvironmentSpec,
    ) -> Result<Arc<Account>, CopyError> {
        let name = spec
            .account_ref
            .as_ref()
            .map_or(DEFAULT_ACCOUNT, |account| account.name.as_str());
        self.accounts
            .ready(namespace, name)
            .await
            .map_err(CopyError::Account)
    }
}

/// The spec with every variable that the options bring, so that their Secrets are looked for, too.
fn with_overrides(spec: &EnvironmentSpec, options: &CopyOptions) -> EnvironmentSpec {
    let mut all = spec.clone();
    let given = options.services.values().map(|service| &service.variables);
    for (index, variables) in [&options.variables].into_iter().chain(given).enumerate() {
        for (name, variable) in variables {
            // Under names of their own: none of them may hide another.
            all.variables
                .insert(format!("{index}.{name}"), variable.clone());
        }
    }
    all
}

fn place(environment: &Environment) -> Option<Place> {
    let railway = environment.status.as_ref()?.railway.as_ref()?;
    Some(Place {
        project: ProjectId::new(railway.project_id.as_deref()?),
        environment: EnvironmentId::new(railway.environment_id.as_deref()?),
    })
}

async fn look(account: &Account, place: &Place) -> Result<Presence<Arc<ProjectSnapshot>>, Error> {
    account
        .observer
        .project_with(
            &place.project,
            [place.environment.to_string()],
            Priority::User,
        )
        .await
}

/// A project that is asked for by name may be another one of the same name, so only an id, or nothing at all, says that it
/// is the same.
fn is_same_project(asked: Option<&ProjectRef>, project: Option<&ProjectSnapshot>) -> bool {
    match (asked, project) {
        (None, _) => true,
        (Some(asked), Some(project)) => asked.id.as_deref() == Some(project.id.as_str()),
        (Some(_), None) => false,
    }
}

fn copies_values(copied: &Copied) -> bool {
    let spec = serde_json::from_value::<EnvironmentSpec>(copied.object["spec"].clone());
    let Ok(spec) = spec else { return false };
    let of_services = spec
        .services
        .values()
        .flatten()
        .flat_map(|service| service.variables.values());
    spec.variables
        .values()
        .chain(of_services)
        .any(|variable| matches!(variable, Some(Variable::CopyFrom(_))))
}

async fn read_mentions(
    account: &Account,
    project: &ProjectId,
    environment: &EnvironmentSnapshot,
) -> Result<Mentions, Error> {
    let client = account.client.with_priority(Priority::User);
    let asked = [(project.clone(), environment.id.clone())];
    let mut read = client.read_values(&asked).await?;
    let Some(Presence::Present(values)) = read.remove(&environment.id) else {
        return Ok(Mentions::new());
    };
    let mut found = Mentions::new();
    for (name, value) in &values.shared {
        found.insert((None, name.clone()), mentions(value.expose()));
    }
    for (service, variables) in &values.services {
        let Some(instance) = environment.instances.get(service) else {
            continue;
        };
        for (name, value) in variables {
            let key = (Some(instance.service_name.clone()), name.clone());
            found.insert(key, mentions(value.expose()));
        }
    }
    Ok(found)
}

//! What would come of importing environments: each found, read, described, and compared with its own description.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use mirage_railway::{
    budget::Priority,
    client::DisclosedConfig,
    id::{EnvironmentId, ProjectId, ServiceId},
    snapshot::{EnvironmentSnapshot, Presence, ProjectSnapshot},
};
use mirage_specs::{
    Environment, EnvironmentSpec,
    import::{IMPORT, ImportItem, ImportProblem, ImportState, ImportWish},
    status::Applied,
    validate,
};
use serde_json::{Value, json};

use super::{Adopted, Catalog, CatalogError, adopt, find_environment, find_project, is_harmless};
use crate::{
    accounts::Account,
    environment::{
        diff::Memory,
        identity::mark,
        import,
        observe::Observed,
        plan::Action,
        resolve::{self, Inputs},
    },
};

/// A wish whose environment was found.
struct Found {
    wish: ImportWish,
    project: Arc<ProjectSnapshot>,
    environment: EnvironmentId,
}

impl Found {
    fn snapshot(&self) -> &EnvironmentSnapshot {
        &self.project.environments[&self.environment]
    }
}

impl Catalog {
    /// What would come of each wish. Whether an Environment manages it already, or has its name, the caller knows.
    ///
    /// # Errors
    /// When the credential cannot be used or Railway not be read; what concerns one wish stands in its item.
    pub async fn survey(
        &self,
        namespace: &str,
        account_name: &str,
        wishes: Vec<ImportWish>,
    ) -> Result<Vec<ImportItem>, CatalogError> {
        let account = self.account(namespace, account_name).await?;
        let mut items = Vec::with_capacity(wishes.len());
        let mut found = Vec::new();
        for wish in wishes {
            match find(&account, &wish).await {
                Ok((project, environment)) => {
                    items.push(None);
                    found.push(Found {
                        wish,
                        project,
                        environment,
                    });
                }
                Err(CatalogError::NotFound(why)) => {
                    items.push(Some(refused(&wish, "NotFound", why)));
                }
                Err(CatalogError::Unknown(why)) => {
                    items.push(Some(refused(&wish, "Unreadable", why)));
                }
                Err(error) => return Err(error),
            }
        }
        let mut read = self.read(&account, &found).await?;
        let is_unique = unique_names(&account).await?;
        let now = (self.clock)();
        let mut judged = found.into_iter().map(|found| {
            let config = read.remove(&found.environment);
            let by_name = is_unique.contains(&found.project.name);
            self.judge(account_name, &found, config, by_name, now)
        });
        let items = items
            .into_iter()
            .filter_map(|item| item.or_else(|| judged.next()));
        Ok(items.collect())
    }

    /// The configurations, with the texts that may stand in a spec: references, and what was asked for by name.
    async fn read(
        &self,
        account: &Account,
        found: &[Found],
    ) -> Result<BTreeMap<EnvironmentId, Presence<DisclosedConfig>>, CatalogError> {
        let wanted: Vec<(ProjectId, EnvironmentId)> = found
            .iter()
            .filter(|found| found.snapshot().can_access)
            .map(|found| (found.project.id.clone(), found.environment.clone()))
            .collect();
        if wanted.is_empty() {
            return Ok(BTreeMap::new());
        }
        let may_show =
            |environment: &EnvironmentId, service: Option<&ServiceId>, name: &str, text: &str| {
                is_harmless(text)
                    || found
                        .iter()
                        .filter(|found| found.environment == *environment)
                        .any(|found| is_asked_for(found, service, name))
            };
        let client = account.client.with_priority(Priority::User);
        Ok(client
            .read_configs_showing(&wanted, &self.key, &may_show)
            .await?)
    }

    fn judge(
        &self,
        account: &str,
        found: &Found,
        config: Option<Presence<DisclosedConfig>>,
        by_name: bool,
        now: Timestamp,
    ) -> ImportItem {
        let environment = found.snapshot();
        let mut item = ImportItem {
            project: found.project.name.clone(),
            environment: environment.name.clone(),
            railway_project_id: Some(found.project.id.to_string()),
            railway_environment_id: Some(environment.id.to_string()),
            ..refused(&found.wish, "", String::new())
        };
        item.problems.clear();
        item.name = found
            .wish
            .name
            .clone()
            .unwrap_or_else(|| object_name(&found.project.name, &environment.name));
        let config = match config {
            Some(Presence::Present(config)) => config,
            Some(Presence::Unknown(why)) => return problem(item, "Unreadable", why),
            Some(Presence::Absent) | None => {
                let why = "Railway does not let this account look into the environment; give its token the right, \
                           or use another account";
                return problem(item, "Unreadable", why.to_owned());
            }
        };
        let filled = filled(environment, &config);
        if let Presence::Present(mark) = mark(&filled) {
            let why = format!(
                "it carries the mark of a Mirage environment ({mark}): delete that one with deletion: retain first, \
                 or remove the shared variable MIRAGE_ENVIRONMENT_ID on Railway if nothing keeps it any more"
            );
            item = problem(item, "Marked", why);
        }
        let Adopted { spec, remarks } = adopt(&filled, &config.reading.config, &config.texts);
        item.remarks = remarks;
        let manifest = manifest(&item, found, account, spec, by_name);
        for fault in validate::environment(&manifest) {
            let reason = if fault.path == "spec.name" || fault.path == "metadata.name" {
                "InvalidName"
            } else {
                "Invalid"
            };
            item = problem(item, reason, fault.to_string());
        }
        if item.problems.is_empty() {
            match self.differences(&manifest, &found.project, filled, now) {
                Ok(plan) => item.plan = plan,
                Err(why) => item = problem(item, "Invalid", why),
            }
            if !item.plan.is_empty() {
                let why = format!(
                    "the spec would not describe what there is: {}",
                    item.plan.join("; ")
                );
                item = problem(item, "Differs", why);
            }
        }
        if item.problems.is_empty() {
            item.state = ImportState::Importable;
        }
        item.manifest = Some(manifest);
        item
    }

    /// What Mirage would change, were the environment its own and declared like this.
    fn differences(
        &self,
        manifest: &Value,
        project: &ProjectSnapshot,
        environment: EnvironmentSnapshot,
        now: Timestamp,
    ) -> Result<Vec<String>, String> {
        let object: Environment =
            serde_json::from_value(manifest.clone()).map_err(|error| error.to_string())?;
        let spec: EnvironmentSpec =
            resolve::layered(&object, None).map_err(|error| error.to_string())?;
        let effective = resolve::resolve(&object, &spec, &Inputs::default(), &self.key)
            .map_err(|error| error.to_string())?;
        let id = environment.id.clone();
        let mut project = project.clone();
        project.environments.insert(id.clone(), environment);
        let observed = Observed {
            project: Presence::Present(Arc::new(project)),
            in_grace: false,
            patience: self.patience,
            elsewhere: BTreeMap::new(),
        };
        let (applied, repairs) = (Applied::default(), BTreeMap::new());
        let memory = Memory {
            ledger: &[],
            applied: &applied,
            pending: None,
            repairs: &repairs,
            was_suspended: false,
            retry: false,
            redeploy: None,
            restart: None,
            restarts: None,
            rollout: None,
            good: &BTreeMap::new(),
        };
        let plan = import::plan(Some(&id), &effective, &observed, &memory, now);
        Ok(plan
            .entries
            .iter()
            .filter(|entry| entry.action != Action::Mark)
            .map(|entry| entry.action.to_string())
            .collect())
    }
}

async fn find(
    account: &Account,
    wish: &ImportWish,
) -> Result<(Arc<ProjectSnapshot>, EnvironmentId), CatalogError> {
    let project = find_project(account, &wish.project).await?;
    let environment = find_environment(&project, &wish.environment)?.id.clone();
    Ok((project, environment))
}

/// Names that only one project has: those may stand in a spec instead of Railway's id.
async fn unique_names(account: &Account) -> Result<BTreeSet<String>, CatalogError> {
    let list = account.observer.list_projects(Priority::User).await?;
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for project in list {
        *counts.entry(project.name).or_default() += 1;
    }
    let once = counts.into_iter().filter(|(_, count)| *count == 1);
    Ok(once.map(|(name, _)| name).collect())
}

/// Whether the person named it: `NAME` for the variable wherever it is, `service.NAME` for one service's.
fn is_asked_for(found: &Found, service: Option<&ServiceId>, name: &str) -> bool {
    let service = service.and_then(|id| found.snapshot().instances.get(id));
    found.wish.plain.iter().any(|wanted| {
        wanted == name
            || service.is_some_and(|service| *wanted == format!("{}.{name}", service.service_name))
    })
}

/// The environment with its configuration, as the observer will show it.
fn filled(environment: &EnvironmentSnapshot, config: &DisclosedConfig) -> EnvironmentSnapshot {
    EnvironmentSnapshot {
        etag: Some(config.reading.etag.clone()),
        config: Some(Arc::new(config.reading.config.clone())),
        ..environment.clone()
    }
}

/// The Environment that takes it over. It deletes nothing of what it did not make unless a person agrees.
fn manifest(item: &ImportItem, found: &Found, account: &str, spec: Value, by_name: bool) -> Value {
    let project = if by_name {
        json!({"name": found.project.name})
    } else {
        json!({"id": found.project.id})
    };
    let mut spec = spec;
    spec["project"] = project;
    if item.environment != item.name {
        spec["name"] = json!(item.environment);
    }
    if account != resolve::DEFAULT_ACCOUNT {
        spec["accountRef"] = json!({"name": account});
    }
    let is_production = item.environment == "production";
    if let Some(kind) = found.wish.environment_type {
        spec["type"] = json!(kind);
    } else if is_production {
        spec["type"] = json!("prod");
    }
    spec["deletion"] = json!("retain");
    spec["approval"] = json!("destructive");
    json!({
        "apiVersion": "mirage.dev/v1alpha1",
        "kind": "Environment",
        "metadata": {
            "name": item.name,
            "namespace": item.namespace,
            "annotations": {IMPORT: found.environment},
        },
        "spec": spec,
    })
}

/// `<project>-<environment>` as Kubernetes wants names.
fn object_name(project: &str, environment: &str) -> String {
    let mut name = String::new();
    for character in format!("{project}-{environment}").chars() {
        let character = character.to_ascii_lowercase();
        if character.is_ascii_lowercase() || character.is_ascii_digit() {
            name.push(character);
        } else if !name.ends_with('-') && !name.is_empty() {
            name.push('-');
        }
    }
    // Label values and host names end at 63.
    name.truncate(63);
    match name.trim_end_matches('-') {
        "" => "imported".to_owned(),
        name => name.to_owned(),
    }
}

fn refused(wish: &ImportWish, reason: &str, message: String) -> ImportItem {
    ImportItem {
        state: ImportState::Refused,
        project: wish.project.clone(),
        environment: wish.environment.clone(),
        railway_project_id: None,
        railway_environment_id: None,
        environment_id: None,
        namespace: wish
            .namespace
            .clone()
            .unwrap_or_else(|| "default".to_owned()),
        name: wish.name.clone().unwrap_or_default(),
        problems: vec![ImportProblem {
            reason: reason.to_owned(),
            message,
        }],
        remarks: Vec::new(),
        plan: Vec::new(),
        manifest: None,
    }
}

fn problem(mut item: ImportItem, reason: &str, message: String) -> ImportItem {
    item.state = ImportState::Refused;
    item.problems.push(ImportProblem {
        reason: reason.to_owned(),
        message,
    });
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_objects_come_from_project_and_environment() {
        for (project, environment, name) in [
            ("shop", "production", "shop-production"),
            ("My Shop!", "PR 12", "my-shop-pr-12"),
            ("__", "--", "imported"),
        ] {
            assert_eq!(object_name(project, environment), name);
        }
    }
}

//! Environments and projects: made, cloned, committed to, deleted.

use serde_json::{Map, Value, json};

use super::{deploy, instance, network};
use crate::config::etag::etag;
use crate::config::merge::stack;
use crate::config::patch;
use crate::quirk::Quirk;
use crate::refusal::Refusal;
use crate::state::{Activity, Environment, Event, Id, Patch, PatchStatus, Project, World};

/// What a new project may say of itself.
#[derive(Debug, Default)]
pub(crate) struct NewProject {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) workspace: Id,
    pub(crate) environment_name: Option<String>,
    pub(crate) is_public: bool,
    pub(crate) pr_deploys: bool,
}

/// A project with its first environment, `production` unless named otherwise (Railway docs).
pub(crate) fn create_project(world: &mut World, new: NewProject) -> Result<Id, Refusal> {
    let id = world.uuid();
    let visible_at = world.visible_from();
    let now = world.now;
    world.projects.insert(
        id.clone(),
        Project {
            id: id.clone(),
            name: new.name,
            description: new.description,
            workspace: new.workspace,
            created: now,
            updated: now,
            visible_at,
            deleted_at: None,
            scheduled_deletion: None,
            base_environment: None,
            is_public: new.is_public,
            pr_deploys: new.pr_deploys,
            bot_pr_environments: false,
            focused_pr_environments: false,
            environments: Vec::new(),
            services: Vec::new(),
            volumes: Vec::new(),
            buckets: Vec::new(),
            reserved_names: Default::default(),
            activities: Vec::new(),
        },
    );
    let name = new
        .environment_name
        .unwrap_or_else(|| "production".to_owned());
    let environment = add(world, &id, &name, None, false)?;
    world.project_mut(&id)?.base_environment = Some(environment);
    Ok(id)
}

/// An empty environment. `source` makes it a fork.
pub(crate) fn add(
    world: &mut World,
    project: &str,
    name: &str,
    source: Option<Id>,
    ephemeral: bool,
) -> Result<Id, Refusal> {
    if name.is_empty() || name.chars().count() > 100 {
        return Err(Refusal::Input("Invalid environment name".to_owned()));
    }
    let now = world.now;
    let reserved = world
        .project(project)?
        .reserved_names
        .get(name)
        .is_some_and(|until| *until > now);
    if world.environment_named(project, name).is_some() || reserved {
        return Err(Refusal::EnvironmentNameTaken);
    }
    let id = world.uuid();
    let visible_at = world.visible_from();
    let config = Environment::empty_config();
    world.project_mut(project)?.environments.push(id.clone());
    world.environments.insert(
        id.clone(),
        Environment {
            id: id.clone(),
            project: project.to_owned(),
            name: name.to_owned(),
            created: now,
            updated: now,
            visible_at,
            deleted_at: None,
            is_ephemeral: ephemeral,
            can_access: true,
            source,
            etag: etag(&config, 0),
            config,
            instances: Default::default(),
            volume_instances: Default::default(),
            staged: None,
            patches: Vec::new(),
            change_sets: Default::default(),
            etag_salt: 0,
        },
    );
    note(
        world,
        project,
        Some(&id),
        "created",
        "Environment",
        json!({"name": name}),
    );
    Ok(id)
}

/// The contents of a clone: what Railway copies of a source, as a patch for the new environment.
///
/// Left out: sealed values, custom domains. Generated domains become new ones, volumes come up empty (observed).
pub(crate) fn clone_patch(world: &World, source: &str) -> Result<Value, Refusal> {
    let mut config = world.environment(source)?.config.clone();
    drop_sealed(config.get_mut("sharedVariables"));
    for key in ["services", "volumes", "buckets"] {
        let entries = config.get_mut(key).and_then(Value::as_object_mut);
        for entry in entries.into_iter().flat_map(Map::values_mut) {
            entry["isCreated"] = json!(true);
            drop_sealed(entry.get_mut("variables"));
            if let Some(networking) = entry.get_mut("networking").and_then(Value::as_object_mut) {
                networking.remove("customDomains");
            }
        }
    }
    Ok(config)
}

fn drop_sealed(variables: Option<&mut Value>) {
    if let Some(variables) = variables.and_then(Value::as_object_mut) {
        variables.retain(|_, variable| variable.get("isSealed") != Some(&json!(true)));
    }
}

/// Fills a clone, and deploys it if asked to.
pub(crate) fn fill_clone(
    world: &mut World,
    environment: &str,
    source: &str,
    deploy: bool,
    stage: bool,
) -> Result<(), Refusal> {
    let contents = clone_patch(world, source)?;
    if stage {
        stage_changes(world, environment, &contents, false)?;
    } else {
        patch::apply(world, environment, &contents, deploy)?;
    }
    Ok(())
}

/// Starts the teardown: marked at once, unlisted later, the name taken for longer still.
pub(crate) fn delete(world: &mut World, environment: &str) -> Result<(), Refusal> {
    let now = world.now;
    let found = world.environment_mut(environment)?;
    if found.deleted_at.is_some() {
        return Ok(());
    }
    found.deleted_at = Some(now);
    found.updated = now;
    let span = world.rules.timing.environment_delete;
    let due = world.later(span);
    if due == now {
        return remove(world, environment);
    }
    world.agenda.plan(
        due,
        Event::RemoveEnvironment {
            environment: environment.to_owned(),
        },
    );
    Ok(())
}

/// The end of the teardown.
pub(crate) fn remove(world: &mut World, environment: &str) -> Result<(), Refusal> {
    let Ok(found) = world.environment(environment) else {
        return Ok(());
    };
    let (project, name) = (found.project.clone(), found.name.clone());
    let services: Vec<Id> = found.instances.keys().cloned().collect();
    let volumes: Vec<Id> = found.volume_instances.keys().cloned().collect();
    for volume in volumes {
        instance::remove_volume(world, environment, &volume)?;
    }
    for service in services {
        instance::remove_service(world, environment, &service)?;
    }
    world.environments.remove(environment);
    let reserves = world.has(Quirk::NameReservedAfterDelete);
    let span = world.rules.timing.name_reserved;
    let until = world.later(span);
    let found = world.project_mut(&project)?;
    found.environments.retain(|id| id != environment);
    if reserves {
        found.reserved_names.insert(name.clone(), until);
    }
    note(
        world,
        &project,
        Some(environment),
        "deleted",
        "Environment",
        json!({"name": name}),
    );
    world.touch();
    Ok(())
}

/// Deletes a project and all that is in it.
pub(crate) fn delete_project(world: &mut World, project: &str) -> Result<(), Refusal> {
    let now = world.now;
    let environments = world.project(project)?.environments.clone();
    for environment in environments {
        remove(world, &environment)?;
    }
    let found = world.project_mut(project)?;
    found.deleted_at = Some(now);
    found.updated = now;
    let buckets = std::mem::take(&mut found.buckets);
    for bucket in buckets {
        world.buckets.remove(&bucket);
    }
    Ok(())
}

/// Sets or extends the environment's one draft.
pub(crate) fn stage_changes(
    world: &mut World,
    environment: &str,
    change: &Value,
    merge: bool,
) -> Result<(), Refusal> {
    patch::check(world, environment, change)?;
    let id = world.uuid();
    let now = world.now;
    let found = world.environment_mut(environment)?;
    match &mut found.staged {
        Some(staged) if merge => {
            if let (Some(old), Some(new)) = (staged.patch.as_object_mut(), change.as_object()) {
                stack(old, new);
            }
            staged.updated = now;
        }
        slot => {
            *slot = Some(Patch {
                id,
                status: PatchStatus::Staged,
                patch: change.clone(),
                message: None,
                created: now,
                updated: now,
                applied_at: None,
                last_error: None,
            });
        }
    }
    Ok(())
}

/// How many patches an environment remembers: a long-lived world must not grow without end.
const REMEMBERED: usize = 200;

/// Accepts a patch for commit; it takes effect some time later. Returns the workflow's id.
pub(crate) fn commit(
    world: &mut World,
    environment: &str,
    change: Option<&Value>,
    message: Option<String>,
    skip_deploys: bool,
) -> Result<Id, Refusal> {
    let staged = match change {
        Some(_) if !world.has(Quirk::CommitFlushesStaged) => None,
        _ => world.environment_mut(environment)?.staged.take(),
    };
    let patch = match (staged, change) {
        (Some(staged), None) => staged.patch,
        (None, None) => return Err(Refusal::NothingStaged),
        (None, Some(change)) => change.clone(),
        (Some(staged), Some(change)) => {
            let mut both = staged.patch.as_object().cloned().unwrap_or_default();
            stack(&mut both, change.as_object().ok_or(Refusal::Problem)?);
            Value::Object(both)
        }
    };
    patch::check(world, environment, &patch)?;
    let id = world.uuid();
    let workflow = world.start_workflow(environment);
    let now = world.now;
    world.environment_mut(environment)?.patches.push(Patch {
        id: id.clone(),
        status: PatchStatus::Applying,
        patch,
        message,
        created: now,
        updated: now,
        applied_at: None,
        last_error: None,
    });
    let patches = &mut world.environment_mut(environment)?.patches;
    if patches.len() > REMEMBERED {
        patches.remove(0);
    }
    let span = world.rules.timing.patch_apply;
    let due = world.later(span);
    if due == now {
        finish_commit(world, environment, &id, &workflow, skip_deploys);
    } else {
        world.agenda.plan(
            due,
            Event::ApplyPatch {
                environment: environment.to_owned(),
                patch: id,
                workflow: workflow.clone(),
                skip_deploys,
            },
        );
    }
    Ok(workflow)
}

/// A committed patch takes effect.
pub(crate) fn finish_commit(
    world: &mut World,
    environment: &str,
    id: &str,
    workflow: &str,
    skip_deploys: bool,
) {
    let change = world.environment(environment).ok().and_then(|found| {
        let patch = found.patches.iter().find(|patch| patch.id == id)?;
        Some(patch.patch.clone())
    });
    let result = match change {
        Some(change) => patch::apply(world, environment, &change, !skip_deploys).map(|_| ()),
        None => Err(Refusal::NotFound("Environment")),
    };
    let now = world.now;
    if let Ok(found) = world.environment_mut(environment)
        && let Some(patch) = found.patches.iter_mut().find(|patch| patch.id == id)
    {
        patch.updated = now;
        match &result {
            Ok(()) => {
                patch.status = PatchStatus::Committed;
                patch.applied_at = Some(now);
            }
            Err(refusal) => {
                patch.status = PatchStatus::Staged;
                patch.last_error = Some(refusal.to_string());
            }
        }
    }
    if let Some(workflow) = world.workflows.get_mut(workflow) {
        workflow.done = true;
        workflow.error = result.err().map(|refusal| refusal.to_string());
    }
    world.touch();
}

/// A line in the project's activity feed.
pub(crate) fn note(
    world: &mut World,
    project: &str,
    environment: Option<&str>,
    action: &str,
    object: &str,
    payload: Value,
) {
    let id = world.uuid();
    let at = world.now;
    if let Ok(project) = world.project_mut(project) {
        project.activities.push(Activity {
            id,
            at,
            action: action.to_owned(),
            object: object.to_owned(),
            environment: environment.map(str::to_owned),
            payload,
        });
        if project.activities.len() > 1000 {
            project.activities.remove(0);
        }
    }
}

/// Gives a service a generated domain, and returns it.
pub(crate) fn generate_domain(
    world: &mut World,
    environment: &str,
    service: &str,
    port: Option<i64>,
) -> Result<String, Refusal> {
    world.instance(environment, service)?;
    let domain = network::generated_domain(world, environment, service);
    let name = domain.clone();
    patch::change(world, environment, false, |config| {
        config["services"][service]["networking"]["serviceDomains"][name.as_str()] =
            network::port_setting(port);
    })?;
    Ok(domain)
}

/// Deploys a service as it is configured now.
pub(crate) fn deploy_service(
    world: &mut World,
    environment: &str,
    service: &str,
    commit: Option<String>,
) -> Result<Id, Refusal> {
    world.instance(environment, service)?;
    let project = world.environment(environment)?.project.clone();
    let start = deploy::Start {
        commit,
        ..deploy::Start::default()
    };
    deploy::begin(world, &project, environment, service, start)
}

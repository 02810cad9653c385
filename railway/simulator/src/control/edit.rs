//! Performs dashboard edits.

use serde_json::{Value, json};

use crate::config::patch;
use crate::edit::{DashboardEdit as Edit, EditError};
use crate::lifecycle::environment::{
    self, NewProject, add, create_project, delete, deploy_service, fill_clone, stage_changes,
};
use crate::lifecycle::{instance, run};
use crate::refusal::Refusal;
use crate::state::{DeploymentStatus as Status, Id, World};

impl From<Refusal> for EditError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.to_string())
    }
}

fn missing(kind: &'static str, name: &str) -> EditError {
    EditError::Missing {
        kind,
        name: name.to_owned(),
    }
}

fn project_id(world: &World, given: &str) -> Result<Id, EditError> {
    world
        .projects
        .values()
        .find(|project| project.id == given || project.name == given)
        .map(|project| project.id.clone())
        .ok_or_else(|| missing("project", given))
}

/// By id, by `project/name`, or by name alone.
fn environment_id(world: &World, given: &str) -> Result<Id, EditError> {
    if world.environments.contains_key(given) {
        return Ok(given.to_owned());
    }
    if let Some((project, name)) = given.split_once('/')
        && let Ok(project) = project_id(world, project)
        && let Some(found) = world.environment_named(&project, name)
    {
        return Ok(found.id.clone());
    }
    world
        .environments
        .values()
        .find(|environment| environment.name == given)
        .map(|environment| environment.id.clone())
        .ok_or_else(|| missing("environment", given))
}

fn service_id(world: &World, environment: &str, given: &str) -> Result<Id, EditError> {
    let place = world.environment(environment)?;
    place
        .instances
        .keys()
        .find(|id| {
            *id == given
                || world
                    .services
                    .get(*id)
                    .is_some_and(|service| service.name == given)
        })
        .cloned()
        .ok_or_else(|| missing("service", given))
}

fn latest(world: &World, environment: &str, service: &str) -> Result<Id, EditError> {
    world
        .instance(environment, service)?
        .deployments
        .iter()
        .rev()
        .find(|deployment| deployment.status.is_active())
        .map(|deployment| deployment.id.clone())
        .ok_or_else(|| missing("running deployment", service))
}

pub(crate) fn perform(world: &mut World, edit: &Edit) -> Result<(), EditError> {
    world.touch();
    match edit {
        Edit::SetVariable { .. } | Edit::DeleteVariable { .. } => variable(world, edit),
        Edit::SetReplicas {
            environment,
            service,
            replicas,
        } => {
            let place = environment_id(world, environment)?;
            let service = service_id(world, &place, service)?;
            let settings = json!({"deploy": {"numReplicas": replicas}});
            apply(world, &place, &json!({"services": {service: settings}}))
        }
        Edit::Patch { environment, patch } => {
            let place = environment_id(world, environment)?;
            apply(world, &place, patch)
        }
        Edit::StageChange { environment, patch } => {
            let place = environment_id(world, environment)?;
            Ok(stage_changes(world, &place, patch, true)?)
        }
        Edit::DeleteService {
            environment,
            service,
        } => {
            let place = environment_id(world, environment)?;
            let service = service_id(world, &place, service)?;
            apply(
                world,
                &place,
                &json!({"services": {service: {"isDeleted": true}}}),
            )
        }
        Edit::DeleteEnvironment { environment } => {
            let place = environment_id(world, environment)?;
            Ok(delete(world, &place)?)
        }
        Edit::RenameEnvironment { environment, name } => {
            let place = environment_id(world, environment)?;
            let project = world.environment(&place)?.project.clone();
            if world.environment_named(&project, name).is_some() {
                return Err(Refusal::EnvironmentNameTaken.into());
            }
            world.environment_mut(&place)?.name.clone_from(name);
            Ok(())
        }
        Edit::RenameService {
            environment,
            service,
            name,
        } => {
            let place = environment_id(world, environment)?;
            let service = service_id(world, &place, service)?;
            let project = world.environment(&place)?.project.clone();
            if world.service_named(&project, name).is_some() {
                return Err(Refusal::ServiceNameTaken(name.clone()).into());
            }
            if let Some(service) = world.services.get_mut(&service) {
                service.name.clone_from(name);
            }
            Ok(())
        }
        Edit::CreateEnvironment { project, name } => {
            let project = project_id(world, project)?;
            add(world, &project, name, None, false)?;
            Ok(())
        }
        Edit::DuplicateEnvironment { environment, name } => {
            let source = environment_id(world, environment)?;
            let project = world.environment(&source)?.project.clone();
            let copy = add(world, &project, name, Some(source.clone()), false)?;
            Ok(fill_clone(world, &copy, &source, true, false)?)
        }
        Edit::CreateProject { name } => {
            let workspace = world
                .workspaces_by_age()
                .first()
                .map(|workspace| workspace.id.clone())
                .unwrap_or_default();
            create_project(
                world,
                NewProject {
                    name: name.clone(),
                    workspace,
                    ..NewProject::default()
                },
            )?;
            Ok(())
        }
        Edit::DeleteProject { project } => {
            let project = project_id(world, project)?;
            Ok(environment::delete_project(world, &project)?)
        }
        Edit::CreateService {
            environment,
            name,
            image,
        } => {
            let place = environment_id(world, environment)?;
            let project = world.environment(&place)?.project.clone();
            let id = instance::register_service(world, &project, None, name, None)?;
            let settings = json!({"isCreated": true, "source": {"image": image}});
            apply(world, &place, &json!({"services": {id: settings}}))
        }
        Edit::Redeploy {
            environment,
            service,
        } => {
            let place = environment_id(world, environment)?;
            let service = service_id(world, &place, service)?;
            deploy_service(world, &place, &service, None)?;
            Ok(())
        }
        Edit::Crash {
            environment,
            service,
        } => {
            let place = environment_id(world, environment)?;
            let service = service_id(world, &place, service)?;
            let deployment = latest(world, &place, &service)?;
            run::arrive(world, &deployment, Status::Crashed);
            Ok(())
        }
        Edit::RemoveImages {
            environment,
            service,
        } => {
            let place = environment_id(world, environment)?;
            let service = service_id(world, &place, service)?;
            for deployment in &mut world.instance_mut(&place, &service)?.deployments {
                deployment.image_gone = true;
            }
            Ok(())
        }
        Edit::StopDeployment {
            environment,
            service,
        } => {
            let place = environment_id(world, environment)?;
            let service = service_id(world, &place, service)?;
            let deployment = latest(world, &place, &service)?;
            run::retire(world, &deployment);
            Ok(())
        }
        Edit::SetAccess {
            environment,
            can_access,
        } => {
            let place = environment_id(world, environment)?;
            world.environment_mut(&place)?.can_access = *can_access;
            Ok(())
        }
        Edit::ReachUsageLimit => {
            halt(world);
            Ok(())
        }
        Edit::RaiseUsageLimit => {
            for workspace in world.workspaces.values_mut() {
                workspace.halted = false;
            }
            Ok(())
        }
        Edit::RevokeToken { token } => set_revoked(world, token, true),
        Edit::RestoreToken { token } => set_revoked(world, token, false),
    }
}

fn apply(world: &mut World, environment: &str, change: &Value) -> Result<(), EditError> {
    patch::apply(world, environment, change, true)?;
    Ok(())
}

fn variable(world: &mut World, edit: &Edit) -> Result<(), EditError> {
    let (environment, service, name, value) = match edit {
        Edit::SetVariable {
            environment,
            service,
            name,
            value,
        } => (environment, service, name, json!({"value": value})),
        Edit::DeleteVariable {
            environment,
            service,
            name,
        } => (environment, service, name, Value::Null),
        _ => return Ok(()),
    };
    let place = environment_id(world, environment)?;
    let change = match service {
        Some(service) => {
            let service = service_id(world, &place, service)?;
            json!({"services": {service: {"variables": {name: value}}}})
        }
        None => json!({"sharedVariables": {name: value}}),
    };
    apply(world, &place, &change)
}

/// The hard limit takes every workload offline (Railway docs).
fn halt(world: &mut World) {
    for workspace in world.workspaces.values_mut() {
        workspace.halted = true;
    }
    let running: Vec<Id> = world
        .environments
        .values()
        .flat_map(|environment| environment.instances.values())
        .flat_map(|instance| &instance.deployments)
        .filter(|deployment| deployment.status.is_active() || deployment.status.is_progressing())
        .map(|deployment| deployment.id.clone())
        .collect();
    for deployment in running {
        run::retire(world, &deployment);
    }
}

fn set_revoked(world: &mut World, secret: &str, revoked: bool) -> Result<(), EditError> {
    let token = world
        .tokens
        .get_mut(secret)
        // The token itself must not be repeated in an error.
        .ok_or_else(|| missing("token", "…"))?;
    token.revoked = revoked;
    Ok(())
}

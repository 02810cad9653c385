//! Who calls, and what they may touch.

use serde::{Deserialize, Serialize};

use super::{Id, World};
use crate::limits::Plan;
use crate::refusal::Refusal;

/// A team's account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Workspace {
    pub(crate) id: Id,
    pub(crate) name: String,
    /// The first is the one that an account works in unless it says otherwise.
    pub(crate) order: usize,
    pub(crate) created: i64,
    pub(crate) plan: Plan,
    /// The usage limit was hit: nothing runs.
    pub(crate) halted: bool,
}

/// How far a token reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Grant {
    /// Everything of one person, all workspaces.
    Account,
    Workspace(Id),
    Project {
        project: Id,
        environment: Id,
    },
}

/// A credential. The secret itself is the key under which it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) grant: Grant,
    pub(crate) revoked: bool,
    pub(crate) created: i64,
}

impl Grant {
    /// The bucket that its requests are counted in.
    pub(crate) fn owner(&self, world: &World) -> String {
        match self {
            Self::Account => "account".to_owned(),
            Self::Workspace(workspace) => workspace.clone(),
            Self::Project { project, .. } => world
                .projects
                .get(project)
                .map_or_else(|| project.clone(), |project| project.workspace.clone()),
        }
    }

    pub(crate) fn may_workspace(&self, workspace: &str) -> Result<(), Refusal> {
        match self {
            Self::Account => Ok(()),
            Self::Workspace(own) if own == workspace => Ok(()),
            _ => Err(Refusal::NotAuthorized),
        }
    }

    /// Reading or changing things that belong to the project as a whole.
    pub(crate) fn may_project(&self, world: &World, project: &str) -> Result<(), Refusal> {
        match self {
            Self::Account => Ok(()),
            Self::Workspace(own) => match world.projects.get(project) {
                Some(found) if found.workspace != *own => Err(Refusal::NotAuthorized),
                _ => Ok(()),
            },
            Self::Project { project: own, .. } if own == project => Ok(()),
            Self::Project { .. } => Err(Refusal::NotAuthorized),
        }
    }

    /// Anything inside one environment.
    pub(crate) fn may_environment(&self, world: &World, environment: &str) -> Result<(), Refusal> {
        let found = world.environment(environment)?;
        if !found.can_access {
            return Err(Refusal::NotAuthorized);
        }
        match self {
            Self::Project {
                environment: own, ..
            } if own != environment => Err(Refusal::NotAuthorized),
            _ => self.may_project(world, &found.project),
        }
    }
}

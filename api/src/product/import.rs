//! `POST /api/v1/import/validate`, `POST /api/v1/import`, `GET /api/v1/import/{id}`: taking over what is on Railway.
//!
//! To import is to create Environments, through the same door as everybody's, that carry the id of what they take over.
//! The reconciler does the rest, so an import survives whatever the server does: its progress is not kept anywhere but
//! read from those Environments, which carry the operation's id as a label.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::response::Response;
use mirage_specs::catalog::Keeper;
use mirage_specs::import::{
    IMPORT, IMPORT_OPERATION, ImportItem, ImportOperation, ImportProblem, ImportRequest,
    ImportState, ImportWish,
};
use serde_json::{Value, json};

use super::creation;
use super::kept::Keepers;
use super::lookup;
use super::railway::{self, catalog, untold};
use super::stored::{self, ENVIRONMENTS, GROUP};
use crate::access::Attributes;
use crate::audit::Origin;
use crate::auth::Identity;
use crate::catalog::AccountName;
use crate::error::Status;
use crate::kubernetes::access;
use crate::kubernetes::body::Body;
use crate::server::Server;

/// Who owns the fields of the Environments that are made here.
const MANAGER: &str = "mirage-import";

/// More than this at once is refused: every one of them is a configuration to read, and a commit.
const MOST: usize = 200;

/// The right to see values that are on Railway, for `plain`: `get` on `railwayprojects/values`.
const VALUES: &str = "values";

/// What would come of it. Nothing is made.
pub(crate) async fn validate(
    server: &Server,
    identity: &Identity,
    body: &Body,
) -> Result<Response, Status> {
    let request = read(body)?;
    let items = survey(server, identity, &request).await?;
    railway::respond(&ImportOperation::of(None, items))
}

/// Makes an Environment for everything that can be imported.
pub(crate) async fn import(
    server: &Arc<Server>,
    identity: &Identity,
    origin: &Arc<Origin>,
    body: &Body,
) -> Result<Response, Status> {
    let request = read(body)?;
    let surveyed = survey(server, identity, &request).await?;
    let id = server.ids.uid().to_string();
    let mut items = Vec::with_capacity(surveyed.len());
    for mut item in surveyed {
        if item.state == ImportState::Importable
            && let Some(mut manifest) = item.manifest.take()
        {
            manifest["metadata"]["labels"][IMPORT_OPERATION] = json!(id);
            match creation::created(
                server,
                identity,
                origin,
                MANAGER,
                ENVIRONMENTS,
                &item.namespace,
                manifest,
            )
            .await
            {
                Ok(created) => {
                    item.state = ImportState::Waiting;
                    item.environment_id = text(&created["metadata"]["uid"]);
                }
                Err(status) => refuse(&mut item, "Refused", status.to_string()),
            }
        }
        // What was made is an object now, and what was not is of no use.
        item.manifest = None;
        items.push(item);
    }
    let has_made = items.iter().any(|item| item.state == ImportState::Waiting);
    railway::respond(&ImportOperation::of(has_made.then_some(id), items))
}

/// How far it is.
pub(crate) async fn progress(
    server: &Server,
    identity: &Identity,
    id: &str,
) -> Result<Response, Status> {
    let mut items = Vec::new();
    for stored in lookup::all(server).await? {
        let is_of_it = stored.object["metadata"]["labels"][IMPORT_OPERATION] == *id;
        if is_of_it && lookup::may_see(server, identity, &stored).await {
            items.push(result(&stored.object));
        }
    }
    if items.is_empty() {
        let message = format!(
            "no Environment that you may see was made by import {id:?}; `mirage get -A` lists all there are"
        );
        return Err(Status::new(crate::error::Reason::NotFound, message));
    }
    railway::respond(&ImportOperation::of(Some(id.to_owned()), items))
}

fn read(body: &Body) -> Result<ImportRequest, Status> {
    let value = if body.media_type().is_empty() {
        body.yaml()?
    } else {
        body.object()?
    }
    .value;
    let request: ImportRequest = serde_json::from_value(value)
        .map_err(|error| Status::bad_request(format!("this is no import: {error}")))?;
    if request.items.is_empty() && !request.all {
        let message = "items: name the environments to import, or say all: true";
        return Err(Status::bad_request(message));
    }
    if request.project.is_some() && !request.all {
        let message = "project: only together with all: true; an item names its own project";
        return Err(Status::bad_request(message));
    }
    Ok(request)
}

/// Every wish with what would come of it, seen from Railway and from here.
async fn survey(
    server: &Server,
    identity: &Identity,
    request: &ImportRequest,
) -> Result<Vec<ImportItem>, Status> {
    let namespace = request.namespace.as_deref().unwrap_or("default");
    let account = AccountName {
        namespace: namespace.to_owned(),
        name: request.account.as_deref().unwrap_or("default").to_owned(),
    };
    railway::check(server, identity, "get", "", namespace).await?;
    if request.items.iter().any(|wish| !wish.plain.is_empty()) {
        railway::check(server, identity, "get", VALUES, namespace).await?;
    }
    let keepers = Keepers::read(server, identity).await?;
    let mut wishes: Vec<ImportWish> = request.items.clone();
    if request.all {
        wishes.extend(all_external(server, &keepers, &account, request).await?);
    }
    if wishes.len() > MOST {
        let message = format!(
            "{} environments at once are too many: at most {MOST}; import one project after the other",
            wishes.len()
        );
        return Err(Status::bad_request(message));
    }
    for wish in &mut wishes {
        wish.namespace.get_or_insert_with(|| namespace.to_owned());
    }
    let mut items = catalog(server)?
        .survey(&account, wishes)
        .await
        .map_err(untold)?;
    let mut taken = BTreeSet::new();
    for item in &mut items {
        judge(server, identity, &keepers, item).await?;
        let place = (item.namespace.clone(), item.name.clone());
        if item.state == ImportState::Importable && !taken.insert(place) {
            let message = format!(
                "another item of this import is to be called {}/{} too: give one of them a name",
                item.namespace, item.name
            );
            refuse(item, "NameTaken", message);
        }
    }
    Ok(items)
}

async fn all_external(
    server: &Server,
    keepers: &Keepers,
    account: &AccountName,
    request: &ImportRequest,
) -> Result<Vec<ImportWish>, Status> {
    let catalog = catalog(server)?;
    let projects = match &request.project {
        Some(project) => vec![project.clone()],
        None => {
            let all = catalog.projects(account).await.map_err(untold)?;
            all.into_iter().map(|it| it.railway_project_id).collect()
        }
    };
    let mut wishes = Vec::new();
    for project in projects {
        let found = catalog.environments(account, &project).await;
        for mut environment in found.map_err(untold)? {
            keepers.tell(&mut environment);
            if environment.keeper == Keeper::External {
                wishes.push(ImportWish {
                    project: environment.railway_project_id,
                    environment: environment.railway_environment_id,
                    ..ImportWish::default()
                });
            }
        }
    }
    Ok(wishes)
}

/// What only we know of it: whose it is, whether the name is free, and whether the caller may make it.
async fn judge(
    server: &Server,
    identity: &Identity,
    keepers: &Keepers,
    item: &mut ImportItem,
) -> Result<(), Status> {
    let railway_id = item.railway_environment_id.clone().unwrap_or_default();
    if keepers.is_kept(&railway_id) {
        let kept_by = keepers.visible(&railway_id);
        let message = match kept_by {
            Some(kept_by) => format!("{}/{} manages it already", kept_by.namespace, kept_by.name),
            None => "an Environment of another namespace manages it already".to_owned(),
        };
        item.environment_id = kept_by.map(|kept_by| kept_by.environment_id.clone());
        item.problems.clear();
        item.manifest = None;
        refuse(item, "AlreadyManaged", message);
        item.state = ImportState::Managed;
        return Ok(());
    }
    if railway_id.is_empty() {
        return Ok(());
    }
    let namespace = item.namespace.clone();
    let creating = Attributes {
        verb: "create",
        group: GROUP,
        resource: ENVIRONMENTS,
        namespace: &namespace,
        ..Attributes::default()
    };
    let importing = Attributes {
        namespace: &namespace,
        ..railway::IMPORTING
    };
    for asked in [&creating, &importing] {
        if let Err(status) = access::check(server, identity, asked).await {
            refuse(item, "Forbidden", status.to_string());
            return Ok(());
        }
    }
    let kind = stored::kind(server, ENVIRONMENTS)?;
    if stored::find(server, kind, &item.namespace, &item.name)
        .await?
        .is_some()
    {
        let message = format!(
            "there is an Environment {}/{} already: give this one another name",
            item.namespace, item.name
        );
        refuse(item, "NameTaken", message);
    }
    Ok(())
}

fn refuse(item: &mut ImportItem, reason: &str, message: String) {
    item.state = ImportState::Refused;
    item.problems.push(ImportProblem {
        reason: reason.to_owned(),
        message,
    });
}

/// What has come of an Environment that an import made.
fn result(object: &Value) -> ImportItem {
    let (metadata, status) = (&object["metadata"], &object["status"]);
    let railway_id = text(&metadata["annotations"][IMPORT]);
    let synced = status["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|condition| condition["type"] == "Synced");
    let reason = synced.map_or("", |synced| synced["reason"].as_str().unwrap_or_default());
    let state = match reason {
        _ if text(&status["railway"]["environmentId"]).is_some() => ImportState::Adopted,
        "ImportDiffers" => ImportState::Differs,
        "ImportMissing" | "Conflict" | "InvalidSpec" => ImportState::Refused,
        _ => ImportState::Waiting,
    };
    let is_refused = matches!(state, ImportState::Differs | ImportState::Refused);
    let problem = synced.filter(|_| is_refused).map(|synced| ImportProblem {
        reason: reason.to_owned(),
        message: text(&synced["message"]).unwrap_or_default(),
    });
    let plan = status["plan"]["actions"].as_array().into_iter().flatten();
    let name = text(&metadata["name"]).unwrap_or_default();
    ImportItem {
        state,
        project: text(&status["railway"]["projectName"])
            .or_else(|| text(&object["spec"]["project"]["name"]))
            .or_else(|| text(&object["spec"]["project"]["id"]))
            .unwrap_or_default(),
        environment: text(&object["spec"]["name"]).unwrap_or_else(|| name.clone()),
        railway_project_id: text(&status["railway"]["projectId"]),
        railway_environment_id: railway_id,
        environment_id: text(&metadata["uid"]),
        namespace: text(&metadata["namespace"]).unwrap_or_default(),
        name,
        problems: problem.into_iter().collect(),
        remarks: Vec::new(),
        plan: plan
            .filter(|_| state == ImportState::Differs)
            .filter_map(|action| text(&action["sentence"]))
            .collect(),
        manifest: None,
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

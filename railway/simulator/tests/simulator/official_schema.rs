//! Our schema against the official one, and the project's own client against ours.

use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "graphql"));
    files.sort();
    files
        .into_iter()
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

fn ours() -> apollo_compiler::validation::Valid<Schema> {
    let mut builder = Schema::builder();
    for (path, source) in sources(&folder("schema")) {
        builder = builder.parse(source, path);
    }
    builder.build().unwrap().validate().unwrap()
}

/// The full introspection result, where it is at hand.
fn official() -> Option<Value> {
    let path = std::env::var_os("MIRAGE_OFFICIAL_SCHEMA").map_or_else(
        || folder("../../../shared/railway/schema.json"),
        PathBuf::from,
    );
    let Ok(text) = fs::read_to_string(&path) else {
        eprintln!(
            "SKIPPED: the official schema is not at {} (set MIRAGE_OFFICIAL_SCHEMA)",
            path.display()
        );
        return None;
    };
    let value: Value = serde_json::from_str(&text).unwrap();
    let schema = if value["data"].is_object() {
        value["data"]["__schema"].clone()
    } else {
        value["__schema"].clone()
    };
    Some(schema)
}

fn spelled(ty: &Value) -> String {
    match ty["kind"].as_str().unwrap() {
        "NON_NULL" => format!("{}!", spelled(&ty["ofType"])),
        "LIST" => format!("[{}]", spelled(&ty["ofType"])),
        _ => ty["name"].as_str().unwrap().to_owned(),
    }
}

fn by_name(list: &Value) -> BTreeMap<&str, &Value> {
    list.as_array()
        .into_iter()
        .flatten()
        .map(|item| (item["name"].as_str().unwrap(), item))
        .collect()
}

#[test]
fn the_official_schema_has_every_type_field_argument_and_value_of_ours() {
    let Some(official) = official() else { return };
    let types = by_name(&official["types"]);
    let mut faults = Vec::new();
    for (name, ty) in &ours().types {
        if ty.is_built_in() {
            continue;
        }
        let Some(theirs) = types.get(name.as_str()) else {
            faults.push(format!("type {name}"));
            continue;
        };
        let kind = theirs["kind"].as_str().unwrap();
        match ty {
            ExtendedType::Object(_) | ExtendedType::Interface(_) => {
                let fields = match ty {
                    ExtendedType::Object(object) => &object.fields,
                    ExtendedType::Interface(interface) => &interface.fields,
                    _ => continue,
                };
                let official_fields = by_name(&theirs["fields"]);
                for (field, ours) in fields {
                    let Some(theirs) = official_fields.get(field.as_str()) else {
                        faults.push(format!("{name}.{field}"));
                        continue;
                    };
                    if ours.ty.to_string() != spelled(&theirs["type"]) {
                        faults.push(format!("{name}.{field}: {}", ours.ty));
                    }
                    let our_arguments: BTreeMap<String, String> = ours
                        .arguments
                        .iter()
                        .map(|argument| (argument.name.to_string(), argument.ty.to_string()))
                        .collect();
                    let their_arguments: BTreeMap<String, String> = by_name(&theirs["args"])
                        .into_iter()
                        .map(|(name, argument)| (name.to_owned(), spelled(&argument["type"])))
                        .collect();
                    if our_arguments != their_arguments {
                        faults.push(format!("arguments of {name}.{field}"));
                    }
                }
            }
            ExtendedType::InputObject(input) => {
                let our_fields: BTreeMap<String, String> = input
                    .fields
                    .iter()
                    .map(|(field, ours)| (field.to_string(), ours.ty.to_string()))
                    .collect();
                let their_fields: BTreeMap<String, String> = by_name(&theirs["inputFields"])
                    .into_iter()
                    .map(|(field, theirs)| (field.to_owned(), spelled(&theirs["type"])))
                    .collect();
                if our_fields != their_fields {
                    faults.push(format!("input {name}"));
                }
            }
            ExtendedType::Enum(values) => {
                let ours: BTreeSet<&str> =
                    values.values.keys().map(|value| value.as_str()).collect();
                let theirs: BTreeSet<&str> = by_name(&theirs["enumValues"]).into_keys().collect();
                if ours != theirs {
                    faults.push(format!("enum {name}"));
                }
            }
            ExtendedType::Scalar(_) if kind != "SCALAR" => faults.push(format!("scalar {name}")),
            ExtendedType::Union(_) if kind != "UNION" => faults.push(format!("union {name}")),
            _ => {}
        }
    }
    assert!(faults.is_empty(), "not in the official schema: {faults:#?}");
}

#[test]
fn every_operation_of_the_projects_client_fits_our_schema() {
    let schema = ours();
    for (path, source) in sources(&folder("../operations")) {
        if let Err(broken) = ExecutableDocument::parse_and_validate(&schema, source, &path) {
            panic!("{}: {}", path.display(), broken.errors);
        }
    }
}

#[test]
fn common_documents_of_official_clients_fit_our_schema() {
    let schema = ours();
    for document in DOCUMENTS {
        if let Err(broken) = ExecutableDocument::parse_and_validate(&schema, document, "official") {
            panic!("{document}: {}", broken.errors);
        }
    }
}

/// Root fields and selections as the official clients send them, in our own shape.
const DOCUMENTS: [&str; 8] = [
    "query UserProjects { externalWorkspaces { id name projects { id name } }
        me { id email workspaces { id name projects(first: 500) { edges { node { id name } } } } } }",
    "query Environments($p: String!, $e: Boolean, $n: Int, $a: String) {
        environments(projectId: $p, isEphemeral: $e, first: $n, after: $a) { edges { cursor node {
            id name isEphemeral createdAt updatedAt canAccess unmergedChangesCount sourceEnvironment { id name }
            meta { prNumber prTitle prRepo branch baseBranch } } } pageInfo { hasNextPage endCursor } } }",
    "query Project($id: String!) { project(id: $id) { id name deletedAt workspaceId
        buckets { edges { node { id name } } } services { edges { node { id name } } }
        environments { edges { node { id name canAccess deletedAt unmergedChangesCount } } } } }",
    "query EnvironmentInstances($id: String!) { environment(id: $id) {
        serviceInstances(first: 500) { edges { node { id serviceId serviceName startCommand cronSchedule
            latestDeployment { id status meta canRedeploy deploymentStopped instances { id status } } } } }
        volumeInstances(first: 500) { edges { node { id mountPath sizeMB currentSizeMB volume { id name } } } } } }",
    "query Deployments($input: DeploymentListInput!, $first: Int) { deployments(input: $input, first: $first) {
        edges { node { id status createdAt meta } } } }",
    "query DeploymentLogs($id: String!, $limit: Int) { deploymentLogs(deploymentId: $id, limit: $limit) {
        timestamp message severity attributes { key value } } }",
    "query IacEnvironmentConfig($id: String!) { environment(id: $id) {
        id name projectId config(decryptVariables: true) configEtag canvasGroupRefs } }",
    "subscription Deployment($id: String!) { deployment(id: $id) { id status deploymentStopped } }",
];

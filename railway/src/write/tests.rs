//! Both ways of writing, with the same tests where the outcome must be the same.

use serde_json::json;

use super::*;
use crate::{
    change::{NewService, ServiceUpdate},
    error::Class,
    scripted::{Canned, Scripted},
};

fn new_service(image: &str) -> NewService {
    NewService {
        settings: json!({ "source": { "image": image }, "deploy": { "startCommand": "run" } }),
        variables: [("KEY".to_owned(), SecretValue::new("canary-3aa1"))].into(),
        ..NewService::default()
    }
}

fn volume(name: &str) -> NewVolume {
    NewVolume {
        name: name.to_owned(),
        mount_path: "/data".to_owned(),
        size_mb: Some(500),
        ..NewVolume::default()
    }
}

fn update(settings: Value) -> ServiceUpdate {
    ServiceUpdate {
        id: ServiceId::new("s-old"),
        settings,
        current: json!({ "deploy": { "startCommand": "old", "numReplicas": 2 } }),
        variables: [
            ("A".to_owned(), Some(SecretValue::new("1"))),
            ("B".to_owned(), None),
        ]
        .into(),
        new_volumes: Vec::new(),
        volume_changes: BTreeMap::new(),
        deleted_volumes: Vec::new(),
    }
}

fn change(services: impl IntoIterator<Item = (&'static str, ServiceChange)>) -> EnvironmentChange {
    EnvironmentChange {
        project: Some(ProjectId::new("p")),
        environment: Some(EnvironmentId::new("e")),
        base_etag: Some("etag".to_owned()),
        message: "mirage: apply".to_owned(),
        services: services
            .into_iter()
            .map(|(name, change)| (name.to_owned(), change))
            .collect(),
        ..EnvironmentChange::default()
    }
}

/// Thirty services, new to the project.
fn thirty() -> EnvironmentChange {
    let mut change = change([]);
    for index in 0..30 {
        change.services.insert(
            format!("s{index}"),
            ServiceChange::Create(new_service("nginx")),
        );
    }
    change
}

/// A Railway that takes everything; with or without change sets.
fn railway(has_change_sets: bool) -> std::sync::Arc<Scripted> {
    let railway = Scripted::new();
    railway
        .always("ApplyChangeSet", move |_| {
            if has_change_sets {
                Canned::data(json!({ "environmentApplyChangeSet": {
                    "id": "cs", "status": "applying", "diagnostics": [],
                }}))
            } else {
                Canned::code("GRAPHQL_VALIDATION_FAILED")
            }
        })
        .always("VariablesUpsert", |_| {
            Canned::data(json!({ "variableCollectionUpsert": true }))
        })
        .always("ServiceCreate", |variables| {
            let id = format!("id-{}", variables["input"]["name"].as_str().unwrap());
            Canned::data(json!({ "serviceCreate": { "id": id } }))
        })
        .always("VolumeCreate", |_| {
            Canned::data(json!({ "volumeCreate": { "id": "v-new" } }))
        })
        .always("VolumeRename", |_| {
            Canned::data(json!({ "volumeUpdate": { "id": "v-new" } }))
        })
        .always("PatchCommit", |_| {
            Canned::data(json!({ "environmentPatchCommit": "wf" }))
        });
    railway
}

#[tokio::test(start_paused = true)]
async fn both_ways_apply_what_is_new_and_say_how_many_requests_it_takes() {
    for (has_change_sets, path, requests) in [
        (true, WritePath::ChangeSet, 1),
        (false, WritePath::Patch, 31),
    ] {
        let railway = railway(has_change_sets);
        let client = railway.client();
        if !has_change_sets {
            // The first attempt finds out; what follows knows.
            client.apply(&thirty()).await.unwrap();
            railway.take_operations();
        }
        let planned = client.planned_requests(&thirty());
        let applied = client.apply(&thirty()).await.unwrap();
        assert_eq!((applied.path, applied.requests), (path, requests));
        assert_eq!(planned, requests);
        assert_eq!(railway.take_operations().len(), requests as usize);
        assert!(applied.workflow.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_set_is_guarded_by_the_etag_and_followed_by_its_own_id() {
    let railway = railway(true);
    railway.once(
        "ChangeSetProgress",
        Canned::data(json!({ "environmentChangeSetApply": { "id": "cs", "status": "applied", "diagnostics": [] } })),
    );
    let client = railway.client();
    let mut new = new_service("nginx");
    new.volumes = vec![volume("data")];
    let applied = client
        .apply(&change([("web", ServiceChange::Create(new))]))
        .await
        .unwrap();
    let sent = &railway.requests()[0].variables;
    assert_eq!(sent["baseConfigEtag"], "etag");
    assert_eq!(sent["commitMessage"], "mirage: apply");
    let changes = sent["input"]["changes"].as_array().unwrap();
    assert_eq!(changes[0]["address"], "volume.data");
    assert_eq!(changes[1]["resource"]["kind"], "docker-image");
    assert_eq!(
        changes[1]["resource"]["source"],
        json!({ "type": "image", "image": "nginx" })
    );
    assert_eq!(
        changes[1]["resource"]["volumeAttachments"]["data"]["volume"],
        "volume.data"
    );
    let workflow = applied.workflow.unwrap();
    let progress = client
        .change_applied(&EnvironmentId::new("e"), &workflow)
        .await
        .unwrap();
    assert_eq!(progress, Progress::Applied);
    assert_eq!(railway.requests()[1].variables["id"], "cs");
}

#[tokio::test(start_paused = true)]
async fn trap_14_a_stale_change_set_is_told_apart() {
    let railway = railway(true);
    railway.once("ApplyChangeSet", Canned::code("STALE_ENVIRONMENT_BASE"));
    let failure = railway.client().apply(&thirty()).await.unwrap_err();
    assert_eq!(failure.error.class(), Class::Stale);
    assert!(failure.created.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_update_reads_the_same_whether_it_replaces_or_merges() {
    let railway = railway(true);
    let settings = json!({ "deploy": { "numReplicas": 3, "startCommand": null } });
    railway
        .client()
        .apply(&change([
            ("old", ServiceChange::Update(update(settings))),
            ("web", ServiceChange::Create(new_service("nginx"))),
        ]))
        .await
        .unwrap();
    let sent = &railway.requests()[0].variables["input"]["changes"];
    assert_eq!(
        sent[0]["before"],
        json!({ "startCommand": "old", "numReplicas": 2 })
    );
    assert_eq!(
        sent[0]["after"],
        json!({ "startCommand": null, "numReplicas": 3 })
    );
    assert_eq!(sent[1]["kind"], "variable.set");
    assert_eq!(sent[2]["kind"], "variable.delete");
}

#[tokio::test(start_paused = true)]
async fn shared_variables_of_a_new_environment_come_first_and_do_not_make_the_change_stale() {
    let railway = railway(true);
    let mut change = thirty();
    change.shared_variables = [("MARK".to_owned(), Some(SecretValue::new("uid")))].into();
    let client = railway.client();
    assert_eq!(client.planned_requests(&change), 2);
    client.apply(&change).await.unwrap();
    let requests = railway.requests();
    assert_eq!(requests[0].operation, "VariablesUpsert");
    assert!(requests[1].variables.get("baseConfigEtag").is_none());
}

#[tokio::test(start_paused = true)]
async fn shared_variables_beside_services_that_exist_go_in_one_commit() {
    let railway = railway(true);
    let mut change = change([("old", ServiceChange::Update(update(json!({}))))]);
    change.shared_variables = [
        ("SET".to_owned(), Some(SecretValue::new("x"))),
        ("GONE".to_owned(), None),
    ]
    .into();
    let applied = railway.client().apply(&change).await.unwrap();
    assert_eq!((applied.path, applied.requests), (WritePath::Patch, 1));
    let patch = &railway.requests()[0].variables["patch"];
    assert_eq!(
        patch["sharedVariables"],
        json!({ "SET": { "value": "x" }, "GONE": null })
    );
    assert_eq!(
        patch["services"]["s-old"]["variables"],
        json!({ "A": { "value": "1" }, "B": null })
    );
}

#[tokio::test(start_paused = true)]
async fn trap_08_a_service_that_the_project_has_only_gets_an_instance() {
    let railway = railway(true);
    let mut new = new_service("nginx");
    new.existing = Some(ServiceId::new("s-there"));
    new.volumes = vec![NewVolume {
        existing: Some(VolumeId::new("v-there")),
        region: Some("europe-west4".to_owned()),
        ..volume("data")
    }];
    railway
        .client()
        .apply(&change([("web", ServiceChange::Create(new))]))
        .await
        .unwrap();
    assert_eq!(railway.requests().len(), 1);
    let patch = &railway.requests()[0].variables["patch"];
    let service = &patch["services"]["s-there"];
    assert_eq!(service["isCreated"], true);
    assert_eq!(service["source"]["image"], "nginx");
    assert_eq!(
        service["volumeMounts"],
        json!({ "v-there": { "mountPath": "/data" } })
    );
    assert_eq!(
        patch["volumes"]["v-there"],
        json!({ "isCreated": true, "region": "europe-west4", "sizeMB": 500 })
    );
}

#[tokio::test(start_paused = true)]
async fn trap_07_a_new_service_is_made_without_a_source_and_for_this_environment() {
    let railway = railway(false);
    railway
        .client()
        .apply(&change([(
            "web",
            ServiceChange::Create(new_service("nginx")),
        )]))
        .await
        .unwrap();
    let requests = railway.requests();
    assert_eq!(requests[1].operation, "ServiceCreate");
    assert_eq!(
        requests[1].variables["input"],
        json!({ "projectId": "p", "environmentId": "e", "name": "web" })
    );
    assert_eq!(
        requests[2].variables["patch"]["services"]["id-web"]["isCreated"],
        true
    );
}

#[tokio::test(start_paused = true)]
async fn trap_17_a_deleted_service_takes_its_volumes_along_in_the_same_patch() {
    let railway = railway(true);
    let delete = ServiceChange::Delete {
        id: ServiceId::new("s"),
        volumes: vec![VolumeId::new("v")],
    };
    railway
        .client()
        .apply(&change([("old", delete)]))
        .await
        .unwrap();
    let patch = &railway.requests()[0].variables["patch"];
    assert_eq!(
        patch,
        &json!({ "services": { "s": { "isDeleted": true } }, "volumes": { "v": { "isDeleted": true } } })
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_made_before_a_failure_is_told() {
    let railway = railway(false);
    railway.once("PatchCommit", Canned::NoAnswer);
    let failure = railway
        .client()
        .apply(&change([(
            "web",
            ServiceChange::Create(new_service("nginx")),
        )]))
        .await
        .unwrap_err();
    assert_eq!(failure.error.class(), Class::Ambiguous);
    assert_eq!(failure.created["web"], ServiceId::new("id-web"));
}

#[tokio::test(start_paused = true)]
async fn a_second_volume_waits_for_its_turn_and_the_first_is_told() {
    let railway = railway(false);
    let mut new = new_service("nginx");
    new.volumes = vec![volume("one"), volume("two")];
    let failure = railway
        .client()
        .apply(&change([("web", ServiceChange::Create(new))]))
        .await
        .unwrap_err();
    assert_eq!(failure.error.class(), Class::RateLimited);
    assert_eq!(failure.created_volumes["one"], VolumeId::new("v-new"));
    assert_eq!(failure.created["web"], ServiceId::new("id-web"));
    let attached = &railway.requests()[2].variables["input"];
    assert_eq!(attached["serviceId"], "id-web");
}

#[tokio::test(start_paused = true)]
async fn trap_11_a_patch_that_changes_nothing_is_no_failure_and_has_no_workflow() {
    let railway = railway(true);
    railway.once("PatchCommit", Canned::error("No patch to apply"));
    let client = railway.client();
    let same = change([("old", ServiceChange::Update(update(json!({}))))]);
    assert_eq!(client.apply(&same).await.unwrap().workflow, None);
    let nothing = client.apply(&change([])).await.unwrap();
    assert_eq!((nothing.workflow, nothing.requests), (None, 0));
}

#[tokio::test(start_paused = true)]
async fn trap_13_no_way_commits_what_somebody_else_has_staged() {
    for (path, document) in crate::operations::DOCUMENTS {
        assert!(!document.contains("environmentPatchCommitStaged"), "{path}");
        assert!(!document.contains("environmentStageChanges"), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn trap_15_no_way_uses_the_update_that_resets_what_it_is_not_told() {
    for (path, document) in crate::operations::DOCUMENTS {
        assert!(!document.contains("serviceInstanceUpdate"), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_shows_no_value_of_the_change() {
    for (has_change_sets, operation) in [(true, "ApplyChangeSet"), (false, "PatchCommit")] {
        let railway = railway(has_change_sets);
        if !has_change_sets {
            railway.client().apply(&thirty()).await.unwrap();
        }
        railway.once(
            operation,
            Canned::error("bad value \"canary-3aa1\" for KEY"),
        );
        if !has_change_sets {
            railway.once("ApplyChangeSet", Canned::code("GRAPHQL_VALIDATION_FAILED"));
        }
        let failure = railway.client().apply(&thirty()).await.unwrap_err();
        assert!(
            !format!("{failure} {failure:?}").contains("canary"),
            "{failure}"
        );
    }
}

//! Reading: pages, batches, and what cannot be read.

use serde_json::json;

use crate::{
    client::{LogKind, Progress},
    error::Class,
    id::{DeploymentId, EnvironmentId, ProjectId, ServiceId, WorkflowId, WorkspaceId},
    scripted::{Canned, FakeProject, Scripted, configs},
    secret::FingerprintKey,
    snapshot::Presence,
};

fn ids(names: &[&str]) -> Vec<ProjectId> {
    names.iter().map(|name| ProjectId::new(*name)).collect()
}

#[tokio::test(start_paused = true)]
async fn many_projects_are_read_with_one_request() {
    let railway = Scripted::new();
    railway.once(
        "ObserveProjects",
        Canned::data(json!({ "projectsByIds": [
            FakeProject::new("a").environment("ea", "1", &["s1", "s2"]).0,
            FakeProject::new("b").environment("eb", "1", &[]).0,
        ]})),
    );
    let found = railway
        .client()
        .read_projects(&ids(&["a", "b", "c"]))
        .await
        .unwrap();
    let Presence::Present(a) = &found[&ProjectId::new("a")] else {
        panic!()
    };
    let environment = &a.snapshot.environments[&EnvironmentId::new("ea")];
    assert_eq!(environment.instances.len(), 2);
    assert_eq!(
        environment.instances[&ServiceId::new("s1")]
            .active_deployments
            .len(),
        1
    );
    assert_eq!(found[&ProjectId::new("c")], Presence::Absent);
    assert_eq!(railway.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_list_is_read_to_its_last_page() {
    let railway = Scripted::new();
    let mut first = FakeProject::new("a").environment("e1", "1", &["s1"]).0;
    first["environments"]["pageInfo"] = json!({ "hasNextPage": true, "endCursor": "c1" });
    first["environments"]["edges"][0]["node"]["serviceInstances"]["pageInfo"] =
        json!({ "hasNextPage": true, "endCursor": "i1" });
    railway.once(
        "ObserveProjects",
        Canned::data(json!({ "projectsByIds": [first] })),
    );
    let second = FakeProject::new("a").environment("e2", "1", &["s1"]).0;
    railway.once("ProjectPage", Canned::data(json!({ "project": second })));
    let mut rest = FakeProject::new("a").environment("e1", "1", &["s2"]).0;
    let rest = rest["environments"]["edges"][0]["node"].take();
    railway.once(
        "EnvironmentContents",
        Canned::data(json!({ "environment": rest })),
    );
    let found = railway.client().read_projects(&ids(&["a"])).await.unwrap();
    let Presence::Present(a) = &found[&ProjectId::new("a")] else {
        panic!("{found:?}")
    };
    assert_eq!(a.snapshot.environments.len(), 2);
    assert_eq!(
        a.snapshot.environments[&EnvironmentId::new("e1")]
            .instances
            .len(),
        2
    );
    let requests = railway.requests();
    assert_eq!(requests[1].variables["environmentsAfter"], "c1");
    assert_eq!(requests[2].variables["instancesAfter"], "i1");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_leads_nowhere_makes_the_project_unknown() {
    let railway = Scripted::new();
    let mut endless = FakeProject::new("a").environment("e1", "1", &["s1"]).0;
    endless["environments"]["pageInfo"] = json!({ "hasNextPage": true, "endCursor": "c1" });
    let page = endless.clone();
    railway.once(
        "ObserveProjects",
        Canned::data(json!({ "projectsByIds": [endless] })),
    );
    railway.always("ProjectPage", move |_| {
        Canned::data(json!({ "project": page }))
    });
    let found = railway.client().read_projects(&ids(&["a"])).await.unwrap();
    assert!(matches!(&found[&ProjectId::new("a")], Presence::Unknown(_)));
}

#[tokio::test(start_paused = true)]
async fn one_project_that_cannot_be_read_spoils_no_other() {
    let railway = Scripted::new();
    railway.always("ObserveProjects", |variables| {
        let ids = variables["ids"].as_array().unwrap();
        if ids.iter().any(|id| id == "bad") {
            return Canned::error("Problem with a nested thing: Service not found");
        }
        let projects: Vec<_> = ids
            .iter()
            .map(|id| FakeProject::new(id.as_str().unwrap()).0)
            .collect();
        Canned::data(json!({ "projectsByIds": projects }))
    });
    railway.always("ProjectOutline", |_| Canned::error("Not Authorized"));
    let found = railway
        .client()
        .read_projects(&ids(&["a", "bad", "c"]))
        .await
        .unwrap();
    assert!(matches!(&found[&ProjectId::new("a")], Presence::Present(_)));
    assert!(matches!(
        &found[&ProjectId::new("bad")],
        Presence::Unknown(_)
    ));
    assert!(matches!(&found[&ProjectId::new("c")], Presence::Present(_)));
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_may_not_be_looked_into_is_there_and_unknown_inside() {
    let railway = Scripted::new();
    railway.always("ObserveProjects", |_| Canned::error("Not Authorized"));
    let mut outline = FakeProject::new("a")
        .environment("open", "1", &["s1"])
        .environment("shut", "1", &[])
        .0;
    let contents = outline["environments"]["edges"][0]["node"].clone();
    outline["environments"]["edges"][1]["node"]["canAccess"] = json!(false);
    railway.always("ProjectOutline", move |_| {
        Canned::data(json!({ "project": outline }))
    });
    railway.always("EnvironmentContents", move |_| {
        Canned::data(json!({ "environment": contents }))
    });
    let found = railway.client().read_projects(&ids(&["a"])).await.unwrap();
    let Presence::Present(a) = &found[&ProjectId::new("a")] else {
        panic!("{found:?}")
    };
    assert_eq!(
        a.snapshot.environments[&EnvironmentId::new("open")]
            .instances
            .len(),
        1
    );
    assert!(!a.snapshot.environments[&EnvironmentId::new("shut")].can_access);
    assert_eq!(
        railway.take_operations(),
        ["ObserveProjects", "ProjectOutline", "EnvironmentContents"]
    );
}

#[tokio::test(start_paused = true)]
async fn trap_04_what_is_marked_as_deleted_is_gone_though_listed() {
    let railway = Scripted::new();
    let mut project = FakeProject::new("a")
        .environment("e1", "1", &["s1"])
        .environment("e2", "1", &[])
        .0;
    project["environments"]["edges"][1]["node"]["deletedAt"] = json!("2026-01-02T00:00:00Z");
    project["environments"]["edges"][0]["node"]["serviceInstances"]["edges"][0]["node"]["deletedAt"] =
        json!("2026-01-02T00:00:00Z");
    railway.once(
        "ObserveProjects",
        Canned::data(json!({ "projectsByIds": [project] })),
    );
    let found = railway.client().read_projects(&ids(&["a"])).await.unwrap();
    let Presence::Present(a) = &found[&ProjectId::new("a")] else {
        panic!()
    };
    assert_eq!(a.snapshot.environments.len(), 1);
    assert!(
        a.snapshot.environments[&EnvironmentId::new("e1")]
            .instances
            .is_empty()
    );
    assert!(a.deleted_environments.contains(&EnvironmentId::new("e2")));
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_is_refused_is_unknown_and_the_others_are_read() {
    let railway = Scripted::new();
    railway.once(
        "EnvironmentConfigs",
        Canned::Http(
            200,
            Vec::new(),
            json!({
                "data": { "e0": null, "e1": { "id": "e1", "configEtag": "7", "config": { "services": {} } } },
                "errors": [{ "message": "Not Authorized", "path": ["e0"] }],
            })
            .to_string(),
        ),
    );
    let wanted = ["e0", "e1"].map(|id| (ProjectId::new("p"), EnvironmentId::new(id)));
    let found = railway
        .client()
        .read_configs(&wanted, &FingerprintKey::new([1; 32]))
        .await
        .unwrap();
    assert!(
        matches!(&found[&EnvironmentId::new("e0")], Presence::Unknown(words) if words.contains("Not Authorized"))
    );
    let Presence::Present(reading) = &found[&EnvironmentId::new("e1")] else {
        panic!()
    };
    assert_eq!(reading.etag, "7");
}

#[tokio::test(start_paused = true)]
async fn configurations_come_twenty_to_a_request() {
    let railway = Scripted::new();
    railway.always("EnvironmentConfigs", |variables| {
        configs(variables, |_| "1".to_owned())
    });
    let wanted: Vec<_> = (0..45)
        .map(|index| (ProjectId::new("p"), EnvironmentId::new(format!("e{index}"))))
        .collect();
    let found = railway
        .client()
        .read_configs(&wanted, &FingerprintKey::new([1; 32]))
        .await
        .unwrap();
    assert_eq!((found.len(), railway.requests().len()), (45, 3));
}

#[tokio::test(start_paused = true)]
async fn trap_19_projects_are_listed_by_workspace_to_the_last_page() {
    let railway = Scripted::new();
    let page = |name: &str, more: bool| {
        Canned::data(json!({ "projects": {
            "edges": [{ "node": {
                "id": name, "name": name, "description": null,
                "createdAt": "2026-01-01T00:00:00Z", "deletedAt": null,
            }}],
            "pageInfo": { "hasNextPage": more, "endCursor": "c" },
        }}))
    };
    railway
        .once("Projects", page("a", true))
        .once("Projects", page("b", false));
    let found = railway
        .client()
        .projects(&WorkspaceId::new("w"))
        .await
        .unwrap();
    assert_eq!(found.len(), 2);
    assert!(
        railway
            .requests()
            .iter()
            .all(|request| request.variables["workspaceId"] == "w")
    );
}

#[tokio::test(start_paused = true)]
async fn trap_06_a_workflow_that_is_not_found_yet_is_still_applying() {
    let railway = Scripted::new();
    let answer = |status: &str| {
        Canned::data(json!({ "workflowStatus": { "status": status, "error": "no disk" } }))
    };
    railway
        .once("Workflow", answer("NotFound"))
        .once("Workflow", answer("Complete"))
        .once("Workflow", answer("Error"));
    let client = railway.client();
    let (environment, id) = (EnvironmentId::new("e"), WorkflowId::new("w"));
    assert_eq!(
        client.change_applied(&environment, &id).await.unwrap(),
        Progress::Applying
    );
    assert_eq!(
        client.change_applied(&environment, &id).await.unwrap(),
        Progress::Applied
    );
    assert_eq!(
        client.change_applied(&environment, &id).await.unwrap(),
        Progress::Failed("no disk".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_may_not_be_asked_about_is_judged_by_its_patch() {
    let railway = Scripted::new();
    railway.always("Workflow", |_| Canned::error("Not Authorized"));
    railway.once(
        "LatestPatches",
        Canned::data(json!({ "environmentPatches": { "edges": [
            { "node": { "id": "x", "status": "COMMITTED", "lastAppliedError": null } },
        ]}})),
    );
    let progress = railway
        .client()
        .change_applied(&EnvironmentId::new("e"), &WorkflowId::new("w"))
        .await
        .unwrap();
    assert_eq!(progress, Progress::Applied);
}

#[tokio::test(start_paused = true)]
async fn logs_are_cut_to_the_limit_that_railway_oversteps() {
    let railway = Scripted::new();
    let line = |text: &str| json!({ "timestamp": "2026-01-01T00:00:00.000000001Z", "message": text, "severity": null });
    railway.once(
        "DeploymentLogs",
        Canned::data(json!({ "deploymentLogs": [line("old"), line("new"), line("newest")] })),
    );
    let lines = railway
        .client()
        .logs(&DeploymentId::new("d"), LogKind::Deployment, 2)
        .await
        .unwrap();
    let texts: Vec<_> = lines.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(texts, ["new", "newest"]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_token_is_not_asked_about_every_project() {
    let railway = Scripted::new();
    railway.always("ObserveProjects", |_| Canned::error("Not Authorized"));
    railway.always("ApiToken", |_| Canned::error("Not Authorized"));
    let names: Vec<_> = (0..20).map(|index| index.to_string()).collect();
    let ids: Vec<_> = names
        .iter()
        .map(|name| ProjectId::new(name.as_str()))
        .collect();
    let error = railway.client().read_projects(&ids).await.unwrap_err();
    assert_eq!(error.class(), Class::Unauthorized);
    assert_eq!(railway.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn values_are_read_unrendered_and_shown_by_nothing() {
    let railway = Scripted::new();
    railway.once(
        "Variables",
        Canned::data(json!({ "variables": { "A": "canary-77", "NULL": null } })),
    );
    let values = railway
        .client()
        .read_variables(&ProjectId::new("p"), &EnvironmentId::new("e"), None)
        .await
        .unwrap();
    assert_eq!(values.len(), 1);
    assert_eq!(values["A"].expose(), "canary-77");
    assert!(!format!("{values:?}").contains("canary"));
    assert!(railway.requests()[0].variables.get("serviceId").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_null_list_of_proxies_is_an_empty_one() {
    let railway = Scripted::new();
    let body = r#"{ "data": { "tcpProxies": null }, "errors": null }"#;
    railway.once("TcpProxies", Canned::Http(200, Vec::new(), body.to_owned()));
    let (environment, service) = (EnvironmentId::new("e"), ServiceId::new("s"));
    let proxies = railway
        .client()
        .tcp_proxies(&environment, &service)
        .await
        .unwrap();
    assert!(proxies.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_own_domain_comes_with_the_records_to_enter() {
    let railway = Scripted::new();
    railway.once(
        "CustomDomainCreate",
        Canned::data(json!({ "customDomainCreate": {
            "id": "d", "domain": "a.example.com", "targetPort": 8080,
            "status": { "verified": false, "dnsRecords": [{
                "hostlabel": "a", "recordType": "DNS_RECORD_TYPE_CNAME",
                "requiredValue": "x.up.railway.app", "zone": "example.com",
            }]},
        }})),
    );
    let made = railway
        .client()
        .create_custom_domain(
            &ProjectId::new("p"),
            &EnvironmentId::new("e"),
            &ServiceId::new("s"),
            "a.example.com",
            Some(8080),
        )
        .await
        .unwrap();
    assert_eq!(made.records[0].record_type, "CNAME");
    assert_eq!(made.domain.target_port, Some(8080));
}

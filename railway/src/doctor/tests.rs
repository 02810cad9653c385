//! The doctor against a scripted Railway.

use serde_json::json;

use super::*;
use crate::scripted::{Canned, Scripted, TOKEN};

#[tokio::test(start_paused = true)]
async fn a_dead_token_is_told_with_what_to_do() {
    let railway = Scripted::new();
    railway
        .always("ApiToken", |_| Canned::error("Not Authorized"))
        .always("PlatformStatus", |_| Canned::error("Not Authorized"))
        .always("DescribedTypes", |_| Canned::error("Not Authorized"));
    let report = doctor(&railway.client()).await;
    assert_eq!(report.verdict(), Verdict::Fail);
    let shown = report.to_string();
    assert!(
        shown.contains("RAILWAY_API_TOKEN") && shown.contains("5527782523421805956"),
        "{shown}"
    );
    assert!(!shown.contains(TOKEN));
}

#[tokio::test(start_paused = true)]
async fn a_field_that_railway_dropped_is_named() {
    let railway = Scripted::new();
    railway
        .always("ApiToken", |_| {
            Canned::data(json!({ "apiToken": { "workspaces": [{ "id": "w", "name": "Team" }] } }))
        })
        .always("Workspace", |_| {
            Canned::data(json!({ "workspace": {
                "id": "w", "name": "Team", "plan": "PRO",
                "apiTokenRateLimit": { "remainingPoints": 9000, "resetsAt": "2027-01-15T09:00:00Z" },
            }}))
        })
        .always("PlatformStatus", |_| {
            Canned::data(json!({ "platformStatus": { "isStable": true, "incident": null } }))
        })
        .always("DescribedTypes", |_| Canned::data(json!({})));
    let report = doctor(&railway.client()).await;
    let verdicts: Vec<_> = report
        .checks
        .iter()
        .map(|check| (check.name, check.verdict))
        .collect();
    assert_eq!(
        verdicts,
        [
            ("token", Verdict::Ok),
            ("rights", Verdict::Ok),
            ("plan", Verdict::Ok),
            ("limits", Verdict::Ok),
            ("platform", Verdict::Ok),
            ("schema", Verdict::Fail),
        ]
    );
    assert!(report.checks[5].message.contains("Query"));
    assert!(serde_json::to_string(&report).unwrap().contains("nextStep"));
}

//! What a command asks for beyond discovery and documents. A command that asks for more than it must has missed
//! something in an answer: it looks again, or falls back to an older way.

use anyhow::{Result, ensure};
use mirage_tests::process::{
    Mirage, binary, kubectl,
    recorder::{Asked, Recorder},
};
use serde_json::json;

use crate::scene::Scene;

/// Seen with these versions of kubectl, 1.32 and 1.33; another one may ask otherwise and be right.
const SEEN: std::ops::RangeInclusive<u32> = 32..=33;

/// Commands in the order in which they are run, and what each asks for. `E` is the path of the environments.
const REQUESTS: &[(&str, &[&str])] = &[
    (
        "apply -f env.yaml",
        &[
            "GET E/web 404",
            "GET /api/v1/namespaces/requests 200",
            "POST E?fieldManager=kubectl-client-side-apply&fieldValidation=Strict 201",
        ],
    ),
    ("apply -f env.yaml", &["GET E/web 200"]),
    (
        "apply -f env2.yaml",
        &[
            "GET E/web 200",
            "PATCH E/web?fieldManager=kubectl-client-side-apply&fieldValidation=Strict 200",
        ],
    ),
    (
        "diff -f env.yaml",
        &[
            "GET E/web 200",
            "PATCH E/web?dryRun=All&fieldManager=kubectl-client-side-apply 200",
        ],
    ),
    (
        // The one in the middle takes over what client-side apply owned.
        "apply --server-side --field-manager=ci --force-conflicts -f env2.yaml",
        &[
            "PATCH E/web?fieldManager=ci&fieldValidation=Strict&force=true 200",
            "PATCH E/web?fieldManager=ci&fieldValidation=Strict 200",
            "PATCH E/web?fieldManager=ci&fieldValidation=Strict&force=true 200",
        ],
    ),
    ("get env", &["GET E?limit=500 200"]),
    ("get env web", &["GET E/web 200"]),
    ("get env web -o yaml", &["GET E/web 200"]),
    (
        "label env web tier=front",
        &[
            "GET E/web 200",
            "PATCH E/web?fieldManager=kubectl-label 200",
        ],
    ),
    (
        "annotate env web note=here",
        &[
            "GET E/web 200",
            "PATCH E/web?fieldManager=kubectl-annotate 200",
        ],
    ),
    (
        r#"patch env web --type=merge -p '{"spec":{"suspend":true}}'"#,
        &[
            "GET E/web 200",
            "PATCH E/web?fieldManager=kubectl-patch 200",
        ],
    ),
    (
        "replace -f env.yaml",
        &[
            "GET E/web 200",
            "PUT E/web?fieldManager=kubectl-replace&fieldValidation=Strict 200",
        ],
    ),
    (
        "edit env web",
        &[
            "GET E/web 200",
            "PATCH E/web?fieldManager=kubectl-edit&fieldValidation=Strict 200",
        ],
    ),
    (
        "wait --for=create env/web",
        &["GET E/web 200", "GET E/web 200"],
    ),
    (
        "scale env web --replicas=2",
        &["GET E/web 200", "PATCH E/web/scale 404"],
    ),
    (
        "auth can-i delete env",
        &[
            "GET /apis/mirage.dev/v1alpha1 200",
            "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews 201",
        ],
    ),
    (
        "auth whoami",
        &["POST /apis/authentication.k8s.io/v1/selfsubjectreviews 201"],
    ),
    (
        "replace --force -f env.yaml",
        &[
            "DELETE E/web 200",
            "GET E/web 404",
            "GET /api/v1/namespaces/requests 200",
            "POST E?fieldManager=kubectl-replace&fieldValidation=Strict 201",
        ],
    ),
    ("delete env web", &["DELETE E/web 200", "GET E/web 404"]),
    ("delete env --all", &["GET E 200"]),
    (
        "create namespace another",
        &["POST /api/v1/namespaces?fieldManager=kubectl-create&fieldValidation=Strict 201"],
    ),
];

/// Documents about the server, which clients keep.
fn is_document(asked: &Asked) -> bool {
    matches!(asked.path.as_str(), "/api" | "/apis") || asked.path.starts_with("/openapi/")
}

fn shown(asked: &Asked, environments: &str) -> String {
    let path = asked.path.replace(environments, "E");
    let query = match asked.query.as_str() {
        "" => String::new(),
        query => format!("?{query}"),
    };
    format!("{} {path}{query} {}", asked.method, asked.status)
}

#[tokio::test]
async fn commands_ask_for_what_they_need_and_no_more() -> Result<()> {
    let Some(newest) = kubectl::newest() else {
        return Ok(());
    };
    let mirage = Mirage::api_only().await?;
    let scene = Scene::on(&mirage, newest, "requests").await?;
    let recorder = Recorder::before(&mirage).await?;
    let editor = scene.editor("sed -i 's/LOG_LEVEL: info/LOG_LEVEL: trace/' \"$1\"")?;
    let run = async |line: &str| {
        let line = format!("{line} --server={}", recorder.address());
        let mut command = scene.kubectl.typed(&line);
        binary::run(command.env("EDITOR", &editor)).await
    };
    for (line, expected) in REQUESTS {
        let ended = run(line).await?;
        let asked = recorder.take();
        let about_objects: Vec<_> = asked
            .iter()
            .filter(|asked| !is_document(asked))
            .map(|asked| shown(asked, &scene.environments()))
            .collect();
        if SEEN.contains(&newest.minor) {
            ensure!(
                about_objects == *expected,
                "{line}\nasked    {about_objects:#?}\nexpected {expected:#?}\n{}",
                ended.said()
            );
        }
        let failed = asked
            .iter()
            .find(|asked| asked.status >= 400 && asked.status != 404);
        ensure!(failed.is_none(), "{line}: {failed:?}");
    }
    Ok(())
}

#[tokio::test]
async fn documents_are_sent_once() -> Result<()> {
    let Some(newest) = kubectl::newest() else {
        return Ok(());
    };
    let mirage = Mirage::api_only().await?;
    let scene = Scene::on(&mirage, newest, "requests").await?;
    scene.make("web").await?;
    let recorder = Recorder::before(&mirage).await?;
    let apply = format!("apply -f env.yaml --server={}", recorder.address());
    scene.does(&apply).await?;
    recorder.take();
    scene.change(&json!({"spec": {"suspend": true}})).await?;
    scene.does(&apply).await?;
    let again: Vec<_> = recorder
        .take()
        .into_iter()
        .filter(|asked| is_document(asked) && asked.status != 304)
        .collect();
    ensure!(again.is_empty(), "{again:?}");
    Ok(())
}

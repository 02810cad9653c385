//! k9s: who am I, what is there, what may I see; then tables that are watched.

use anyhow::{Context as _, Result, ensure};
use mirage_tests::process::{Mirage, objects, specs::one_image};
use serde_json::json;

use super::{Wire, watchable};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io, application/json";

#[tokio::test]
async fn it_starts_and_finds_a_view_for_every_kind() -> Result<()> {
    let mirage = Mirage::api_only().await?;
    let wire = Wire::to(&mirage).await?;
    objects::apply(&wire.0, &one_image("web")).await?;
    let version = wire.json("/version").await?;
    ensure!(version["major"] == "1", "{version}");

    for verb in ["list", "watch"] {
        let review = json!({"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
            "metadata": {"creationTimestamp": null}, "status": {"allowed": false},
            "spec": {"resourceAttributes": {"namespace": "", "verb": verb, "version": "v1", "resource": "namespaces"}}});
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let review = wire.post(path, &review).await?.good()?;
        ensure!(review["status"]["allowed"] == true, "{review}");
    }
    let namespaces = wire.json("/api/v1/namespaces").await?;
    ensure!(
        namespaces["items"][0]["status"]["phase"] == "Active",
        "{namespaces}"
    );
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let definitions = wire.json(definitions).await?;
    let definitions = definitions["items"].as_array().context("items")?;
    ensure!(
        definitions
            .iter()
            .any(|it| it["spec"]["names"]["plural"] == "environments"),
        "{definitions:?}"
    );
    // Metrics are taken where they are offered; where not, the answer must say so and nothing else.
    let metrics = wire
        .get("/apis/metrics.k8s.io/v1beta1/nodes", "application/json")
        .await?;
    ensure!(
        metrics.status == 404 && metrics.document()?["reason"] == "NotFound",
        "{}",
        metrics.text()
    );

    for (path, plural) in watchable(&wire).await? {
        let table = wire
            .get(&format!("{path}?limit=500&resourceVersion=0"), TABLE)
            .await?;
        ensure!(table.headers["content-type"].to_str()?.contains("json"));
        let table = table.good().with_context(|| path.clone())?;
        ensure!(table["kind"] == "Table", "{path}: {table}");
        let columns = table["columnDefinitions"].as_array().context("columns")?;
        for row in table["rows"].as_array().context("rows")? {
            let cells = row["cells"].as_array().context("cells")?;
            ensure!(cells.len() == columns.len(), "{path}: {row}");
            ensure!(
                row["object"]["metadata"]["name"].is_string(),
                "{path}: {row}"
            );
        }
        let version = table["metadata"]["resourceVersion"].as_str();
        let version = version.context("a version to watch from")?;
        if plural == "environments" {
            let web = &table["rows"][0]["object"]["metadata"];
            ensure!(
                web["name"] == "web" && web["namespace"] == "default",
                "{web}"
            );
            objects::delete(&wire.0, "web").await?;
            let watch = format!("{path}?watch=true&resourceVersion={version}&timeoutSeconds=1");
            let events = wire.get(&watch, TABLE).await?.events()?;
            let row = &events[0]["object"]["rows"][0];
            ensure!(
                events[0]["type"] == "DELETED" && row["object"]["metadata"]["name"] == "web",
                "{events:?}"
            );
        }
    }
    Ok(())
}

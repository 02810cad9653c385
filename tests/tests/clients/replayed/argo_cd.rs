//! Argo CD with Mirage as its destination: the cache of the cluster is synchronised whole before anything is deployed,
//! and fails whole where one answer is not as expected.

use std::collections::HashSet;

use anyhow::{Context as _, Result, bail, ensure};
use mirage_tests::process::{Forgetful, Mirage, objects, specs::one_image};
use prost::Message as _;
use serde_json::{Value, json};

use super::{
    ENVIRONMENTS, Wire,
    gnostic::{Document, Schema},
    watchable,
};

/// Go clients ask for the message under this name and compare nothing with what comes back.
const OPENAPI_V2: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

#[tokio::test]
async fn the_openapi_document_is_one_that_kube_openapi_can_read() -> Result<()> {
    let mirage = Mirage::api_only().await?;
    let wire = Wire::to(&mirage).await?;
    let answer = wire.get("/openapi/v2?timeout=32s", OPENAPI_V2).await?;
    ensure!(answer.status.is_success(), "{}", answer.status);
    let document = Document::decode(answer.body.as_slice()).context("the message")?;
    ensure!(document.swagger == "2.0" && document.info.is_some());

    let definitions = document.definitions.context("definitions")?.named;
    let names: HashSet<&str> = definitions.iter().map(|it| it.name.as_str()).collect();
    ensure!(names.len() == definitions.len(), "a name is there twice");
    let mut kinds = HashSet::new();
    for named in &definitions {
        let schema = named.value.as_ref().context("a definition is a schema")?;
        readable(schema, &names).with_context(|| named.name.clone())?;
        for extension in &schema.vendor_extension {
            let yaml = &extension.value.as_ref().context("a value")?.yaml;
            let value: Value = serde_yaml::from_str(yaml)?;
            if extension.name == "x-kubernetes-group-version-kind" {
                for kind in value.as_array().context("a list of kinds")? {
                    // The parser of typed objects refuses a document that describes a kind twice.
                    ensure!(kinds.insert(kind.to_string()), "{kind} is described twice");
                }
            }
        }
    }
    for kind in [
        "Environment",
        "EnvironmentTemplate",
        "RailwayAccount",
        "Orphan",
        "PreviewPolicy",
    ] {
        let described = json!({"group": "mirage.dev", "version": "v1alpha1", "kind": kind});
        ensure!(kinds.contains(&described.to_string()), "{kind} is missing");
    }
    let patch = document
        .paths
        .context("paths")?
        .path
        .into_iter()
        .filter(|path| {
            path.name
                .ends_with("/namespaces/{namespace}/environments/{name}")
        })
        .find_map(|path| path.value?.patch)
        .context("how an Environment is patched")?;
    ensure!(
        !patch.consumes.iter().any(|own| own.contains("strategic")),
        "{:?}",
        patch.consumes
    );
    Ok(())
}

/// What kube-openapi insists on when it builds its models (`pkg/util/proto/document.go`): references lead somewhere inside,
/// a list says what of, a free map says of what, and every type is one it knows.
fn readable(schema: &Schema, names: &HashSet<&str>) -> Result<()> {
    if !schema.reference.is_empty() {
        let name = schema.reference.strip_prefix("#/definitions/");
        let name = name.with_context(|| format!("{} leads outside", schema.reference))?;
        ensure!(names.contains(name), "{name} is not defined");
        return Ok(());
    }
    for extension in &schema.vendor_extension {
        let value = extension.value.as_ref().context("an extension's value")?;
        serde_yaml::from_str::<Value>(&value.yaml).with_context(|| extension.name.clone())?;
    }
    for part in &schema.all_of {
        readable(part, names)?;
    }
    let types = schema
        .kind
        .as_ref()
        .map_or(&[][..], |kind| kind.value.as_slice());
    ensure!(types.len() < 2, "{types:?} is more than one type");
    let properties = schema.properties.iter().flat_map(|all| &all.named);
    for named in properties {
        let value = named.value.as_ref().context("a property's schema")?;
        readable(value, names).with_context(|| named.name.clone())?;
    }
    match types.first().map(String::as_str) {
        None => Ok(()),
        Some("object") if schema.properties.is_some() => Ok(()),
        Some("object") => match &schema.additional_properties {
            Some(inner) => inner
                .schema
                .as_ref()
                .map_or(Ok(()), |inner| readable(inner, names)),
            None => Ok(()),
        },
        Some("array") => {
            let items = schema
                .items
                .as_ref()
                .map_or(&[][..], |items| items.schema.as_slice());
            let [item] = items else {
                bail!("a list of {} kinds of things", items.len())
            };
            readable(item, names)
        }
        Some("string" | "number" | "integer" | "boolean") => Ok(()),
        Some(other) => bail!("{other:?} is no type"),
    }
}

#[tokio::test]
async fn every_kind_is_listed_to_its_last_page_and_watched_from_there() -> Result<()> {
    let mirage = Mirage::api_only().await?;
    let wire = Wire::to(&mirage).await?;
    for number in 0..5 {
        objects::apply(&wire.0, &one_image(&format!("e{number}"))).await?;
    }
    let version = wire.json("/version?timeout=32s").await?;
    ensure!(
        version["gitVersion"]
            .as_str()
            .is_some_and(|it| it.starts_with("v1.")),
        "{version}"
    );
    let watchable = watchable(&wire).await?;
    ensure!(watchable.len() > 8, "{watchable:?}");
    for (path, plural) in watchable {
        let (items, version) = list(&wire, &path).await.with_context(|| path.clone())?;
        if plural == "environments" {
            let names: Vec<_> = items.iter().map(|it| &it["metadata"]["name"]).collect();
            ensure!(names == ["e0", "e1", "e2", "e3", "e4"], "{names:?}");
        }
        let watch = format!(
            "{path}?allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds=1&watch=true"
        );
        let events = wire.get(&watch, "application/json").await?.events()?;
        retry_watcher(&events, &version).with_context(|| path.clone())?;
    }
    Ok(())
}

/// All pages, with every item's own version, and the version to watch from.
async fn list(wire: &Wire, path: &str) -> Result<(Vec<Value>, String)> {
    let (mut items, mut token) = (Vec::new(), String::new());
    loop {
        let page = wire
            .get(
                &format!("{path}?continue={token}&limit=2"),
                "application/json",
            )
            .await?
            .good()?;
        let kind = page["kind"].as_str().context("kind")?;
        ensure!(kind.ends_with("List"), "{kind}");
        for item in page["items"].as_array().context("items")? {
            ensure!(item["metadata"]["uid"].is_string(), "{item}");
            items.push(item.clone());
        }
        let metadata = &page["metadata"];
        match metadata["continue"].as_str().unwrap_or_default() {
            "" => {
                let version = metadata["resourceVersion"].as_str().context("version")?;
                ensure!(
                    !matches!(version, "" | "0"),
                    "nothing can be watched from {version:?}"
                );
                return Ok((items, version.to_owned()));
            }
            next => next.clone_into(&mut token),
        }
    }
}

/// client-go's RetryWatcher ends with an error at an event whose version is missing or "0", and goes on from the last one it
/// saw. Returns that.
fn retry_watcher(events: &[Value], from: &str) -> Result<u64> {
    let mut last: u64 = from.parse()?;
    for event in events {
        let kind = event["type"].as_str().context("type")?;
        ensure!(
            ["ADDED", "MODIFIED", "DELETED", "BOOKMARK"].contains(&kind),
            "{event}"
        );
        let version = event["object"]["metadata"]["resourceVersion"].as_str();
        let version: u64 = version.context("a version")?.parse()?;
        ensure!(version != 0 && version >= last, "{version} after {last}");
        last = version;
    }
    Ok(last)
}

#[tokio::test]
async fn a_retried_watch_goes_on_where_it_ended_and_is_told_when_it_cannot() -> Result<()> {
    let forgetful = Forgetful::start().await?;
    let wire = Wire(forgetful.client());
    let (_, from) = list(&wire, ENVIRONMENTS).await?;
    let watch = async |from: &str| {
        let query =
            format!("allowWatchBookmarks=true&resourceVersion={from}&timeoutSeconds=1&watch=true");
        wire.get(&format!("{ENVIRONMENTS}?{query}"), "application/json")
            .await?
            .events()
    };
    let mut last = from.clone();
    let mut seen = Vec::new();
    for name in ["a", "b"] {
        objects::apply(&wire.0, &one_image(name)).await?;
        let events = watch(&last).await?;
        last = retry_watcher(&events, &last)?.to_string();
        seen.extend(
            events
                .into_iter()
                .filter(|event| event["type"] != "BOOKMARK")
                .map(|event| event["object"]["metadata"]["name"].clone()),
        );
    }
    ensure!(seen == ["a", "b"], "each once: {seen:?}");
    forgetful.forgets().await?;
    let events = watch(&from).await?;
    let [error] = events.as_slice() else {
        bail!("one error, and not {events:?}")
    };
    // It lists again at this code; any other would end the cache.
    ensure!(
        error["type"] == "ERROR" && error["object"]["code"] == 410,
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn what_is_pruned_in_the_foreground_is_gone_or_says_that_it_is_going() -> Result<()> {
    let mirage = Mirage::api_only().await?;
    let wire = Wire::to(&mirage).await?;
    let made = objects::apply(&wire.0, &one_image("web")).await?;
    let options =
        json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground"});
    let headers = [("content-type", "application/json")];
    let web = format!("{ENVIRONMENTS}/web");
    let answer = wire
        .send("DELETE", &web, &headers, options.to_string().into_bytes())
        .await?
        .good()?;
    ensure!(
        answer["details"]["uid"] == json!(made.metadata.uid)
            || answer["metadata"]["deletionTimestamp"].is_string(),
        "{answer}"
    );
    objects::gone(&wire.0, "web").await
}

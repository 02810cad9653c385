//! What `kubectl delete --cascade` leaves of an owner's dependents.

use anyhow::{Result, ensure};
use mirage_tests::process::{
    kubectl::Kubectl,
    mirage::Mirage,
    waiting::{Look, until},
};

use crate::scene::begin;

/// A config map `owner`, and `child` that belongs to it and blocks its deletion.
async fn family(mirage: &Mirage, kubectl: &Kubectl) -> Result<()> {
    kubectl.does(&["create", "configmap", "owner"]).await?;
    let uid = kubectl
        .does(&[
            "get",
            "configmap",
            "owner",
            "-o",
            "jsonpath={.metadata.uid}",
        ])
        .await?;
    let child = format!(
        "apiVersion: v1
kind: ConfigMap
metadata:
  name: child
  namespace: default
  ownerReferences:
  - {{apiVersion: v1, kind: ConfigMap, name: owner, uid: {}, blockOwnerDeletion: true}}
",
        uid.trim()
    );
    mirage.write("child.yaml", &child)?;
    kubectl.does(&["apply", "-f", "child.yaml"]).await?;
    Ok(())
}

/// The child's name and owners.
async fn children(kubectl: &Kubectl) -> Result<String> {
    let selector = ["--field-selector", "metadata.name=child"];
    let output = [
        "-o",
        "jsonpath={.items[*].metadata.name}{.items[*].metadata.ownerReferences}",
    ];
    let arguments = [&["get", "configmaps"][..], &selector, &output].concat();
    kubectl.does(&arguments).await
}

#[tokio::test]
async fn dependents_go_before_their_owner_after_it_or_not_at_all_as_cascade_says() -> Result<()> {
    let Some((mirage, kubectl)) = begin().await? else {
        return Ok(());
    };
    family(&mirage, &kubectl).await?;
    let delete = async |cascade: &str| {
        kubectl
            .does(&["delete", "configmap", "owner", cascade, "--timeout=60s"])
            .await
    };
    delete("--cascade=foreground").await?;
    let left = children(&kubectl).await?;
    ensure!(left.is_empty(), "foreground: the child is there: {left}");

    family(&mirage, &kubectl).await?;
    delete("--cascade=background").await?;
    until("the child to go after its owner", async || {
        let left = children(&kubectl).await?;
        Ok(Look::when(left.is_empty().then_some(()), || left))
    })
    .await?;

    family(&mirage, &kubectl).await?;
    delete("--cascade=orphan").await?;
    let left = children(&kubectl).await?;
    ensure!(left.trim() == "child", "orphan: {left}");
    Ok(())
}

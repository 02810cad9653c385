//! The structural schemas of the kinds, once.

use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::Value;

use crate::{
    Environment, EnvironmentTemplate, GitSync, Orphan, PreviewPolicy, RailwayAccount, SecretStore,
};

static ENVIRONMENT: LazyLock<Value> = LazyLock::new(|| spec_of(Environment::crd()));
static TEMPLATE: LazyLock<Value> = LazyLock::new(|| spec_of(EnvironmentTemplate::crd()));
static GIT_SYNC: LazyLock<Value> = LazyLock::new(|| spec_of(GitSync::crd()));
static ACCOUNT: LazyLock<Value> = LazyLock::new(|| spec_of(RailwayAccount::crd()));
static ORPHAN: LazyLock<Value> = LazyLock::new(|| spec_of(Orphan::crd()));
static PREVIEW_POLICY: LazyLock<Value> = LazyLock::new(|| spec_of(PreviewPolicy::crd()));
static SECRET_STORE: LazyLock<Value> = LazyLock::new(|| spec_of(SecretStore::crd()));

fn spec_of(crd: CustomResourceDefinition) -> Value {
    let mut value = serde_json::to_value(&crd).expect("a CRD made from our types is JSON");
    value["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].take()
}

/// Schema of an Environment's `spec`, and of each layer of a template.
pub(crate) fn environment_spec() -> &'static Value {
    &ENVIRONMENT
}

/// Schema of an EnvironmentTemplate's `spec`.
pub(crate) fn template_spec() -> &'static Value {
    &TEMPLATE
}

/// Schema of a GitSync's `spec`.
pub(crate) fn git_sync_spec() -> &'static Value {
    &GIT_SYNC
}

/// Schema of a RailwayAccount's `spec`.
pub(crate) fn account_spec() -> &'static Value {
    &ACCOUNT
}

/// Schema of an Orphan's `spec`.
pub(crate) fn orphan_spec() -> &'static Value {
    &ORPHAN
}

/// Schema of a PreviewPolicy's `spec`.
pub(crate) fn preview_policy_spec() -> &'static Value {
    &PREVIEW_POLICY
}

/// Schema of a SecretStore's `spec`.
pub(crate) fn secret_store_spec() -> &'static Value {
    &SECRET_STORE
}

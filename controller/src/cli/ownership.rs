//! Whose a field is: what Git or a preview policy declares comes back when it is changed by hand.

use kube::api::DynamicObject;
use serde_json::Value;

use crate::cli::failure::Failure;

/// Labels on what a GitSync brought.
const GIT_SYNC: &str = "mirage.dev/gitsync";
const GIT_SYNC_NAMESPACE: &str = "mirage.dev/gitsync-namespace";
/// The manager of what a GitSync declares.
const GIT_SYNC_MANAGER: &str = "mirage-gitsync";

/// The GitSync that keeps an object, as `namespace/name`.
pub(crate) fn git_sync(object: &DynamicObject) -> Option<String> {
    let labels = object.metadata.labels.as_ref()?;
    let name = labels.get(GIT_SYNC)?;
    let namespace = labels
        .get(GIT_SYNC_NAMESPACE)
        .map_or("default", String::as_str);
    Some(format!("{namespace}/{name}"))
}

/// Refuses to change a field of the spec that Git declares.
pub(crate) fn refuse_if_in_git(object: &DynamicObject, fields: &[&str]) -> Result<(), Failure> {
    let Some(sync) = git_sync(object) else {
        return Ok(());
    };
    match fields.iter().find(|field| is_in_git(object, field)) {
        None => Ok(()),
        Some(field) => Err(Failure::Usage(format!(
            "spec.{field} of {} is declared in Git and would come back: change it there ({})",
            object.metadata.name.as_deref().unwrap_or_default(),
            place(&sync),
        ))),
    }
}

/// Where somebody finds the repository and the folder in it.
pub(crate) fn place(sync: &str) -> String {
    let name = sync.split_once('/').map_or(sync, |(_, name)| name);
    format!("`mirage describe gitsync/{name}` names the repository and the folder")
}

fn is_in_git(object: &DynamicObject, field: &str) -> bool {
    let managers = object.metadata.managed_fields.iter().flatten();
    managers
        .filter(|entry| entry.manager.as_deref() == Some(GIT_SYNC_MANAGER))
        .filter_map(|entry| entry.fields_v1.as_ref())
        .any(|fields| {
            let spec: &Value = &fields.0["f:spec"];
            spec.get(format!("f:{field}")).is_some()
        })
}

/// Refuses to set the time of a preview: its policy would set it back.
pub(crate) fn refuse_if_preview(object: &DynamicObject, say: &str) -> Result<(), Failure> {
    let owners = object.metadata.owner_references.iter().flatten();
    match owners
        .into_iter()
        .find(|owner| owner.kind == "PreviewPolicy")
    {
        None => Ok(()),
        Some(owner) => Err(Failure::Usage(format!(
            "{} belongs to PreviewPolicy {}, which sets its time: write `{say}` on the pull request",
            object.metadata.name.as_deref().unwrap_or_default(),
            owner.name
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(metadata: Value) -> DynamicObject {
        serde_json::from_value(json!({
            "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment", "metadata": metadata, "spec": {},
        }))
        .unwrap()
    }

    #[test]
    fn only_what_git_declares_is_gits() {
        let managed = json!([{"manager": "mirage-gitsync", "operation": "Apply", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:ttl": {}}}}]);
        let labels = json!({GIT_SYNC: "shop", GIT_SYNC_NAMESPACE: "team"});
        let synced =
            object(json!({"name": "shop", "labels": labels, "managedFields": managed.clone()}));
        assert_eq!(git_sync(&synced).as_deref(), Some("team/shop"));
        assert!(refuse_if_in_git(&synced, &["suspend"]).is_ok());
        let refused = refuse_if_in_git(&synced, &["expiresAt", "ttl"]).unwrap_err();
        assert!(
            refused
                .to_string()
                .contains("spec.ttl of shop is declared in Git"),
            "{refused}"
        );
        // Let go of by its GitSync, it is nobody's but its owner's.
        let free = object(json!({"name": "shop", "managedFields": managed}));
        assert!(refuse_if_in_git(&free, &["ttl"]).is_ok());
    }

    #[test]
    fn a_previews_time_is_its_policys() {
        let owner = json!([{"apiVersion": "mirage.dev/v1alpha1", "kind": "PreviewPolicy", "name": "shop", "uid": "1"}]);
        let preview = object(json!({"name": "shop-pr-1", "ownerReferences": owner}));
        let refused = refuse_if_preview(&preview, "/mirage extend 24h").unwrap_err();
        assert!(
            refused.to_string().contains("/mirage extend 24h"),
            "{refused}"
        );
        assert!(refuse_if_preview(&object(json!({"name": "shop"})), "").is_ok());
    }
}

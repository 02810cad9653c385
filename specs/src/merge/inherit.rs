//! What services take over from the environment they stand in.

use crate::{
    environment::{EnvironmentSpec, Source},
    service::{ServiceSource, ServiceSpec},
};

/// Gives `spec.source` to every service that has neither an image nor an engine.
pub(super) fn inherit_source(spec: &mut EnvironmentSpec) {
    let Some(shared) = spec.source.clone() else {
        return;
    };
    for service in spec.services.values_mut().flatten() {
        inherit(service, &shared);
    }
}

fn inherit(service: &mut ServiceSpec, shared: &Source) {
    let has_image = service
        .source
        .as_ref()
        .is_some_and(|source| source.image.value().is_some());
    if has_image || service.engine.value().is_some() {
        return;
    }
    let own = service.source.get_or_insert_with(ServiceSource::default);
    if own.repo.value().is_none() {
        own.repo = shared.repo.clone();
    }
    // A branch or commit of one repository means nothing in another, and a service that says which of the two it
    // follows has said all there is to say.
    let says_where = own.branch.value().is_some() || own.commit.value().is_some();
    if own.repo == shared.repo && !says_where {
        own.branch = shared.branch.clone();
        own.commit = shared.commit.clone();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn inherited(service: Value) -> Value {
        let mut spec: EnvironmentSpec = serde_json::from_value(json!({
            "source": {"repo": "acme/shop", "branch": "main"},
            "services": {"web": service},
        }))
        .unwrap();
        inherit_source(&mut spec);
        serde_json::to_value(&spec).unwrap()["services"]["web"]["source"].clone()
    }

    #[test]
    fn a_service_without_its_own_source_takes_the_environments() {
        for (service, source) in [
            (json!({}), json!({"repo": "acme/shop", "branch": "main"})),
            (
                json!({"source": {"rootDirectory": "/api"}}),
                json!({"repo": "acme/shop", "branch": "main", "rootDirectory": "/api"}),
            ),
            (
                json!({"source": {"branch": "next"}}),
                json!({"repo": "acme/shop", "branch": "next"}),
            ),
            (
                json!({"source": {"repo": "acme/other"}}),
                json!({"repo": "acme/other"}),
            ),
            (
                json!({"source": {"image": "nginx"}}),
                json!({"image": "nginx"}),
            ),
            (json!({"engine": "redis"}), Value::Null),
        ] {
            assert_eq!(inherited(service.clone()), source, "{service}");
        }
    }
}

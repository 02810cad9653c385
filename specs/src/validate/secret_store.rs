//! Secret stores: an address that is one, paths that stay inside, one way of showing who one is.

use crate::{
    secret_store::is_path,
    validate::{Faults, node::Node},
};

/// The rules that the shape does not say.
pub(super) fn check(spec: &Node<'_>, faults: &mut Faults) {
    let vault = spec.at("vault");
    if !vault.is_given() {
        return;
    }
    let address = vault.at("address");
    if let Some(text) = address.text()
        && !is_address(text)
    {
        faults.invalid(
            &address.path,
            "an address like https://vault.example.com:8200, without path, user or query",
        );
    }
    let auth = vault.at("auth");
    let (token, role) = (auth.at("tokenSecretRef"), auth.at("appRole"));
    if auth.is_given() && token.is_given() == role.is_given() {
        faults.invalid(&auth.path, "exactly one of tokenSecretRef, appRole");
    }
    for path in [vault.at("mount"), role.at("mount")] {
        if path.text().is_some_and(|text| !is_path(text)) {
            faults.invalid(
                &path.path,
                "a path like team/kv, without slashes at its ends",
            );
        }
    }
    let secret_id = role.at("secretIdSecretRef");
    for text in [
        vault.at("namespace"),
        role.at("roleId"),
        token.at("name"),
        token.at("key"),
        secret_id.at("name"),
        secret_id.at("key"),
    ] {
        if text.text() == Some("") {
            faults.invalid(&text.path, "must not be empty");
        }
    }
    let bundle = vault.at("caBundle");
    if bundle
        .text()
        .is_some_and(|text| !text.contains("-----BEGIN CERTIFICATE-----"))
    {
        faults.invalid(
            &bundle.path,
            "certificates in PEM, with their BEGIN and END lines",
        );
    }
}

fn is_address(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        !authority.is_empty()
            && !authority.contains(|char: char| {
                "/?#@\\".contains(char) || char.is_whitespace() || char.is_control()
            })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::validate::secret_store;

    fn faults(vault: Value) -> Vec<String> {
        let object = json!({
            "apiVersion": "mirage.dev/v1alpha1", "kind": "SecretStore",
            "metadata": {"name": "vault"}, "spec": {"vault": vault},
        });
        let faults = secret_store(&object);
        let mut paths: Vec<_> = faults.into_iter().map(|fault| fault.path).collect();
        paths.sort();
        paths
    }

    #[test]
    fn a_store_is_reached_in_exactly_one_way() {
        let token = json!({"name": "vault", "key": "token"});
        let role = json!({"roleId": "r", "secretIdSecretRef": {"name": "v", "key": "id"}});
        let rows = [
            (
                json!({"address": "https://v:8200", "auth": {"tokenSecretRef": token}}),
                vec![],
            ),
            (
                json!({"address": "https://v:8200/", "auth": {"appRole": role}}),
                vec![],
            ),
            (
                json!({"address": "https://v", "auth": {}}),
                vec!["spec.vault.auth"],
            ),
            (
                json!({"address": "https://v", "auth": {"tokenSecretRef": token, "appRole": role}}),
                vec!["spec.vault.auth"],
            ),
            (
                json!({"address": "https://u:p@v/x", "auth": {"tokenSecretRef": token}}),
                vec!["spec.vault.address"],
            ),
            (
                json!({"address": "v:8200", "mount": "/kv", "caBundle": "x",
                    "auth": {"tokenSecretRef": token}}),
                vec![
                    "spec.vault.address",
                    "spec.vault.caBundle",
                    "spec.vault.mount",
                ],
            ),
            (
                json!({"address": "https://v", "mount": "a/../sys", "namespace": "",
                    "auth": {"appRole": role}}),
                vec!["spec.vault.mount", "spec.vault.namespace"],
            ),
        ];
        for (vault, expected) in rows {
            assert_eq!(faults(vault.clone()), expected, "{vault}");
        }
    }
}

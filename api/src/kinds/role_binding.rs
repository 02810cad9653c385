//! rbac.authorization.k8s.io/v1 RoleBinding and ClusterRoleBinding: who has a role, here or everywhere.

use serde_json::{Value, json};

use super::{Audience, Kind};
use crate::access::RBAC;
use crate::error::{CauseReason, Fault};
use crate::kubernetes::table::Column;

pub(super) fn kind() -> Kind {
    let mut kind = Kind::new(RBAC, "v1", "RoleBinding", "rolebindings", document());
    kind.audience = Audience::Administrators;
    kind.validate = |object| faults(object, &["Role", "ClusterRole"]);
    finished(kind)
}

pub(super) fn cluster_kind() -> Kind {
    let plural = "clusterrolebindings";
    let mut kind = Kind::new(RBAC, "v1", "ClusterRoleBinding", plural, document());
    kind.namespaced = false;
    kind.audience = Audience::ClusterAdministrators;
    kind.validate = |object| faults(object, &["ClusterRole"]);
    finished(kind)
}

fn finished(mut kind: Kind) -> Kind {
    kind.has_path_names = true;
    kind.normalize = fill_in;
    kind.validate_change = |before, after| {
        // A binding that changed its role would give its subjects something else than whoever added them agreed to.
        let is_same = before["roleRef"] == after["roleRef"];
        let fault = || {
            let message =
                "Invalid value: cannot change roleRef: delete the binding and make another";
            Fault::new("roleRef", CauseReason::FieldValueInvalid, message)
        };
        (!is_same).then(fault).into_iter().collect()
    };
    kind.columns = vec![
        Column::computed("Role", "string", |object, _| {
            let part = |field: &str| object["roleRef"][field].as_str().unwrap_or_default();
            json!(format!("{}/{}", part("kind"), part("name")))
        })
        .described("The role that is given."),
        Column::path("Age", "date", ".metadata.creationTimestamp")
            .described("Time since it was created."),
        Column::computed("Users", "string", |object, _| names(object, "User"))
            .described("To which users.")
            .priority(1),
        Column::computed("Groups", "string", |object, _| names(object, "Group"))
            .described("To which groups.")
            .priority(1),
        Column::computed("ServiceAccounts", "string", |object, _| {
            names(object, "ServiceAccount")
        })
        .described("To which service accounts.")
        .priority(1),
    ];
    kind
}

fn document() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    json!({
        "type": "object", "description": "Gives a role to users and groups.", "required": ["roleRef"],
        "properties": {
            "roleRef": {"type": "object", "required": ["kind", "name"], "x-kubernetes-map-type": "atomic",
                "description": "The role that is given; it cannot be changed.", "properties": {
                    "apiGroup": text("rbac.authorization.k8s.io"),
                    "kind": text("Role or ClusterRole."),
                    "name": text("The role's name.")}},
            "subjects": {"type": "array", "nullable": true, "description": "To whom.",
                "items": {"type": "object", "required": ["kind", "name"], "x-kubernetes-map-type": "atomic", "properties": {
                    "apiGroup": text("rbac.authorization.k8s.io, or empty for service accounts."),
                    "kind": text("User, Group or ServiceAccount."),
                    "name": text("Whose name."),
                    "namespace": text("Of a service account.")}}}
        }
    })
}

/// What people leave out because there is only one thing that it can be.
fn fill_in(object: &mut Value) {
    let fill = |reference: &mut Value| {
        let group = if reference["kind"] == "ServiceAccount" {
            ""
        } else {
            RBAC
        };
        if let Some(fields) = reference.as_object_mut()
            && fields
                .get("apiGroup")
                .is_none_or(|sent| sent.is_null() || sent == "")
            && !group.is_empty()
        {
            fields.insert("apiGroup".into(), json!(group));
        }
    };
    if let Some(role) = object.get_mut("roleRef") {
        fill(role);
    }
    if let Some(subjects) = object.get_mut("subjects").and_then(Value::as_array_mut) {
        subjects.iter_mut().for_each(fill);
    }
}

fn faults(object: &Value, role_kinds: &[&str]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut check = |path: String, value: &Value, supported: &[&str]| {
        let found = value.as_str().unwrap_or_default();
        if found.is_empty() {
            let message = "Required value";
            faults.push(Fault::new(path, CauseReason::FieldValueRequired, message));
        } else if !supported.is_empty() && !supported.contains(&found) {
            let supported: Vec<String> = supported.iter().map(|one| format!("{one:?}")).collect();
            let supported = supported.join(", ");
            let message = format!("Unsupported value: {found:?}: supported values: {supported}");
            let reason = CauseReason::FieldValueNotSupported;
            faults.push(Fault::new(path, reason, message));
        }
    };
    let role = &object["roleRef"];
    if role.is_object() {
        check("roleRef.apiGroup".into(), &role["apiGroup"], &[RBAC]);
        check("roleRef.kind".into(), &role["kind"], role_kinds);
        check("roleRef.name".into(), &role["name"], &[]);
    }
    let subjects = object["subjects"].as_array().into_iter().flatten();
    for (index, subject) in subjects.enumerate() {
        let at = |field: &str| format!("subjects[{index}].{field}");
        let kinds = ["User", "Group", "ServiceAccount"];
        check(at("kind"), &subject["kind"], &kinds);
        check(at("name"), &subject["name"], &[]);
        if subject["kind"] == "ServiceAccount" {
            check(at("namespace"), &subject["namespace"], &[]);
        } else {
            check(at("apiGroup"), &subject["apiGroup"], &[RBAC]);
        }
    }
    faults
}

fn names(object: &Value, kind: &str) -> Value {
    let subjects = object["subjects"].as_array().into_iter().flatten();
    let names: Vec<String> = subjects
        .filter(|subject| subject["kind"] == kind)
        .map(|subject| {
            let part = |field: &str| subject[field].as_str().unwrap_or_default();
            match part("namespace") {
                "" => part("name").to_owned(),
                namespace => format!("{namespace}/{}", part("name")),
            }
        })
        .collect();
    json!(names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(mut binding: Value, role_kinds: &[&str]) -> Vec<String> {
        fill_in(&mut binding);
        let faults = faults(&binding, role_kinds);
        faults.into_iter().map(|fault| fault.path).collect()
    }

    #[test]
    fn api_groups_are_filled_in_and_faults_name_their_field() {
        let both = ["Role", "ClusterRole"];
        let good = json!({"roleRef": {"kind": "Role", "name": "r"},
            "subjects": [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s", "namespace": "n"}]});
        assert_eq!(paths(good.clone(), &both), [""; 0]);
        assert_eq!(paths(good, &["ClusterRole"]), ["roleRef.kind"]);
        let bad = json!({"roleRef": {"kind": "Rolle", "apiGroup": "other"},
            "subjects": [{"kind": "Robot", "name": "u"}, {"kind": "User"}, {"kind": "ServiceAccount", "name": "s"}]});
        assert_eq!(
            paths(bad, &both),
            [
                "roleRef.apiGroup",
                "roleRef.kind",
                "roleRef.name",
                "subjects[0].kind",
                "subjects[1].name",
                "subjects[2].namespace"
            ]
        );
    }
}

//! Roles, bindings, and what they let people do.

use serde_json::{Value, json};

use crate::world::{THINGS, World, thing};

pub(crate) const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
pub(crate) const TOKENS: &str = "/apis/auth.mirage.dev/v1alpha1/tokens";
const AUTHORIZATION: &str = "/apis/authorization.k8s.io/v1";

/// A token for a user without any rights yet.
pub(crate) async fn token_of(world: &World, user: &str, groups: &[&str]) -> String {
    let spec =
        json!({"metadata": {"generateName": "t-"}, "spec": {"user": user, "groups": groups}});
    let (code, token) = world.ask("POST", TOKENS, spec).await;
    assert_eq!(code, 201, "{token}");
    token["status"]["token"].as_str().unwrap().to_owned()
}

/// Gives a user a ClusterRole in a namespace.
pub(crate) async fn bind(world: &World, namespace: &str, role: &str, user: &str) {
    let uri = format!("{RBAC}/namespaces/{namespace}/rolebindings");
    let binding = json!({"metadata": {"generateName": "b-"}, "roleRef": {"kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "User", "name": user}]});
    let (code, answer) = world.ask("POST", &uri, binding).await;
    assert_eq!(code, 201, "{answer}");
}

fn message(answer: &(u16, Value)) -> &str {
    answer.1["message"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn the_built_in_roles_are_there_and_are_put_back_at_the_start() {
    let world = World::with_tokens().await;
    for role in ["cluster-admin", "admin", "editor", "edit", "viewer", "view"] {
        let (code, object) = world.get(&format!("{RBAC}/clusterroles/{role}")).await;
        assert_eq!(code, 200, "{role}");
        assert_eq!(
            object["metadata"]["labels"]["kubernetes.io/bootstrapping"],
            "rbac-defaults"
        );
    }
    let viewer = format!("{RBAC}/clusterroles/viewer");
    let merge = "application/merge-patch+json";
    world.patch(&viewer, merge, json!({"rules": []})).await;
    let edit = format!("{RBAC}/clusterroles/edit");
    let kept = json!({"rules": [], "metadata": {"annotations": {"rbac.authorization.kubernetes.io/autoupdate": "false"}}});
    world.patch(&edit, merge, kept).await;
    world.api.bootstrap().await.unwrap();
    assert!(
        !world.get(&viewer).await.1["rules"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_eq!(world.get(&edit).await.1["rules"], json!([]));
}

#[tokio::test]
async fn a_binding_is_in_force_when_it_is_acknowledged_and_no_longer_when_it_is_gone() {
    let world = World::with_tokens().await;
    let ann = token_of(&world, "ann", &[]).await;
    for _ in 0..3 {
        let refused = world.bearer(&ann, "GET", THINGS, Value::Null).await;
        assert_eq!(refused.0, 403);
        assert_eq!(
            message(&refused),
            "things.test.dev is forbidden: User \"ann\" cannot list resource \"things\" in API group \"test.dev\" in the namespace \"default\""
        );
        bind(&world, "default", "editor", "ann").await;
        assert_eq!(world.bearer(&ann, "GET", THINGS, Value::Null).await.0, 200);
        let all = format!("{RBAC}/namespaces/default/rolebindings");
        world.ask("DELETE", &all, Value::Null).await;
    }
}

#[tokio::test]
async fn an_editor_writes_what_is_in_the_namespace_and_nothing_else() {
    let world = World::with_tokens().await;
    let ann = token_of(&world, "ann", &[]).await;
    bind(&world, "default", "editor", "ann").await;
    let as_ann =
        async |method: &str, uri: &str, body: Value| world.bearer(&ann, method, uri, body).await.0;
    assert_eq!(as_ann("POST", THINGS, thing("web", 1)).await, 201);
    let status = format!("{THINGS}/web/status");
    assert_eq!(as_ann("GET", &status, Value::Null).await, 200);
    assert_eq!(as_ann("PATCH", &status, json!({"status": {}})).await, 403);
    let secrets = "/api/v1/namespaces/default/secrets";
    assert_eq!(as_ann("GET", secrets, Value::Null).await, 200);
    assert_eq!(as_ann("GET", "/api/v1/secrets", Value::Null).await, 403);
    assert_eq!(
        as_ann("GET", "/api/v1/namespaces/default", Value::Null).await,
        200
    );
    assert_eq!(as_ann("GET", "/api/v1/namespaces", Value::Null).await, 403);
    assert_eq!(
        as_ann("DELETE", "/api/v1/namespaces/default", Value::Null).await,
        403
    );
    let elsewhere = "/apis/test.dev/v1/namespaces/kube-system/things";
    assert_eq!(as_ann("POST", elsewhere, thing("web", 1)).await, 403);
    let roles = format!("{RBAC}/namespaces/default/roles");
    assert_eq!(as_ann("GET", &roles, Value::Null).await, 403);
    assert_eq!(as_ann("DELETE", THINGS, Value::Null).await, 200);
}

#[tokio::test]
async fn only_administrators_of_a_namespace_write_preview_policies() {
    let world = World::with_tokens().await;
    let all = "/apis/mirage.dev/v1alpha1/namespaces/default/previewpolicies";
    let policy = |name: &str| {
        json!({"metadata": {"name": name}, "spec": {"repository": "acme/shop", "githubSecretRef": {"name": "github"},
               "from": {"template": {"name": "dev"}}}})
    };
    for (role, reads, writes) in [
        ("viewer", 200, 403),
        ("editor", 200, 403),
        ("admin", 200, 201),
    ] {
        let token = token_of(&world, role, &[]).await;
        bind(&world, "default", role, role).await;
        let read = world.bearer(&token, "GET", all, Value::Null).await.0;
        let write = world.bearer(&token, "POST", all, policy(role)).await.0;
        assert_eq!((read, write), (reads, writes), "{role}");
    }
    let (code, answer) = world
        .ask(
            "POST",
            all,
            json!({"metadata": {"name": "x"}, "spec": {
        "repository": "shop", "githubSecretRef": {"name": "github"}, "from": {}}}),
        )
        .await;
    assert_eq!(code, 422);
    let fields: Vec<&str> = answer["details"]["causes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|cause| cause["field"].as_str())
        .collect();
    assert_eq!(fields, ["spec.from", "spec.repository"]);
}

#[tokio::test]
async fn a_right_to_one_name_is_one_to_lists_and_watches_of_that_name() {
    let world = World::with_tokens().await;
    let bob = token_of(&world, "bob", &[]).await;
    let role = json!({"metadata": {"name": "one"}, "rules": [{"apiGroups": [""], "resources": ["secrets"],
        "resourceNames": ["db"], "verbs": ["get", "list", "watch", "patch"]}]});
    let roles = format!("{RBAC}/namespaces/default/roles");
    assert_eq!(world.ask("POST", &roles, role).await.0, 201);
    let binding = json!({"metadata": {"name": "one"}, "roleRef": {"kind": "Role", "name": "one"},
        "subjects": [{"kind": "User", "name": "bob"}]});
    let bindings = format!("{RBAC}/namespaces/default/rolebindings");
    assert_eq!(world.ask("POST", &bindings, binding).await.0, 201);
    let secrets = "/api/v1/namespaces/default/secrets";
    for name in ["db", "other"] {
        let secret = json!({"metadata": {"name": name}, "stringData": {"password": "hunter2"}});
        assert_eq!(world.ask("POST", secrets, secret).await.0, 201);
    }
    for (query, expected) in [
        ("", 403),
        ("?fieldSelector=metadata.name%3Ddb", 200),
        ("?fieldSelector=metadata.name%3Dother", 403),
        ("?fieldSelector=metadata.name%21%3Dother", 403),
        ("?watch=1&timeoutSeconds=1", 403),
        (
            "?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Ddb",
            200,
        ),
        ("/db", 200),
        ("/other", 403),
    ] {
        tokio::time::pause();
        let (code, answer) = world
            .bearer(&bob, "GET", &format!("{secrets}{query}"), Value::Null)
            .await;
        tokio::time::resume();
        assert_eq!(code, expected, "{query}");
        assert!(!answer.to_string().contains("other") || code == 403);
    }
    // Apply to what is not there creates it, and that is another right.
    let apply = [("content-type", "application/apply-patch+yaml")];
    let authorization = format!("Bearer {bob}");
    let headers = [apply[0], ("authorization", authorization.as_str())];
    world
        .ask("DELETE", &format!("{secrets}/db"), Value::Null)
        .await;
    let config =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}}).to_string();
    let uri = format!("{secrets}/db?fieldManager=bob");
    let (code, _, refusal) =
        crate::world::send(world.api.router(), "PATCH", &uri, &headers, config).await;
    assert_eq!(code, 403);
    assert!(
        refusal["message"]
            .as_str()
            .unwrap()
            .contains("cannot create")
    );
}

#[tokio::test]
async fn nobody_gives_rights_that_they_do_not_have() {
    let world = World::with_tokens().await;
    let carl = token_of(&world, "carl", &[]).await;
    bind(&world, "default", "admin", "carl").await;
    let roles = format!("{RBAC}/namespaces/default/roles");
    let role = |resource: &str| json!({"metadata": {"name": resource}, "rules": [{"apiGroups": [""], "resources": [resource], "verbs": ["get"]}]});
    assert_eq!(
        world.bearer(&carl, "POST", &roles, role("secrets")).await.0,
        201
    );
    let refused = world.bearer(&carl, "POST", &roles, role("pods")).await;
    assert_eq!(refused.0, 403);
    assert!(
        message(&refused).contains("attempting to grant RBAC permissions not currently held"),
        "{}",
        message(&refused)
    );
    let more = json!({"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]});
    let uri = format!("{roles}/secrets");
    assert_eq!(world.bearer(&carl, "PATCH", &uri, more).await.0, 403);
    let bindings = format!("{RBAC}/namespaces/default/rolebindings");
    let binding = |role: &str| {
        json!({"metadata": {"name": role}, "roleRef": {"kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "User", "name": "dan"}]})
    };
    for (role, expected) in [
        ("editor", 201),
        ("admin", 201),
        ("cluster-admin", 403),
        ("none", 403),
    ] {
        let answer = world.bearer(&carl, "POST", &bindings, binding(role)).await;
        assert_eq!(answer.0, expected, "{role}: {}", message(&answer));
    }
    // The right to bind a certain role is one that an administrator may give.
    let allowed = json!({"metadata": {"name": "bind"}, "rules": [{"apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["clusterroles"], "resourceNames": ["cluster-admin"], "verbs": ["bind"]}]});
    assert_eq!(world.ask("POST", &roles, allowed).await.0, 201);
    let to_carl = json!({"metadata": {"name": "bind"}, "roleRef": {"kind": "Role", "name": "bind"},
        "subjects": [{"kind": "User", "name": "carl"}]});
    assert_eq!(world.ask("POST", &bindings, to_carl).await.0, 201);
    let answer = world
        .bearer(&carl, "POST", &bindings, binding("cluster-admin"))
        .await;
    assert_eq!(answer.0, 201, "{}", message(&answer));
}

#[tokio::test]
async fn roles_and_bindings_are_checked_field_by_field() {
    let world = World::new().await;
    let bindings = format!("{RBAC}/namespaces/default/rolebindings");
    let binding = json!({"metadata": {"name": "x"}, "roleRef": {"kind": "ClusterRole", "name": "viewer"},
        "subjects": [{"kind": "User", "name": "dan"}]});
    let (code, made) = world.ask("POST", &bindings, binding).await;
    assert_eq!(code, 201);
    assert_eq!(made["roleRef"]["apiGroup"], "rbac.authorization.k8s.io");
    assert_eq!(made["subjects"][0]["apiGroup"], "rbac.authorization.k8s.io");
    let change = json!({"roleRef": {"name": "editor"}});
    let merge = "application/merge-patch+json";
    let (code, refusal) = world.patch(&format!("{bindings}/x"), merge, change).await;
    assert_eq!(code, 422);
    assert!(
        refusal["message"]
            .as_str()
            .unwrap()
            .contains("cannot change roleRef")
    );
    let roles = format!("{RBAC}/clusterroles");
    for (body, field) in [
        (json!({"metadata": {"name": "a/b"}}), "metadata.name"),
        (
            json!({"metadata": {"name": "a"}, "rules": [{"verbs": []}]}),
            "rules[0].verbs",
        ),
        (
            json!({"metadata": {"name": "a"}, "aggregationRule": {}}),
            "aggregationRule",
        ),
    ] {
        let (code, refusal) = world.ask("POST", &roles, body).await;
        assert_eq!(
            (code, &refusal["details"]["causes"][0]["field"]),
            (422, &json!(field))
        );
    }
    let (code, _) = world
        .ask("POST", &roles, json!({"metadata": {"name": "Team:a"}}))
        .await;
    assert_eq!(code, 201);
}

#[tokio::test]
async fn reviews_say_what_would_be_decided() {
    let world = World::with_tokens().await;
    let ann = token_of(&world, "ann", &["staff"]).await;
    bind(&world, "default", "viewer", "ann").await;
    let attributes = |verb: &str, resource: &str| json!({"namespace": "default", "verb": verb, "group": "test.dev", "resource": resource});
    let own = format!("{AUTHORIZATION}/selfsubjectaccessreviews");
    for (verb, expected) in [("list", true), ("delete", false)] {
        let review = json!({"spec": {"resourceAttributes": attributes(verb, "things")}});
        let (code, answer) = world.bearer(&ann, "POST", &own, review).await;
        assert_eq!(
            (code, &answer["status"]["allowed"]),
            (201, &json!(expected))
        );
        let has_reason = answer["status"]["reason"]
            .as_str()
            .is_some_and(|why| why.contains("RoleBinding"));
        assert_eq!(has_reason, expected);
    }
    let rules = format!("{AUTHORIZATION}/selfsubjectrulesreviews");
    for (namespace, expected) in [("default", true), ("kube-system", false)] {
        let review = json!({"spec": {"namespace": namespace}});
        let (_, answer) = world.bearer(&ann, "POST", &rules, review).await;
        let listed = answer["status"]["resourceRules"]
            .to_string()
            .contains("things");
        assert_eq!(listed, expected, "{answer}");
    }
    let others = format!("{AUTHORIZATION}/subjectaccessreviews");
    let review =
        json!({"spec": {"user": "ann", "resourceAttributes": attributes("list", "things")}});
    assert_eq!(
        world.ask("POST", &others, review.clone()).await.1["status"]["allowed"],
        true
    );
    assert_eq!(
        world.bearer(&ann, "POST", &others, review.clone()).await.0,
        403
    );
    let local = format!("{AUTHORIZATION}/namespaces/default/localsubjectaccessreviews");
    assert_eq!(
        world.ask("POST", &local, review.clone()).await.1["status"]["allowed"],
        true
    );
    let elsewhere = format!("{AUTHORIZATION}/namespaces/kube-system/localsubjectaccessreviews");
    assert_eq!(world.ask("POST", &elsewhere, review).await.0, 400);
    // kubectl 1.27 asks for the older version.
    let whoami = "/apis/authentication.k8s.io/v1beta1/selfsubjectreviews";
    let (code, answer) = world.bearer(&ann, "POST", whoami, json!({})).await;
    assert_eq!(code, 201);
    assert_eq!(answer["apiVersion"], "authentication.k8s.io/v1beta1");
    assert_eq!(
        answer["status"]["userInfo"]["groups"],
        json!(["staff", "system:authenticated"])
    );
}

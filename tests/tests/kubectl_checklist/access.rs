//! What kubectl asks about rights, and how it is told that it has none.

use anyhow::{Context as _, Result, ensure};
use mirage_tests::process::{Mirage, kubectl::Kubectl};

use crate::scene::begin;

/// Makes a token for a user and puts it into a kubeconfig of this name, for `--kubeconfig`.
async fn kubeconfig_of(mirage: &Mirage, user: &str, more: &[&str]) -> Result<String> {
    let mut arguments = vec!["token", "create", user, "--user", user, "-o", "kubeconfig"];
    arguments.extend(more);
    let file = format!("{user}.kubeconfig");
    mirage.write(&file, &mirage.does(&arguments).await?)?;
    Ok(file)
}

async fn can_i(kubectl: &Kubectl, who: &str, question: &[&str]) -> Result<bool> {
    let mut arguments = vec!["--kubeconfig", who, "auth", "can-i"];
    arguments.extend(question);
    let answer = kubectl.run(&arguments).await?;
    let is_yes = answer.stdout.trim() == "yes";
    ensure!(
        answer.code == Some(if is_yes { 0 } else { 1 }),
        "can-i {question:?}: {}",
        answer.said()
    );
    Ok(is_yes)
}

#[tokio::test]
async fn kubectl_gives_roles_and_asks_what_they_allow() -> Result<()> {
    let Some((mirage, kubectl)) = begin().await? else {
        return Ok(());
    };
    kubectl.does(&["apply", "-f", "env.yaml"]).await?;
    let ann = kubeconfig_of(&mirage, "ann", &[]).await?;
    ensure!(!can_i(&kubectl, &ann, &["get", "environments"]).await?);
    for arguments in [
        &[
            "create",
            "role",
            "watcher",
            "--verb=get,list,watch",
            "--resource=environments.mirage.dev",
        ] as &[&str],
        &[
            "create",
            "rolebinding",
            "ann",
            "--role=watcher",
            "--user=ann",
        ],
        &[
            "create",
            "clusterrole",
            "reader",
            "--verb=get",
            "--resource=secrets",
            "--resource-name=db",
        ],
        &[
            "create",
            "clusterrolebinding",
            "ann",
            "--clusterrole=reader",
            "--user=ann",
        ],
    ] {
        let made = kubectl.does(arguments).await;
        ensure!(
            made.with_context(|| format!("{arguments:?}"))?
                .contains("created")
        );
    }
    for (question, expected) in [
        (&["get", "environments"] as &[&str], true),
        (&["get", "environments", "-n", "kube-system"], false),
        (&["delete", "environments"], false),
        (&["get", "environments", "--subresource=status"], false),
        (&["get", "secret/db"], true),
        (&["get", "secret/other"], false),
        (&["get", "/apis"], true),
        (&["get", "/metrics"], false),
    ] {
        let answer = can_i(&kubectl, &ann, question).await?;
        ensure!(answer == expected, "{question:?} is {answer}");
    }
    let listed = kubectl
        .does(&["--kubeconfig", &ann, "auth", "can-i", "--list"])
        .await?;
    ensure!(
        listed
            .lines()
            .any(|line| line.starts_with("environments.mirage.dev")
                && line.contains("[get list watch]")),
        "{listed}"
    );
    ensure!(
        listed
            .lines()
            .any(|line| line.starts_with("secrets") && line.contains("[db]")),
        "{listed}"
    );
    let roles = kubectl
        .does(&[
            "get",
            "roles,rolebindings,clusterroles,clusterrolebindings",
            "-o",
            "wide",
        ])
        .await?;
    ensure!(
        roles.contains("Role/watcher") && roles.contains("cluster-admin"),
        "{roles}"
    );
    kubectl.does(&["delete", "rolebinding", "ann"]).await?;
    ensure!(!can_i(&kubectl, &ann, &["get", "environments"]).await?);
    Ok(())
}

#[tokio::test]
async fn a_viewer_is_refused_in_words_that_say_what_is_missing() -> Result<()> {
    let Some((mirage, kubectl)) = begin().await? else {
        return Ok(());
    };
    kubectl.does(&["apply", "-f", "env.yaml"]).await?;
    let viewer = kubeconfig_of(&mirage, "viewer", &["--role", "viewer"]).await?;
    let as_viewer = async |arguments: &[&str]| {
        let mut whole = vec!["--kubeconfig", viewer.as_str()];
        whole.extend(arguments);
        kubectl.run(&whole).await
    };
    let me = as_viewer(&["auth", "whoami"]).await?.well()?;
    ensure!(
        me.contains("viewer") && me.contains("system:authenticated"),
        "{me}"
    );
    as_viewer(&["get", "environments", "-A"]).await?.with(0)?;
    as_viewer(&["describe", "environment", "web"])
        .await?
        .with(0)?;
    as_viewer(&["delete", "environment", "web"]).await?.refused(
        "environments.mirage.dev \"web\" is forbidden: User \"viewer\" cannot delete resource \"environments\" in API group \"mirage.dev\" in the namespace \"default\"",
    )?;
    as_viewer(&["get", "secrets"])
        .await?
        .refused("cannot list resource \"secrets\"")?;
    as_viewer(&[
        "create",
        "clusterrolebinding",
        "me",
        "--clusterrole=cluster-admin",
        "--user=viewer",
    ])
    .await?
    .refused("cannot create resource \"clusterrolebindings\"")?;
    as_viewer(&["apply", "-f", "env2.yaml"])
        .await?
        .refused("cannot patch resource \"environments\"")?;
    as_viewer(&["get", "environments", "--as=admin"])
        .await?
        .refused("cannot impersonate")?;
    Ok(())
}

#[tokio::test]
async fn tokens_are_listed_and_revoked_with_kubectl_too() -> Result<()> {
    let Some((mirage, kubectl)) = begin().await? else {
        return Ok(());
    };
    mirage.write(
        "ci.kubeconfig",
        &mirage
            .does(&[
                "token",
                "create",
                "ci",
                "--role",
                "editor",
                "--namespace",
                "default",
                "--ttl",
                "24h",
                "-o",
                "kubeconfig",
            ])
            .await?,
    )?;
    let as_ci = async |arguments: &[&str]| {
        let mut whole = vec!["--kubeconfig", "ci.kubeconfig"];
        whole.extend(arguments);
        kubectl.run(&whole).await
    };
    as_ci(&["apply", "-f", "env.yaml"]).await?.with(0)?;
    as_ci(&["get", "environments", "-A"])
        .await?
        .refused("the token is limited to role editor, namespaces default")?;
    ensure!(can_i(&kubectl, "ci.kubeconfig", &["delete", "environments"]).await?);
    ensure!(!can_i(&kubectl, "ci.kubeconfig", &["create", "rolebindings"]).await?);
    let me = as_ci(&["auth", "whoami"]).await?.well()?;
    ensure!(
        me.contains("auth.mirage.dev/token") && me.contains("[ci]"),
        "{me}"
    );
    let listed = kubectl.does(&["get", "tokens", "-o", "wide"]).await?;
    ensure!(
        listed.contains("role editor, namespaces default") && listed.contains("admin"),
        "{listed}"
    );
    kubectl.does(&["delete", "token", "ci"]).await?;
    as_ci(&["get", "environments"])
        .await?
        .refused("logged in")?;
    Ok(())
}

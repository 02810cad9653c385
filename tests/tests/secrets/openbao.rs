//! The client of secret stores against a real server.

use std::time::Duration;

use anyhow::{Result, ensure};
use mirage_tests::{
    process::waiting::{Look, until},
    vault::{Counting, Vault as Server},
};
use mirage_vault::{Auth, Connection, Error, HttpVault, Place, StoredSecret, Vault as _};
use serde_json::json;

fn place(path: &str, version: Option<u64>) -> Place {
    Place {
        mount: "secret".to_owned(),
        path: path.to_owned(),
        version,
    }
}

fn by(server: &Server, auth: Auth) -> Result<Connection> {
    Ok(Connection {
        address: server.address().parse()?,
        namespace: None,
        ca_bundle: Some(server.ca()?),
        auth,
    })
}

fn field(secret: &StoredSecret, name: &str) -> String {
    use secrecy::ExposeSecret as _;
    let value = secret.fields.get(name).map(|it| it.expose_secret());
    value.unwrap_or("nothing").to_owned()
}

#[tokio::test]
async fn a_path_is_read_in_its_newest_version_or_the_one_that_is_asked_for() -> Result<()> {
    let Some(server) = Server::start().await? else {
        return Ok(());
    };
    server.put("shop/db", json!({"password": "first"})).await?;
    server
        .put("shop/db", json!({"password": "second", "port": 5432}))
        .await?;
    server
        .put("other/db", json!({"password": "hidden"}))
        .await?;
    let token = server.reader("shop").await?;
    let connection = by(&server, Auth::Token(token.into()))?;
    let vault = HttpVault::new();

    let newest = vault.read(&connection, &place("shop/db", None)).await?;
    assert_eq!(
        (field(&newest, "password"), newest.version),
        ("second".into(), 2)
    );
    assert_eq!(field(&newest, "port"), "5432");
    let first = vault.read(&connection, &place("shop/db", Some(1))).await?;
    assert_eq!(
        (field(&first, "password"), first.version),
        ("first".into(), 1)
    );

    let refused = async |path: &str, version| vault.read(&connection, &place(path, version)).await;
    let nothing = refused("shop/nothing", None).await;
    ensure!(
        matches!(nothing, Err(Error::NotFound { .. })),
        "{nothing:?}"
    );
    let future = refused("shop/db", Some(9)).await;
    ensure!(matches!(future, Err(Error::NotFound { .. })), "{future:?}");
    let forbidden = refused("other/db", None).await;
    ensure!(
        matches!(forbidden, Err(Error::Forbidden { .. })),
        "{forbidden:?}"
    );

    server
        .admin("DELETE", "secret/data/shop/db", json!({}))
        .await?;
    let deleted = refused("shop/db", None).await;
    ensure!(
        matches!(deleted, Err(Error::Deleted { version: 2, .. })),
        "{deleted:?}"
    );
    let destroy = json!({"versions": [1]});
    server
        .admin("PUT", "secret/destroy/shop/db", destroy)
        .await?;
    let destroyed = refused("shop/db", Some(1)).await;
    ensure!(
        matches!(destroyed, Err(Error::Destroyed { version: 1, .. })),
        "{destroyed:?}"
    );

    let wrong = by(&server, Auth::Token("s.nobody".into()))?;
    let wrong = vault.read(&wrong, &place("shop/db", None)).await;
    ensure!(matches!(wrong, Err(Error::LoginRefused)), "{wrong:?}");
    let mut untrusted = connection.clone();
    untrusted.ca_bundle = None;
    let untrusted = vault.read(&untrusted, &place("shop/db", None)).await;
    ensure!(
        matches!(untrusted, Err(Error::Unreachable(_))),
        "{untrusted:?}"
    );
    Ok(())
}

#[tokio::test]
async fn an_approle_logs_in_once_renews_and_logs_in_again_when_its_token_is_revoked() -> Result<()>
{
    let Some(server) = Server::start().await? else {
        return Ok(());
    };
    server.put("shop/db", json!({"password": "first"})).await?;
    let door = Counting::before(&server).await?;
    let (role_id, secret_id) = server.role("shop", "2s").await?;
    let connection = Connection {
        address: door.address().parse()?,
        namespace: None,
        ca_bundle: None,
        auth: Auth::AppRole {
            mount: "approle".to_owned(),
            role_id,
            secret_id: secret_id.into(),
        },
    };
    let vault = HttpVault::new();
    // Everybody at once: one login serves all.
    let place = place("shop/db", None);
    let reads = (0..8).map(|_| vault.read(&connection, &place));
    for read in futures::future::join_all(reads).await {
        assert_eq!(field(&read?, "password"), "first");
    }
    assert_eq!(door.count("auth/approle/login"), 1);
    until("the token to be renewed", async || {
        vault.read(&connection, &place).await?;
        let renewed = door.count("auth/token/renew-self");
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(Look::when((renewed > 0).then_some(()), || {
            "not yet".to_owned()
        }))
    })
    .await?;
    let logins = door.count("auth/approle/login");
    // All of the role's tokens end at once; the server then says 403, as for want of rights.
    let prefix = "sys/leases/revoke-prefix/auth/approle/login";
    server.admin("PUT", prefix, json!({})).await?;
    vault.read(&connection, &place).await?;
    assert_eq!(door.count("auth/approle/login"), logins + 1);

    let mut wrong = connection.clone();
    wrong.auth = Auth::AppRole {
        mount: "approle".to_owned(),
        role_id: "nobody".to_owned(),
        secret_id: "nothing".into(),
    };
    let wrong = vault.read(&wrong, &place).await;
    ensure!(matches!(wrong, Err(Error::LoginRefused)), "{wrong:?}");
    Ok(())
}

#[tokio::test]
async fn a_namespace_a_quota_and_a_sealed_vault_are_told_apart() -> Result<()> {
    let Some(server) = Server::start().await? else {
        return Ok(());
    };
    let vault = HttpVault::new();
    server
        .admin("POST", "sys/namespaces/team", json!({}))
        .await?;
    let engine = json!({"type": "kv", "options": {"version": "2"}});
    server
        .admin_in("team", "POST", "sys/mounts/kv/apps", engine)
        .await?;
    let fields = json!({"data": {"password": "of the team"}});
    server
        .admin_in("team", "POST", "kv/apps/data/db", fields)
        .await?;
    let made = json!({"policies": ["root"], "ttl": "1h", "no_parent": true});
    let token = server.admin("POST", "auth/token/create", made).await?;
    let token = token["auth"]["client_token"].as_str().unwrap_or_default();
    let mut connection = by(&server, Auth::Token(token.into()))?;
    let in_team = Place {
        mount: "kv/apps".to_owned(),
        ..place("db", None)
    };
    let outside = vault.read(&connection, &in_team).await;
    ensure!(outside.is_err(), "{outside:?}");
    connection.namespace = Some("team".to_owned());
    let inside = vault.read(&connection, &in_team).await?;
    assert_eq!(field(&inside, "password"), "of the team");
    connection.namespace = None;

    server.put("few/db", json!({"password": "x"})).await?;
    let quota = json!({"rate": 1, "interval": "1h", "path": "secret/data/few/db"});
    server
        .admin("POST", "sys/quotas/rate-limit/few", quota)
        .await?;
    let few = place("few/db", None);
    let limited = until("the quota to be used up", async || {
        let answer = vault.read(&connection, &few).await;
        Ok(Look::when(answer.err(), || "an answer".to_owned()))
    })
    .await?;
    ensure!(matches!(limited, Error::RateLimited { .. }), "{limited:?}");

    server.admin("PUT", "sys/seal", json!({})).await?;
    let sealed = vault.read(&connection, &few).await;
    ensure!(matches!(sealed, Err(Error::Sealed)), "{sealed:?}");
    ensure!(sealed.is_err_and(|error| error.is_transient()));
    Ok(())
}

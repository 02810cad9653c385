//! Tokens by the command line: made, used, listed, revoked.

use crate::support::{self, Server, run, stderr};

fn with_token(server: &Server, token: &str, arguments: &[&str]) -> std::process::Output {
    let addresses =
        std::fs::read_to_string(server.data("addresses.json")).expect("the server is up");
    let (_, rest) = addresses
        .split_once("\"https\": \"")
        .expect("it serves TLS");
    let (https, _) = rest.split_once('"').expect("a string ends");
    support::mirage()
        .current_dir(server.folder.path())
        .args(arguments)
        .args(["--server", https, "--token", token])
        .output()
        .expect("the binary runs")
}

#[test]
fn a_token_does_what_its_role_allows_until_it_is_revoked() {
    let server = Server::start(&["--no-controllers"]);
    let create = [
        "token", "create", "watcher", "--role", "viewer", "--ttl", "24h",
    ];
    let made = run(server.folder.path(), &create);
    assert!(made.status.success(), "{}", stderr(&made));
    let token = String::from_utf8(made.stdout).unwrap();
    let token = token.trim();
    // Alone on stdout, so that a script can take it.
    assert!(token.starts_with("mir_") && !token.contains(char::is_whitespace));
    assert!(!server.log().contains(token));

    let seen = with_token(&server, token, &["get", "namespaces"]);
    assert!(seen.status.success(), "{}", stderr(&seen));
    let refused = with_token(&server, token, &["get", "secrets"]);
    assert!(
        stderr(&refused).contains("the token is limited to role viewer"),
        "{}",
        stderr(&refused)
    );

    let listed = server.does(&["token", "list"]);
    assert!(
        listed.contains("watcher") && listed.contains("role viewer"),
        "{listed}"
    );
    assert!(!listed.contains(token));
    let revoked = server.does(&["token", "revoke", "watcher"]);
    assert_eq!(revoked, "token.auth.mirage.dev/watcher revoked\n");
    let refused = with_token(&server, token, &["get", "namespaces"]);
    assert!(
        stderr(&refused).contains("does not know this token"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn somebody_else_gets_the_role_and_sees_their_own_tokens_only() {
    let server = Server::start(&["--no-controllers"]);
    let token = server.does(&[
        "token",
        "create",
        "bob",
        "--user",
        "bob",
        "--role",
        "editor",
        "--namespace",
        "default",
    ]);
    let token = token.trim();
    assert!(
        server
            .does(&["get", "rolebindings"])
            .contains("ClusterRole/editor")
    );
    let made = with_token(&server, token, &["get", "environments"]);
    assert!(made.status.success(), "{}", stderr(&made));
    // Limited to a namespace, it makes no tokens.
    let refused = with_token(&server, token, &["token", "create", "more"]);
    assert!(
        stderr(&refused).contains("cannot create resource \"tokens\""),
        "{}",
        stderr(&refused)
    );

    let free = server.does(&["token", "create", "bob-2", "--user", "bob"]);
    let listed = with_token(&server, free.trim(), &["token", "list", "-o", "name"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(
        listed,
        "token.auth.mirage.dev/bob\ntoken.auth.mirage.dev/bob-2\n"
    );
    let refused = with_token(
        &server,
        free.trim(),
        &["token", "create", "x", "--group", "system:masters"],
    );
    assert!(
        stderr(&refused).contains("forbidden"),
        "{}",
        stderr(&refused)
    );
}

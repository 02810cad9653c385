//! What somebody would try on purpose.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Asked, ask, complaint, good, paused, populated};
use crate::world::THINGS;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const JSON: &str = "application/json";

/// Asks all of it; none may be answered wrongly. Returns the codes.
fn codes(all: Vec<Asked>) -> Vec<u16> {
    let runtime = paused();
    let world = runtime.block_on(populated());
    let router = world.api.trusted_router("tester");
    all.iter()
        .map(|asked| {
            let Some(answer) = runtime.block_on(ask(&router, asked)) else {
                return 0;
            };
            assert_eq!(complaint(asked, &answer), None);
            answer.code
        })
        .collect()
}

fn code(asked: Asked) -> u16 {
    codes(vec![asked])[0]
}

fn map_with(field: &str, value: &str) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"big"{}}},{}}}"#,
        if field == "labels" {
            format!(r#","labels":{value}"#)
        } else {
            String::new()
        },
        if field == "labels" {
            r#""data":{}"#.to_owned()
        } else {
            format!(r#""{field}":{value}"#)
        },
    )
}

#[test]
fn a_body_of_ten_megabytes_is_too_large_in_every_form() {
    let big = map_with("data", &format!(r#"{{"a":"{}"}}"#, "x".repeat(10 << 20)));
    for (method, path, kind) in [
        ("POST", MAPS, JSON),
        ("POST", MAPS, "application/yaml"),
        ("POST", MAPS, "application/vnd.kubernetes.protobuf"),
        ("PUT", "/api/v1/namespaces/default/configmaps/web", JSON),
        (
            "PATCH",
            "/api/v1/namespaces/default/configmaps/web",
            "application/merge-patch+json",
        ),
        ("DELETE", "/api/v1/namespaces/default/configmaps/web", JSON),
    ] {
        assert_eq!(
            code(Asked::new(method, path, kind, big.clone())),
            413,
            "{method} {kind}"
        );
    }
}

#[test]
fn what_is_nested_too_deep_is_refused_and_does_not_break_the_stack() {
    for levels in [101, 1000, 100_000] {
        let array = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let object = format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
        for deep in [array, object] {
            for (method, path, kind) in [
                ("POST", MAPS, JSON),
                ("POST", MAPS, "application/yaml"),
                (
                    "PATCH",
                    "/api/v1/namespaces/default/configmaps/web",
                    "application/merge-patch+json",
                ),
                (
                    "PATCH",
                    "/api/v1/namespaces/default/configmaps/web",
                    "application/strategic-merge-patch+json",
                ),
                (
                    "PATCH",
                    "/api/v1/namespaces/default/configmaps/web",
                    "application/apply-patch+yaml",
                ),
            ] {
                let query = if kind.contains("apply") { "tester" } else { "" };
                let asked = Asked::new(method, path, kind, map_with("data", &deep))
                    .with("fieldManager", query);
                assert_eq!(code(asked), 400, "{levels} levels: {method} {kind}");
            }
            let patch = format!(r#"[{{"op":"add","path":"/data","value":{deep}}}]"#);
            let asked = Asked::new(
                "PATCH",
                "/api/v1/namespaces/default/configmaps/web",
                "application/json-patch+json",
                patch,
            );
            assert_eq!(code(asked), 400, "{levels} levels by JSON patch");
        }
    }
}

#[test]
fn yaml_that_multiplies_by_aliases_is_refused() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..12 {
        let before = vec![format!("*a{}", level - 1); 10].join(",");
        let _ = writeln!(bomb, "a{level}: &a{level} [{before}]");
    }
    assert_eq!(
        code(Asked::new("POST", MAPS, "application/yaml", bomb)),
        400
    );
}

#[test]
fn a_million_labels_are_answered() {
    let labels = |count: usize| {
        let all: Vec<String> = (0..count).map(|nth| format!(r#""l{nth}":"""#)).collect();
        format!("{{{}}}", all.join(","))
    };
    assert_eq!(
        code(Asked::new(
            "POST",
            MAPS,
            JSON,
            map_with("labels", &labels(1_000_000))
        )),
        413
    );
    // As many as fit into a body.
    let many = code(Asked::new(
        "POST",
        MAPS,
        JSON,
        map_with("labels", &labels(200_000)),
    ));
    assert!(many < 500);
    let patch = format!(r#"{{"metadata":{{"labels":{}}}}}"#, labels(100_000));
    let path = "/api/v1/namespaces/default/configmaps/web";
    assert!(
        code(Asked::new(
            "PATCH",
            path,
            "application/merge-patch+json",
            patch
        )) < 500
    );
}

#[test]
fn huge_addresses_and_selectors_are_answered() {
    let mut all = vec![
        Asked::get(&format!("{MAPS}/{}", "a".repeat(60_000))),
        Asked::get(&"/a".repeat(20_000)),
        Asked::get(&format!("/apis/{}", "%61".repeat(10_000))),
        Asked::get(MAPS).with("continue", "A".repeat(50_000)),
        Asked::get(MAPS).with("resourceVersion", "9".repeat(50_000)),
        Asked::get(MAPS).with("labelSelector", "a=b,".repeat(12_000)),
        Asked::get(MAPS).with(
            "labelSelector",
            format!("a in ({})", vec!["b"; 20_000].join(",")),
        ),
        Asked::get(MAPS).with("labelSelector", "(".repeat(30_000)),
        Asked::get(THINGS).with("fieldSelector", "metadata.name=web,".repeat(3000)),
    ];
    let mut many = Asked::get(MAPS);
    for nth in 0..5000 {
        many = many.with(&format!("p{nth}"), "x");
    }
    all.push(many);
    for code in codes(all) {
        // No URI of more than 64 KiB reaches a server.
        assert!(code == 0 || code < 500);
    }
}

#[test]
fn text_that_is_no_utf8_or_odd_is_answered() {
    let mut all = Vec::new();
    for odd in [
        "%00",
        "%ff",
        "%c0%80",
        "%ed%a0%80",
        "%f0%9f%a6%80",
        "%e2%80%ae",
        "%0d%0aX-A:%20b",
        "%2e%2e%2f%2e%2e",
        "a%00b",
    ] {
        for path in [
            format!("{MAPS}/{odd}"),
            format!("/api/v1/namespaces/{odd}/secrets"),
            format!("/apis/{odd}/v1/things"),
            format!("/{odd}"),
        ] {
            all.push(Asked::get(&path));
            all.push(Asked::new("DELETE", &path, "", ""));
        }
        for parameter in [
            "labelSelector",
            "fieldSelector",
            "continue",
            "resourceVersion",
            "fieldManager",
        ] {
            all.push(Asked::get(MAPS).with(parameter, odd));
        }
    }
    for bytes in [
        &b"\xff\xfe"[..],
        b"\xed\xa0\x80",
        b"{\"metadata\":{\"name\":\"\xff\"}}",
        b"\xef\xbb\xbf{}",
        b"\0",
        b"{\"a\":\"\\ud800\"}",
    ] {
        for kind in [
            JSON,
            "application/yaml",
            "application/vnd.kubernetes.protobuf",
        ] {
            all.push(Asked::new("POST", MAPS, kind, bytes));
        }
    }
    for name in [
        "\u{0}",
        "🦀",
        "a\u{202e}b",
        "A",
        "a/b",
        "..",
        "-",
        "a.",
        &"a".repeat(254),
    ] {
        all.push(Asked::new(
            "POST",
            MAPS,
            JSON,
            json!({"metadata": {"name": name}}).to_string(),
        ));
    }
    assert!(
        codes(all)
            .iter()
            .all(|code| *code == 0 || (400..500).contains(code) || *code == 200)
    );
}

#[test]
fn protobuf_that_is_cut_or_lies_about_lengths_is_refused() {
    let whole = good::protobuf();
    let mut all: Vec<Asked> = (0..whole.len())
        .map(|end| whole[..end].to_vec())
        .map(|cut| Asked::new("POST", MAPS, "application/vnd.kubernetes.protobuf", cut))
        .collect();
    for at in 0..whole.len() {
        for byte in [0x00, 0x7f, 0x80, 0xff] {
            let mut altered = whole.clone();
            altered[at] = byte;
            all.push(Asked::new(
                "POST",
                MAPS,
                "application/vnd.kubernetes.protobuf",
                altered,
            ));
        }
    }
    // A length of 2^63, and a number that never ends.
    for lie in [
        &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f][..],
        &[0xff; 64],
    ] {
        let bytes = [b"k8s\0".as_slice(), lie].concat();
        all.push(Asked::new(
            "POST",
            MAPS,
            "application/vnd.kubernetes.protobuf",
            bytes,
        ));
    }
    codes(all);
}

#[test]
fn continue_tokens_of_somebodys_own_making_are_refused() {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let runtime = paused();
    let world = runtime.block_on(populated());
    for name in ["a", "b"] {
        runtime.block_on(world.ask("POST", MAPS, json!({"metadata": {"name": name}})));
    }
    let (_, page) = runtime.block_on(world.get(&format!("{MAPS}?limit=1")));
    let token = page["metadata"]["continue"].as_str().unwrap().to_owned();
    let mut tokens: Vec<String> = (0..token.len())
        .map(|end| token[..end].to_owned())
        .collect();
    for at in 0..token.len() {
        let mut altered = token.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        tokens.push(String::from_utf8(altered).unwrap());
    }
    let own = [
        json!(null),
        json!([]),
        json!({"v": -1}),
        json!({"rv": "x", "start": 1}),
        json!({"v": "meta.k8s.io/v1", "rv": u64::MAX, "start": "\u{0}"}),
    ];
    for value in own {
        tokens.push(STANDARD.encode(value.to_string()));
        tokens.push(URL_SAFE_NO_PAD.encode(value.to_string()));
    }
    let router = world.api.trusted_router("tester");
    for token in tokens {
        for limit in ["1", "0", "18446744073709551615"] {
            let asked = Asked::get(MAPS)
                .with("continue", token.clone())
                .with("limit", limit);
            let answer = runtime.block_on(ask(&router, &asked)).unwrap();
            assert_eq!(complaint(&asked, &answer), None);
        }
    }
}

#[test]
fn versions_from_nowhere_are_answered() {
    let mut all = Vec::new();
    for version in [
        "",
        "0",
        "-1",
        "1",
        "abc",
        "1.0",
        " 1",
        "18446744073709551615",
        "18446744073709551616",
        "9223372036854775808",
        "00000000000000000001",
    ] {
        for matching in ["", "Exact", "NotOlderThan", "Whatever"] {
            for watch in ["", "true", "1", "yes"] {
                all.push(
                    Asked::get(THINGS)
                        .with("resourceVersion", version)
                        .with("resourceVersionMatch", matching)
                        .with("watch", watch)
                        .with("timeoutSeconds", "1"),
                );
            }
        }
        let mut object = crate::world::thing("web", 2);
        object["metadata"]["resourceVersion"] = json!(version);
        all.push(Asked::new(
            "PUT",
            &format!("{THINGS}/web"),
            JSON,
            object.to_string(),
        ));
        let options: Value = json!({"preconditions": {"resourceVersion": version}});
        all.push(
            Asked::new(
                "DELETE",
                &format!("{THINGS}/web"),
                JSON,
                options.to_string(),
            )
            .with("dryRun", "All"),
        );
    }
    codes(all);
}

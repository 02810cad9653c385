//! What an object was and what it became, short and without secrets. Pure.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::fingerprint::FingerprintKey;
use crate::auth::TOKENS;

/// Bytes of values that one record holds at most, about: whole manifests fit, and a list of ten thousand does not.
const LARGEST: usize = 16 * 1024;

/// Longer texts are cut.
const LONGEST_TEXT: usize = 1024;

/// Client-side `kubectl apply` keeps the whole manifest here.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// One field that a write changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Change {
    /// `spec.services.web.deploy.replicas`, `status.conditions[0].status`, `metadata.annotations[mirage.dev/approve]`.
    pub path: String,
    /// Absent when there was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// Absent when there is nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// How a field may be shown.
enum Shown {
    AsItIs,
    /// Nobody's business.
    AsFingerprint,
    /// Says nothing: bookkeeping of the protocol.
    Never,
}

fn shown(resource: &str, path: &[&str]) -> Shown {
    match (resource, path) {
        (_, ["metadata", "managedFields" | "resourceVersion"]) => Shown::Never,
        // Of a Secret it holds the values; of anything else it repeats what is there.
        (_, ["metadata", "annotations", LAST_APPLIED]) => Shown::AsFingerprint,
        ("secrets", ["data" | "stringData", _]) => Shown::AsFingerprint,
        (TOKENS, [.., "hash" | "token"]) => Shown::AsFingerprint,
        _ => Shown::AsItIs,
    }
}

/// Whether objects of the resource hold anything that needs a key to be shown.
pub(super) fn holds_secrets(resource: &str) -> bool {
    matches!(resource, "secrets" | TOKENS)
}

/// Looks at objects of one place, and keeps count of how much it has shown.
pub(super) struct Eye<'a> {
    resource: &'a str,
    /// Into fingerprints, so that two objects' do not compare.
    place: String,
    /// `None` where nothing is to be fingerprinted but what says nothing by itself.
    key: Option<&'a FingerprintKey>,
    left: usize,
    is_cut: bool,
}

impl<'a> Eye<'a> {
    pub(super) fn on(
        resource: &'a str,
        namespace: &str,
        name: &str,
        key: Option<&'a FingerprintKey>,
    ) -> Self {
        Self {
            resource,
            place: format!("{resource}/{namespace}/{name}"),
            key,
            left: LARGEST,
            is_cut: false,
        }
    }

    /// Whether something was left out because there was too much.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The object as it may be shown.
    pub(super) fn whole(&mut self, object: &Value) -> Value {
        self.show(&mut Vec::new(), object).unwrap_or_default()
    }

    /// The fields in which the two differ, in order of their paths.
    pub(super) fn changes(&mut self, before: &Value, after: &Value) -> Vec<Change> {
        let mut changes = Vec::new();
        self.compare(&mut Vec::new(), Some(before), Some(after), &mut changes);
        changes
    }

    fn compare<'v>(
        &mut self,
        path: &mut Vec<&'v str>,
        before: Option<&'v Value>,
        after: Option<&'v Value>,
        changes: &mut Vec<Change>,
    ) {
        if before == after {
            return;
        }
        match (shown(self.resource, path), before, after) {
            (Shown::Never, ..) => {}
            (Shown::AsItIs, Some(Value::Object(before)), Some(Value::Object(after))) => {
                let fields: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
                for field in fields {
                    path.push(field);
                    self.compare(path, before.get(field), after.get(field), changes);
                    path.pop();
                }
            }
            // Of one length they are most often the same items, and one of them changed.
            (Shown::AsItIs, Some(Value::Array(before)), Some(Value::Array(after)))
                if before.len() == after.len() && before.len() <= INDEXES.len() =>
            {
                for (index, (before, after)) in INDEXES.iter().zip(before.iter().zip(after)) {
                    path.push(index);
                    self.compare(path, Some(before), Some(after), changes);
                    path.pop();
                }
            }
            (Shown::AsItIs | Shown::AsFingerprint, ..) => {
                if self.left == 0 {
                    self.is_cut = true;
                    return;
                }
                let text = written(path);
                self.spend(text.len());
                let before = before.and_then(|value| self.show(path, value));
                let after = after.and_then(|value| self.show(path, value));
                changes.push(Change {
                    path: text,
                    before,
                    after,
                });
            }
        }
    }

    fn show<'v>(&mut self, path: &mut Vec<&'v str>, value: &'v Value) -> Option<Value> {
        match shown(self.resource, path) {
            Shown::Never => None,
            Shown::AsFingerprint => Some(self.fingerprint(path, value)),
            Shown::AsItIs => Some(match value {
                Value::Object(fields) => Value::Object(self.fields(path, fields)),
                Value::Array(items) => Value::Array(self.items(path, items)),
                Value::String(text) => self.text(text),
                scalar => {
                    self.spend(8);
                    scalar.clone()
                }
            }),
        }
    }

    fn fields<'v>(
        &mut self,
        path: &mut Vec<&'v str>,
        fields: &'v Map<String, Value>,
    ) -> Map<String, Value> {
        let mut out = Map::new();
        for (position, (field, value)) in fields.iter().enumerate() {
            if self.left == 0 {
                self.is_cut = true;
                let more = fields.len() - position;
                out.insert("…".to_owned(), json!(format!("{more} more fields")));
                break;
            }
            path.push(field);
            if let Some(value) = self.show(path, value) {
                self.spend(field.len());
                out.insert(field.clone(), value);
            }
            path.pop();
        }
        out
    }

    fn items<'v>(&mut self, path: &mut Vec<&'v str>, items: &'v [Value]) -> Vec<Value> {
        let mut out = Vec::new();
        path.push("");
        for (position, item) in items.iter().enumerate() {
            if self.left == 0 {
                self.is_cut = true;
                let more = items.len() - position;
                out.push(json!(format!("… {more} more items")));
                break;
            }
            out.extend(self.show(path, item));
        }
        path.pop();
        out
    }

    fn text(&mut self, text: &str) -> Value {
        let longest = LONGEST_TEXT.min(self.left);
        let mut chars = text.char_indices();
        match chars.nth(longest) {
            None => {
                self.spend(text.len());
                json!(text)
            }
            Some((end, _)) => {
                self.is_cut = true;
                self.spend(end);
                let more = chars.count() + 1;
                json!(format!("{}… {more} more characters", &text[..end]))
            }
        }
    }

    fn fingerprint(&mut self, path: &[&str], value: &Value) -> Value {
        self.spend(32);
        match self.key {
            Some(key) => key.fingerprint(&format!("{} {}", self.place, written(path)), value),
            None => json!("not shown"),
        }
    }

    fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }
}

/// Positions in lists as path segments; a list that is longer is compared whole.
const INDEXES: [&str; 32] = [
    "[0]", "[1]", "[2]", "[3]", "[4]", "[5]", "[6]", "[7]", "[8]", "[9]", "[10]", "[11]", "[12]",
    "[13]", "[14]", "[15]", "[16]", "[17]", "[18]", "[19]", "[20]", "[21]", "[22]", "[23]", "[24]",
    "[25]", "[26]", "[27]", "[28]", "[29]", "[30]", "[31]",
];

/// The path as people write it.
fn written(path: &[&str]) -> String {
    let mut text = String::new();
    for segment in path {
        if INDEXES.contains(segment) {
            text.push_str(segment);
        } else if segment.contains(['.', '[', ']']) {
            // Writing to a String does not fail.
            let _ = write!(text, "[{segment}]");
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(segment);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> FingerprintKey {
        FingerprintKey::new(&[7; 32])
    }

    fn changes(resource: &str, before: Value, after: Value) -> Value {
        let key = key();
        let mut eye = Eye::on(resource, "default", "x", Some(&key));
        json!(eye.changes(&before, &after))
    }

    #[test]
    fn only_what_differs_is_a_change_and_bookkeeping_is_none() {
        let before = json!({
            "metadata": {"managedFields": [1], "generation": 1, "annotations": {"mirage.dev/approve": "a"}},
            "spec": {"services": {"web": {"replicas": 1, "image": "nginx"}}},
            "status": {"conditions": [{"type": "Ready", "status": "False"}, {"type": "Synced", "status": "True"}]},
        });
        let after = json!({
            "metadata": {"managedFields": [2], "generation": 2, "annotations": {}},
            "spec": {"services": {"web": {"replicas": 3, "image": "nginx"}, "db": {"engine": "postgres"}}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Synced", "status": "True"}]},
        });
        let expected = json!([
            {"path": "metadata.annotations[mirage.dev/approve]", "before": "a"},
            {"path": "metadata.generation", "before": 1, "after": 2},
            {"path": "spec.services.db", "after": {"engine": "postgres"}},
            {"path": "spec.services.web.replicas", "before": 1, "after": 3},
            {"path": "status.conditions[0].status", "before": "False", "after": "True"},
        ]);
        assert_eq!(changes("environments.mirage.dev", before, after), expected);
    }

    #[test]
    fn lists_of_other_lengths_are_changed_whole() {
        let found = changes("x", json!({"a": [1, 2]}), json!({"a": [1, 2, 3]}));
        let expected = json!([{"path": "a", "before": [1, 2], "after": [1, 2, 3]}]);
        assert_eq!(found, expected);
        let null = changes("x", json!({"a": null}), json!({}));
        assert_eq!(null, json!([{"path": "a", "before": null}]));
    }

    #[test]
    fn a_secret_shows_that_it_changed_and_not_to_what() {
        let secret = |value: &str, applied: &str| {
            json!({"metadata": {"annotations": {LAST_APPLIED: applied, "team": "web"}},
                "data": {"password": value, "user": "YWxpY2U="}, "type": "Opaque"})
        };
        let found = changes(
            "secrets",
            secret("aHVudGVyMg==", "hunter2"),
            secret("b3RoZXI=", "other"),
        );
        let text = found.to_string();
        for needle in ["hunter2", "aHVudGVyMg", "other", "b3RoZXI"] {
            assert!(!text.contains(needle), "{text}");
        }
        let paths: Vec<_> = found
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["path"].as_str().unwrap())
            .collect();
        assert_eq!(
            paths,
            [
                "data.password",
                &format!("metadata.annotations[{LAST_APPLIED}]")
            ]
        );
        assert_ne!(found[0]["before"], found[0]["after"]);

        let key = key();
        let whole = Eye::on("secrets", "default", "x", Some(&key))
            .whole(&secret("aHVudGVyMg==", "hunter2"));
        assert_eq!(
            whole["data"]["password"], found[0]["before"],
            "one value, one fingerprint"
        );
        assert_eq!(whole["metadata"]["annotations"]["team"], "web");
        assert_ne!(whole["data"]["user"], "YWxpY2U=");
        let elsewhere =
            Eye::on("secrets", "team", "x", Some(&key)).whole(&secret("aHVudGVyMg==", "hunter2"));
        assert_ne!(
            elsewhere["data"], whole["data"],
            "two places do not compare"
        );
    }

    #[test]
    fn the_last_applied_manifest_is_never_repeated_nor_a_tokens_hash() {
        let object = json!({"metadata": {"annotations": {LAST_APPLIED: "{}"}}, "hash": "abc", "spec": {"hash": "abc"}});
        let whole = Eye::on("environments.mirage.dev", "", "x", None).whole(&object);
        assert_eq!(whole["metadata"]["annotations"][LAST_APPLIED], "not shown");
        assert_eq!(whole["spec"]["hash"], "abc");
        let token = Eye::on(TOKENS, "", "x", None).whole(&object);
        assert_eq!(
            (&token["hash"], &token["spec"]["hash"]),
            (&json!("not shown"), &json!("not shown"))
        );
    }

    #[test]
    fn what_is_too_much_is_cut_and_says_so() {
        let long = "é".repeat(LONGEST_TEXT + 5);
        let mut eye = Eye::on("x", "", "", None);
        let whole = eye.whole(&json!({ "a": long }));
        assert!(eye.is_cut());
        assert!(
            whole["a"]
                .as_str()
                .unwrap()
                .ends_with("é… 5 more characters")
        );

        let many: Value = (0..10_000)
            .map(|n| json!({"name": format!("item-{n}")}))
            .collect();
        let mut eye = Eye::on("x", "", "", None);
        let whole = eye.whole(&json!({ "a": many, "b": 1 }));
        assert!(eye.is_cut());
        assert!(
            whole.to_string().len() < 3 * LARGEST,
            "{}",
            whole.to_string().len()
        );
        assert_eq!(whole["…"], "1 more fields");
        let mut eye = Eye::on("x", "", "", None);
        let grown: Value = (0..10_000)
            .map(|n| (format!("f{n}"), json!(n)))
            .collect::<Map<_, _>>()
            .into();
        assert!(eye.changes(&json!({}), &grown).len() < 10_000);
        assert!(eye.is_cut());
    }

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            "canary[a-z]{0,3}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let key = prop_oneof![
                "[a-c]",
                Just("metadata".to_owned()),
                Just("annotations".to_owned()),
                Just(LAST_APPLIED.to_owned())
            ];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(key, inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn equal_objects_have_no_changes_and_others_have_some(a in document(), b in document()) {
            let mut eye = Eye::on("x", "", "", None);
            prop_assert!(eye.changes(&a, &a).is_empty());
            let strip = |value: &Value| Eye::on("x", "", "", None).whole(value);
            if strip(&a) != strip(&b) {
                prop_assert!(!eye.changes(&a, &b).is_empty());
            }
        }

        #[test]
        fn nothing_under_a_secrets_values_is_ever_shown(a in document(), b in document(), name in "[a-c]") {
            let key = key();
            let secret = |value: &Value| json!({"data": {&name: value}, "stringData": {&name: value}});
            let mut eye = Eye::on("secrets", "default", "x", Some(&key));
            let text = format!("{} {}", json!(eye.changes(&secret(&a), &secret(&b))), eye.whole(&secret(&a)));
            prop_assert!(!text.contains("canary"), "{}", text);
            let sudden = format!("{}", json!(eye.changes(&json!({}), &secret(&b))));
            prop_assert!(!sudden.contains("canary"), "{}", sudden);
        }
    }
}

//! A planted value, and every disguise in which it might come out.

use anyhow::{Result, ensure};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// A secret and where it was planted.
#[derive(Clone)]
pub struct Needle {
    /// Where it was planted; the value itself is never shown, not even by a failing test.
    pub planted: String,
    forms: Vec<(String, Vec<u8>)>,
}

impl Needle {
    /// Of a value that was planted there.
    ///
    /// # Errors
    /// It is too short to be told from chance.
    pub fn new(planted: &str, value: &str) -> Result<Self> {
        ensure!(
            value.len() >= 12,
            "{planted}: a value this short is found by chance"
        );
        let mut forms: Vec<(String, Vec<u8>)> = vec![("plain".to_owned(), value.into())];
        let mut add = |name: &str, text: String| {
            if forms.iter().all(|(_, known)| known != text.as_bytes()) {
                forms.push((name.to_owned(), text.into_bytes()));
            }
        };
        add("hex", hex::encode(value));
        add("upper case hex", hex::encode_upper(value));
        add(
            "JSON",
            serde_json::to_string(value)?.trim_matches('"').to_owned(),
        );
        add("Debug", format!("{value:?}").trim_matches('"').to_owned());
        add(
            "form",
            url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
        );
        add("percent", percent(value));
        add(
            "UTF-16",
            value.chars().flat_map(|letter| [letter, '\0']).collect(),
        );
        // Base64 of a text in which the value stands: which letters it becomes depends on what stands before it, in
        // three ways, and its first and last letters are mixed with the neighbours'.
        for before in 0..3 {
            let padded = [vec![b'x'; before], value.into()].concat();
            for (name, engine) in [
                ("base64", &STANDARD_NO_PAD),
                ("URL-safe base64", &URL_SAFE_NO_PAD),
            ] {
                let text = engine.encode(&padded);
                let inner = &text[(before * 8).div_ceil(6)..padded.len() * 8 / 6];
                add(&format!("{name} after {before}"), inner.to_owned());
            }
        }
        Ok(Self {
            planted: planted.to_owned(),
            forms,
        })
    }

    /// Holds a haystack to be free of it.
    ///
    /// # Errors
    /// It is there; says in which form and where, and shows what stands around it without it.
    pub fn absent(&self, place: &str, haystack: &[u8]) -> Result<()> {
        for (form, bytes) in &self.forms {
            if let Some(at) = find(haystack, bytes) {
                let before =
                    String::from_utf8_lossy(&haystack[at.saturating_sub(80)..at]).into_owned();
                anyhow::bail!(
                    "{} came out in {place}, {form}, after {before:?}",
                    self.planted
                );
            }
        }
        Ok(())
    }

    /// Whether it is there in the clear.
    pub fn is_in(&self, haystack: &str) -> bool {
        self.forms
            .first()
            .is_some_and(|(_, value)| find(haystack.as_bytes(), value).is_some())
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

fn percent(value: &str) -> String {
    value
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    #[test]
    fn every_disguise_is_seen_through() {
        let value = "kéy/4f1c+\"9e7b\"=&%";
        let needle = Needle::new("here", value).unwrap();
        let disguises = [
            value.to_owned(),
            STANDARD.encode(value),
            STANDARD.encode(format!("token: {value}, more")),
            STANDARD.encode(format!("tokens: {value}, more")),
            URL_SAFE.encode(format!("token: {value}")),
            hex::encode(value),
            serde_json::json!({ "log": value }).to_string(),
            format!("{:?}", Some(value)),
            url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
        ];
        for disguise in disguises {
            assert!(
                needle.absent("the test", disguise.as_bytes()).is_err(),
                "{disguise}"
            );
        }
        needle.absent("the test", b"nothing of the kind").unwrap();
    }
}

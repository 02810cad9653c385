//! Spans of time as people write them: `90s`, `30m`, `24h`, `7d`, `1h30m`.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time in whole seconds, written with the units `s`, `m`, `h`, `d` and `w`, largest first.
///
/// Zero is not a span. Parsing refuses signs, fractions and a bare number, whose unit a reader would have to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(Duration);

/// Why a text is not a [`Span`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a length of time: write for example \"90s\", \"30m\", \"24h\" or \"7d\"")]
pub struct InvalidSpan {
    text: String,
}

/// What a span looks like; alone it would also let the empty text through.
pub(crate) const PATTERN: &str = "^([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$";

const UNITS: [(char, u64); 5] = [
    ('w', 7 * 24 * 3600),
    ('d', 24 * 3600),
    ('h', 3600),
    ('m', 60),
    ('s', 1),
];

impl Span {
    /// A span of whole seconds; `None` for zero.
    pub fn from_secs(seconds: u64) -> Option<Self> {
        (seconds > 0).then(|| Self(Duration::from_secs(seconds)))
    }

    /// The same as a standard duration.
    pub fn duration(self) -> Duration {
        self.0
    }

    /// Whole seconds.
    pub fn as_secs(self) -> u64 {
        self.0.as_secs()
    }
}

impl FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, InvalidSpan> {
        let invalid = || InvalidSpan {
            text: text.to_owned(),
        };
        let mut seconds: u64 = 0;
        let mut number: Option<u64> = None;
        let mut smallest = u64::MAX;
        for character in text.chars() {
            if let Some(digit) = character.to_digit(10) {
                let next = number
                    .unwrap_or(0)
                    .checked_mul(10)
                    .and_then(|n| n.checked_add(digit.into()));
                number = Some(next.ok_or_else(invalid)?);
                continue;
            }
            let (_, unit) = UNITS
                .iter()
                .find(|(name, _)| *name == character)
                .ok_or_else(invalid)?;
            let count = number.take().ok_or_else(invalid)?;
            if *unit >= smallest {
                return Err(invalid());
            }
            smallest = *unit;
            seconds = count
                .checked_mul(*unit)
                .and_then(|n| seconds.checked_add(n))
                .ok_or_else(invalid)?;
        }
        match number {
            None => Self::from_secs(seconds).ok_or_else(invalid),
            Some(_) => Err(invalid()),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.as_secs();
        for (name, unit) in UNITS {
            if rest >= unit {
                write!(f, "{}{name}", rest / unit)?;
                rest %= unit;
            }
        }
        Ok(())
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": PATTERN,
            "description": "A length of time such as 90s, 30m, 24h or 7d."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_and_print_as_written() {
        for (text, seconds) in [
            ("90s", 90),
            ("30m", 1800),
            ("24h", 86_400),
            ("7d", 604_800),
            ("1h30m", 5400),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.as_secs(), seconds, "{text}");
            assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }
    }

    #[test]
    fn what_is_not_a_span_is_refused() {
        for text in [
            "",
            "0s",
            "-1h",
            "12",
            "1.5h",
            "h",
            "1m1h",
            "99999999999999999999d",
            "1h1h",
            "1 h",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}

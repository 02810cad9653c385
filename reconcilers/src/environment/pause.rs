//! Who stopped an environment, why, and until when. Pure.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use mirage_specs::wake::{SUSPEND_REASON, SUSPEND_UNTIL, SUSPENDED_BY};

use super::effective::Effective;

/// What people wrote beside `spec.suspend`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pause {
    /// Who.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// From when on it counts as over.
    pub until: Option<Timestamp>,
}

/// Reads the annotations. A time that cannot be read is none: better stopped for too long than started by mistake.
pub fn pause(annotations: Option<&BTreeMap<String, String>>) -> Pause {
    let of = |name: &str| {
        let text = annotations?.get(name)?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    Pause {
        by: of(SUSPENDED_BY),
        reason: of(SUSPEND_REASON),
        until: of(SUSPEND_UNTIL).and_then(|text| text.parse().ok()),
    }
}

impl Effective {
    /// The same as it counts at a time: a pause whose time is over is none.
    pub fn at(mut self, now: Timestamp) -> Self {
        self.suspend &= self.pause.until.is_none_or(|until| now < until);
        self
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("suspended")?;
        if let Some(by) = &self.by {
            write!(f, " by {by}")?;
        }
        match self.until {
            Some(until) => write!(f, " until {until}")?,
            None => f.write_str(" until spec.suspend is taken away")?,
        }
        if let Some(reason) = &self.reason {
            write!(f, ": {reason}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_says_who_why_and_until_when() {
        let annotations = [
            (SUSPENDED_BY, "ada"),
            (SUSPEND_REASON, "the database is moved"),
            (SUSPEND_UNTIL, "2026-11-21T12:00:00Z"),
        ];
        let annotations = annotations.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let pause = pause(Some(&BTreeMap::from(annotations)));
        assert_eq!(
            pause.to_string(),
            "suspended by ada until 2026-11-21T12:00:00Z: the database is moved"
        );
        assert_eq!(
            super::pause(None).to_string(),
            "suspended until spec.suspend is taken away"
        );
    }
}

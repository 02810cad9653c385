//! How long ago, in the two largest units that matter.

use jiff::Timestamp;

/// `12s`, `5m`, `3h`, `2d`: from `then` until `now`; a moment ahead of `now` counts as `0s`.
pub(in crate::cli) fn since(then: Timestamp, now: Timestamp) -> String {
    span(now.as_second() - then.as_second())
}

/// `in 3h`, or `now` when it has come.
pub(super) fn until(then: Timestamp, now: Timestamp) -> String {
    match then.as_second() - now.as_second() {
        ahead if ahead > 0 => format!("in {}", span(ahead)),
        _ => "now".to_owned(),
    }
}

fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=599 if seconds % 60 != 0 => format!("{minutes}m{}s", seconds % 60),
        120..=7199 => format!("{minutes}m"),
        7200..=172_799 => format!("{hours}h"),
        _ => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_keep_the_units_that_matter() {
        for (seconds, text) in [
            (-5, "0s"),
            (0, "0s"),
            (119, "119s"),
            (125, "2m5s"),
            (180, "3m"),
            (3600, "60m"),
            (7200, "2h"),
            (172_800, "2d"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}

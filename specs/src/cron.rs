//! Cron schedules as Railway takes them: five fields, UTC, at least five minutes between runs (Railway docs: cron jobs).

/// Railway starts a cron service no more often than this.
const SHORTEST_GAP_MINUTES: u32 = 5;

/// Why a text is not a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCron {
    /// Not five fields.
    #[error(
        "a schedule has five fields (minute hour day-of-month month day-of-week), this has {0}"
    )]
    Fields(usize),
    /// One field cannot be read.
    #[error("{field:?} is not a valid {name} ({from}-{to})")]
    Field {
        /// The field as written.
        field: String,
        /// Which of the five.
        name: &'static str,
        /// Smallest value.
        from: u32,
        /// Largest value.
        to: u32,
    },
    /// Two runs too near to each other.
    #[error("runs {0} minutes apart; Railway needs at least 5")]
    TooOften(u32),
}

const FIELDS: [(&str, u32, u32, &[&str]); 5] = [
    ("minute", 0, 59, &[]),
    ("hour", 0, 23, &[]),
    ("day of month", 1, 31, &[]),
    (
        "month",
        1,
        12,
        &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    ),
    (
        "day of week",
        0,
        7,
        &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    ),
];

/// Whether `text` is a schedule that Railway would take.
///
/// # Errors
/// What is wrong with it.
pub fn check_cron(text: &str) -> Result<(), InvalidCron> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(InvalidCron::Fields(fields.len()));
    }
    let mut values = Vec::with_capacity(FIELDS.len());
    for (field, (name, from, to, words)) in fields.iter().zip(FIELDS) {
        values.push(
            parse_field(field, from, to, words).ok_or_else(|| InvalidCron::Field {
                field: (*field).to_owned(),
                name,
                from,
                to,
            })?,
        );
    }
    match shortest_gap(&values[0], &values[1]) {
        Some(gap) if gap < SHORTEST_GAP_MINUTES => Err(InvalidCron::TooOften(gap)),
        _ => Ok(()),
    }
}

/// The sorted values a field stands for.
fn parse_field(field: &str, from: u32, to: u32, words: &[&str]) -> Option<Vec<u32>> {
    let number = |text: &str| -> Option<u32> {
        let lowered = text.to_lowercase();
        let value = match words.iter().position(|word| *word == lowered) {
            Some(position) => from + u32::try_from(position).ok()?,
            None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok()?,
            None => return None,
        };
        (from..=to).contains(&value).then_some(value)
    };
    let mut values = Vec::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<u32>().ok().filter(|s| *s > 0)?)),
            None => (part, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (from, to),
            Some((first, last)) => (number(first)?, number(last)?),
            None if step.is_some() => (number(range)?, to),
            None => (number(range)?, number(range)?),
        };
        if first > last {
            return None;
        }
        values.extend((first..=last).step_by(usize::try_from(step.unwrap_or(1)).ok()?));
    }
    values.sort_unstable();
    values.dedup();
    Some(values)
}

/// Fewest minutes between two runs on days that follow each other; `None` with less than two runs.
fn shortest_gap(minutes: &[u32], hours: &[u32]) -> Option<u32> {
    const DAY: u32 = 24 * 60;
    let runs: Vec<u32> = hours
        .iter()
        .flat_map(|hour| minutes.iter().map(move |minute| hour * 60 + minute))
        .collect();
    let next_day = runs.first().map(|first| first + DAY);
    runs.iter()
        .zip(runs.iter().skip(1).copied().chain(next_day))
        .map(|(run, next)| next - run)
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_that_railway_takes() {
        for text in [
            "*/5 * * * *",
            "0 3 * * *",
            "15,45 8-18 * * mon-fri",
            "0 0 1 jan,jul *",
            "0/10 * * * 7",
            "58 23 * * *",
        ] {
            assert_eq!(check_cron(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn schedules_that_run_too_often_say_how_often() {
        for (text, gap) in [
            ("* * * * *", 1),
            ("*/4 * * * *", 4),
            ("0,58 * * * *", 2),
            ("0,3 4 * * *", 3),
            ("0,57 0,23 * * *", 3),
        ] {
            assert_eq!(check_cron(text), Err(InvalidCron::TooOften(gap)), "{text}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        assert_eq!(check_cron("0 3 * *"), Err(InvalidCron::Fields(4)));
        assert_eq!(check_cron("@daily"), Err(InvalidCron::Fields(1)));
        for text in [
            "60 * * * *",
            "0 24 * * *",
            "0 0 0 * *",
            "0 0 * 13 *",
            "0 0 * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "0 0 L * *",
        ] {
            assert!(
                matches!(check_cron(text), Err(InvalidCron::Field { .. })),
                "{text}"
            );
        }
    }
}

//! Which of many like records are worth the disk. Pure: time is passed in.
//!
//! The first of its sort goes through at once. What is like it within a minute is counted, and becomes one record at the
//! minute's end. Someone who varies what they ask for to escape that has a share of such sorts, and all together have
//! one too; what is beyond is counted for them as a whole. So records come at a bounded rate, whatever requests do.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::Record;

/// How long repetitions are counted before they become a record.
const WINDOW: Duration = Duration::from_secs(60);

/// How many sorts are told apart within a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// From one user at one address.
    pub(super) of_one: usize,
    /// From everyone.
    pub(super) of_all: usize,
}

/// At about 600 bytes a record and two records a sort and minute, at most 16 + 64 + 1 sorts, a month of the worst attack
/// fills 2 · 81 · 600 · 1440 · 30 bytes = 4.2 GB, and one from a single address a quarter of that.
pub(super) const REFUSALS: Limits = Limits {
    of_one: 16,
    of_all: 64,
};

/// Whoever reads secrets has shown who they are: they get more.
pub(super) const DISCLOSURES: Limits = Limits {
    of_one: 500,
    of_all: 2000,
};

/// As many sources are counted as a whole; those beyond them, all together.
const SOURCES: usize = 16;

/// Who, and from where.
type Source = (String, Option<IpAddr>);

/// What makes two records alike. Not the program's name, which whoever asks makes up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Sort {
    source: Source,
    token: Option<String>,
    verb: String,
    what: [String; 5],
    code: u16,
    reason: String,
}

impl Sort {
    fn of(record: &Record) -> Self {
        let what = [
            &record.resource,
            &record.namespace,
            &record.name,
            &record.subresource,
            &record.path,
        ];
        Self {
            source: source(record),
            token: record.user.token.clone(),
            verb: record.verb.clone(),
            what: what.map(String::clone),
            code: record.outcome.code,
            reason: record.outcome.reason.clone(),
        }
    }
}

fn source(record: &Record) -> Source {
    (record.user.name.clone(), record.from.address)
}

/// Repetitions that are being counted.
#[derive(Debug)]
struct Counted {
    /// The last of them; the time of the first is kept in it.
    record: Record,
    count: u64,
    until: Instant,
}

impl Counted {
    fn from(record: Record, now: Instant) -> Self {
        Self {
            record,
            count: 0,
            until: now + WINDOW,
        }
    }

    fn add(&mut self, record: Record) {
        let first_time = match self.count {
            0 => record.time,
            _ => self.record.first_time.unwrap_or(self.record.time),
        };
        self.count += 1;
        self.record = record;
        self.record.first_time = Some(first_time);
    }

    /// Nothing when nothing was repeated.
    fn into_record(self) -> Option<Record> {
        (self.count > 0).then_some(Record {
            count: Some(self.count),
            ..self.record
        })
    }
}

/// Counts what repeats.
#[derive(Debug)]
pub(super) struct Guard {
    limits: Limits,
    sorts: HashMap<Sort, Counted>,
    sources: HashMap<Source, Counted>,
    rest: Option<Counted>,
}

impl Guard {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            sorts: HashMap::new(),
            sources: HashMap::new(),
            rest: None,
        }
    }

    /// The record, if it is to be written now; else it has been counted.
    pub(super) fn pass(&mut self, record: Record, now: Instant) -> Option<Record> {
        let sort = Sort::of(&record);
        if let Some(counted) = self.sorts.get_mut(&sort) {
            counted.add(record);
            return None;
        }
        let of_one = self
            .sorts
            .keys()
            .filter(|known| known.source == sort.source)
            .count();
        if of_one < self.limits.of_one && self.sorts.len() < self.limits.of_all {
            let counted = Counted::from(record.clone(), now);
            self.sorts.insert(sort, counted);
            return Some(record);
        }
        let blurred = blurred(record);
        if self.sources.contains_key(&sort.source) || self.sources.len() < SOURCES {
            self.sources
                .entry(sort.source)
                .or_insert_with(|| Counted::from(blurred.clone(), now))
                .add(blurred);
        } else {
            let anybody = Record {
                user: Default::default(),
                from: Default::default(),
                ..blurred
            };
            self.rest
                .get_or_insert_with(|| Counted::from(anybody.clone(), now))
                .add(anybody);
        }
        None
    }

    /// What was counted in windows that have ended.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Record> {
        let is_over = |counted: &Counted| counted.until <= now;
        let sorts = self.sorts.extract_if(|_, counted| is_over(counted));
        let sorts = sorts.map(|(_, counted)| counted);
        let sources = self.sources.extract_if(|_, counted| is_over(counted));
        let sources = sources.map(|(_, counted)| counted);
        let rest = self.rest.take_if(|counted| is_over(counted));
        let mut records: Vec<Record> = sorts
            .chain(sources)
            .chain(rest)
            .filter_map(Counted::into_record)
            .collect();
        records.sort_by_key(|record| record.time);
        records
    }

    /// When the next window ends.
    pub(super) fn next(&self) -> Option<Instant> {
        let all = self.sorts.values().chain(self.sources.values());
        all.chain(&self.rest).map(|counted| counted.until).min()
    }

    /// Everything that was counted, whether its window has ended or not.
    pub(super) fn drain(&mut self) -> Vec<Record> {
        match self
            .sorts
            .values()
            .chain(self.sources.values())
            .chain(&self.rest)
            .map(|it| it.until)
            .max()
        {
            Some(last) => self.due(last),
            None => Vec::new(),
        }
    }
}

/// What stands for many sorts says none of them.
fn blurred(record: Record) -> Record {
    let mut record = Record {
        verb: "*".to_owned(),
        resource: String::new(),
        namespace: String::new(),
        name: String::new(),
        subresource: String::new(),
        path: String::new(),
        ..record
    };
    record.outcome.message =
        "more of different kinds than are told apart within a minute".to_owned();
    record
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use jiff::{Timestamp, ToSpan as _};

    use super::super::{Client, Outcome, User};
    use super::*;

    fn refusal(user: &str, address: [u8; 4], name: &str, second: i64) -> Record {
        Record {
            sequence: None,
            time: Timestamp::UNIX_EPOCH + second.seconds(),
            audit_id: format!("{user}-{second}"),
            user: User {
                name: user.to_owned(),
                ..User::default()
            },
            from: Client {
                address: Some(address.into()),
                agent: String::new(),
            },
            verb: "delete".to_owned(),
            resource: "secrets".to_owned(),
            namespace: "default".to_owned(),
            name: name.to_owned(),
            subresource: String::new(),
            path: String::new(),
            outcome: Outcome {
                code: 403,
                reason: "Forbidden".to_owned(),
                message: "no".to_owned(),
            },
            effect: None,
            resource_version: None,
            object: None,
            changes: Vec::new(),
            is_cut: false,
            count: None,
            first_time: None,
        }
    }

    const HERE: [u8; 4] = [10, 0, 0, 1];

    #[test]
    fn the_first_goes_through_and_its_repetitions_become_one_record() {
        let (mut guard, start) = (Guard::new(REFUSALS), Instant::now());
        let first = refusal("bob", HERE, "db", 0);
        assert_eq!(guard.pass(first.clone(), start), Some(first));
        for second in 1..=1000_i64 {
            let at = start + Duration::from_millis(second.unsigned_abs());
            assert_eq!(guard.pass(refusal("bob", HERE, "db", second), at), None);
        }
        assert!(guard.due(start + WINDOW / 2).is_empty());
        assert_eq!(guard.next(), Some(start + WINDOW));
        let due = guard.due(start + WINDOW);
        let expected = Record {
            count: Some(1000),
            first_time: Some(Timestamp::UNIX_EPOCH + 1.seconds()),
            ..refusal("bob", HERE, "db", 1000)
        };
        assert_eq!(due, [expected]);
        assert_eq!(guard.next(), None);
        // A new window begins with a record of its own.
        assert!(
            guard
                .pass(refusal("bob", HERE, "db", 2000), start + WINDOW)
                .is_some()
        );
        assert!(guard.drain().is_empty(), "nothing was repeated");
    }

    #[test]
    fn other_things_other_people_and_other_places_are_told_apart() {
        let (mut guard, now) = (Guard::new(REFUSALS), Instant::now());
        let mut other_reason = refusal("bob", HERE, "db", 0);
        other_reason.outcome.reason = "NotFound".to_owned();
        for record in [
            refusal("bob", HERE, "db", 0),
            refusal("bob", HERE, "cache", 0),
            refusal("eve", HERE, "db", 0),
            refusal("bob", [10, 0, 0, 2], "db", 0),
            other_reason,
        ] {
            assert!(guard.pass(record, now).is_some());
        }
    }

    #[test]
    fn who_varies_what_they_ask_for_is_counted_as_a_whole() {
        let (mut guard, now) = (Guard::new(REFUSALS), Instant::now());
        let passed = (0..10_000)
            .filter(|n| {
                guard
                    .pass(refusal("bob", HERE, &format!("n{n}"), *n), now)
                    .is_some()
            })
            .count();
        assert_eq!(passed, REFUSALS.of_one);
        // Somebody else still has room.
        assert!(guard.pass(refusal("eve", HERE, "db", 0), now).is_some());
        let drained = guard.drain();
        let [all] = drained.as_slice() else {
            panic!("{drained:?}");
        };
        assert_eq!(all.count, Some(10_000 - REFUSALS.of_one as u64));
        assert_eq!((all.verb.as_str(), all.user.name.as_str()), ("*", "bob"));
        assert!(all.name.is_empty());
    }

    #[test]
    fn a_flood_from_everywhere_is_bounded_in_memory_and_on_disk() {
        let (mut guard, now) = (Guard::new(REFUSALS), Instant::now());
        let total = 100_000_u32;
        let mut passed = 0;
        for n in 0..total {
            let address = (0x0a00_0000 + n).to_be_bytes();
            passed += usize::from(
                guard
                    .pass(refusal("", address, &format!("{n}"), 0), now)
                    .is_some(),
            );
        }
        assert_eq!(passed, REFUSALS.of_all);
        assert!(guard.sorts.len() <= REFUSALS.of_all && guard.sources.len() <= SOURCES);
        let drained = guard.drain();
        assert!(drained.len() <= SOURCES + 1);
        let counted: u64 = drained.iter().filter_map(|record| record.count).sum();
        assert_eq!(
            counted + passed as u64,
            u64::from(total),
            "none is lost from the count"
        );
        let people: HashSet<_> = drained.iter().map(|record| record.from.address).collect();
        assert!(people.contains(&None), "the rest is nobody's in particular");
    }
}

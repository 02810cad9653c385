//! Which histories are played, and how a failed one is told.

use std::{
    collections::BTreeMap,
    env,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use anyhow::Context as _;

/// The seeds asked for: `MIRAGE_SEED=7`, `MIRAGE_SEEDS=1000..2000` or `MIRAGE_SEEDS=7`, else these.
///
/// # Errors
/// When what is asked for is no range of numbers.
pub fn wanted(usual: Range<u64>) -> anyhow::Result<Range<u64>> {
    let asked = env::var("MIRAGE_SEED").or_else(|_| env::var("MIRAGE_SEEDS"));
    asked.map_or(Ok(usual), |text| parse(text.trim()))
}

fn parse(text: &str) -> anyhow::Result<Range<u64>> {
    let number = |text: &str| {
        text.parse::<u64>()
            .with_context(|| format!("{text:?} is no seed: write 7 or 0..500"))
    };
    match text.split_once("..") {
        Some((from, to)) => Ok(number(from)?..number(to)?),
        None => number(text).map(|seed| seed..seed + 1),
    }
}

/// Plays all seeds, a thread per core, and tells those that failed with the command that plays them again.
///
/// # Errors
/// When any failed.
pub fn play_all(
    seeds: Range<u64>,
    test: &str,
    play: impl Fn(u64) -> Result<(), String> + Sync,
) -> Result<(), String> {
    let next = AtomicU64::new(seeds.start);
    let failures = Mutex::new(BTreeMap::new());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let result = catch_unwind(AssertUnwindSafe(|| play(seed)))
                        .unwrap_or_else(|_| Err("it panicked; the message is above".to_owned()));
                    if let Err(why) = result {
                        failures
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .insert(seed, why);
                    }
                }
            });
        }
    });
    let failures = failures
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    if failures.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = failures
        .iter()
        .take(10)
        .map(|(seed, why)| {
            format!("seed {seed}: {why}\n  again: MIRAGE_SEED={seed} cargo test -p mirage-tests --test simulation {test} -- --nocapture")
        })
        .collect();
    let all: Vec<String> = failures.keys().map(ToString::to_string).collect();
    Err(format!(
        "{} of {} failed ({})\n{}",
        failures.len(),
        seeds.end - seeds.start,
        all.join(" "),
        told.join("\n\n")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_and_a_range_of_seeds_are_understood() {
        assert_eq!(parse("7").unwrap(), 7..8);
        assert_eq!(parse("0..500").unwrap(), 0..500);
        assert!(parse("all").is_err());
    }
}

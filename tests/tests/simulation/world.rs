//! Random histories on paused time, each from one seed.

use mirage_tests::{history, seeds};

#[test]
fn whatever_happens_everything_comes_to_be_as_declared_and_stays_so() {
    let seeds = seeds::wanted(0..500).unwrap();
    if let Err(failures) = seeds::play_all(seeds, "world::", history::play) {
        panic!("{failures}");
    }
}

//! Random histories of a repository, each from one seed.

use mirage_tests::{git::history, seeds};

#[test]
fn whatever_happens_in_git_and_by_hand_the_newest_commit_is_what_is_there() {
    let seeds = seeds::wanted(0..100).unwrap();
    if let Err(failures) = seeds::play_all(seeds, "git::", history::play) {
        panic!("{failures}");
    }
}

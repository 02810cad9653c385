//! Weeks of pull requests on paused time, each from one seed.

use mirage_tests::{previews, seeds};

#[test]
fn whatever_happens_in_a_week_the_open_pull_requests_have_environments_and_nothing_is_left() {
    let seeds = seeds::wanted(0..2).unwrap();
    if let Err(failures) = seeds::play_all(seeds, "previews::", previews::play) {
        panic!("{failures}");
    }
}

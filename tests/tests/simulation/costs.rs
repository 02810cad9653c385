//! The bounds that `make bench` shows, held.

use mirage_tests::bench;

#[test]
fn railway_is_asked_no_more_than_promised() {
    let rows = bench::counts().unwrap();
    let over: Vec<String> = rows
        .iter()
        .filter(|row| !row.is_ok())
        .map(ToString::to_string)
        .collect();
    assert!(over.is_empty(), "{}", over.join("\n"));
}

#[test]
fn github_is_asked_no_more_than_promised_and_a_closed_pull_request_is_torn_down_at_once() {
    let rows = bench::previews().unwrap();
    let over: Vec<String> = rows
        .iter()
        .filter(|row| !row.is_ok())
        .map(ToString::to_string)
        .collect();
    assert!(over.is_empty(), "{}", over.join("\n"));
}

#[test]
fn ten_and_thirty_services_cost_the_same_by_change_set() {
    let rows = bench::counts().unwrap();
    let by_change_set: Vec<f64> = rows
        .iter()
        .filter(|row| row.what.contains("by change set"))
        .map(|row| row.measured)
        .collect();
    assert_eq!(by_change_set.len(), 2);
    assert_eq!(by_change_set[0], by_change_set[1]);
}

#[test]
fn many_specs_at_once_take_little_more_than_the_throttle() {
    let row = bench::many_at_once(30).unwrap();
    // The last one's own provision weighs more among few.
    assert!(row.measured <= 1.2, "{row}");
}

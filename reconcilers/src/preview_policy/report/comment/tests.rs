//! What people read, state by state.

use mirage_specs::preview_policy::{Ending, PreviewStatus};
use serde_json::json;

use super::*;
use crate::preview_policy::{
    fixtures::{at, sha},
    focus::Focus,
    report::{marker::Marker, story::ServiceLog},
};

struct Told {
    preview: PreviewStatus,
    environment: Option<Environment>,
    focus: Option<Focus>,
    withheld: Vec<String>,
    logs: Vec<ServiceLog>,
}

impl Told {
    fn new(state: PreviewState) -> Self {
        Self {
            preview: PreviewStatus {
                number: 7,
                state,
                environment: Some("shop-pr-7".to_owned()),
                commit: Some(sha(1).to_string()),
                ..PreviewStatus::default()
            },
            environment: None,
            focus: None,
            withheld: Vec::new(),
            logs: Vec::new(),
        }
    }

    fn with_services(mut self, services: serde_json::Value) -> Self {
        let object = json!({
            "metadata": {"name": "shop-pr-7"}, "spec": {},
            "status": {
                "services": services,
                "railway": {"dashboardUrl": "https://railway.com/project/p?environmentId=e"},
            },
        });
        self.environment = Some(serde_json::from_value(object).unwrap());
        self
    }

    fn text(&self) -> String {
        comment(&Story {
            marker: &Marker::new("default", "shop"),
            policy: "shop",
            preview: &self.preview,
            environment: self.environment.as_ref(),
            focus: self.focus.as_ref(),
            withheld: &self.withheld,
            logs: &self.logs,
            dashboard: Some("https://mirage.example.com/environments/default/shop-pr-7"),
        })
    }
}

#[test]
fn a_ready_preview_shows_its_services_and_where_they_are() {
    let mut told = Told::new(PreviewState::Ready).with_services(json!({
        "api": {"state": "Ready"},
        "web": {"state": "Ready", "urls": ["https://web-pr-7.up.railway.app"]},
    }));
    told.preview.expires_at = Some(at(0));
    insta::assert_snapshot!(told.text());
}

#[test]
fn a_failed_preview_shows_the_last_lines_and_what_to_do() {
    let mut told = Told::new(PreviewState::Failed).with_services(json!({
        "api": {"state": "Failed", "message": "deployment d-1 failed; look at its build and deploy logs"},
        "web": {"state": "Deploying"},
    }));
    told.preview.message = Some("api: deployment d-1 failed".to_owned());
    told.logs = vec![ServiceLog {
        service: "api".to_owned(),
        lines: vec!["error[E0425]: cannot find `x`".to_owned(), "```".to_owned()],
    }];
    insta::assert_snapshot!(told.text());
}

#[test]
fn one_that_waits_is_told_its_place() {
    let mut told = Told::new(PreviewState::Queued);
    told.preview.place = Some(3);
    insta::assert_snapshot!(told.text());
}

#[test]
fn one_that_was_torn_down_says_how_it_comes_back() {
    let mut told = Told::new(PreviewState::Destroyed);
    told.preview.ended = Some(Ending {
        cause: EndingCause::Destroyed,
        by: Some("ann_b".to_owned()),
        at: at(0),
    });
    insta::assert_snapshot!(told.text());
    assert!(
        Told::new(PreviewState::Expired)
            .text()
            .contains("/mirage redeploy")
    );
    let mut closed = Told::new(PreviewState::Closed);
    assert!(closed.text().contains("Reopening"));
    closed.preview.merged = true;
    assert!(!closed.text().contains("Reopening"));
}

#[test]
fn what_is_left_out_and_withheld_is_said() {
    let mut told = Told::new(PreviewState::Deploying).with_services(json!({}));
    told.focus = Some(Focus {
        kept: [
            ("web".to_owned(), Why::Touched("web/a.ts".to_owned())),
            ("db".to_owned(), Why::NeededBy("web".to_owned())),
        ]
        .into(),
        left_out: vec!["docs".to_owned()],
    });
    told.withheld = vec!["api.STRIPE_KEY".to_owned()];
    told.preview.notice =
        Some("bob keeps it 1d longer; `/mirage redeploy` brings it back".to_owned());
    told.preview.diff_of.clone_from(&told.preview.commit);
    insta::assert_snapshot!(told.text());
}

#[test]
fn the_same_story_is_told_in_the_same_words_and_bears_its_marker() {
    let told = Told::new(PreviewState::Ready);
    assert_eq!(told.text(), told.text());
    assert_eq!(
        Marker::new("default", "shop").read(&told.text()),
        Some(None)
    );
}

#[test]
fn a_story_that_is_too_long_is_cut() {
    let mut told = Told::new(PreviewState::Failed);
    told.preview.message = Some("ä".repeat(70_000));
    assert!(told.text().len() <= LIMIT + 10);
}

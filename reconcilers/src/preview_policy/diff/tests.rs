//! What is decided, case by case.

use jiff::Timestamp;
use mirage_specs::{EnvironmentSpec, PreviewPolicySpec, preview_policy::Ending};

use super::*;
use crate::preview_policy::fixtures::at;

struct Stage {
    policy: PreviewPolicy,
    lives: BTreeMap<u64, PreviewStatus>,
    known: BTreeMap<u64, Known>,
    children: Vec<Environment>,
    taken: BTreeSet<String>,
}

fn preview(image: &str) -> Preview {
    Preview {
        spec: serde_json::from_value::<EnvironmentSpec>(
            serde_json::json!({"services": {"web": {"source": {"image": image}}}}),
        )
        .unwrap(),
        focus: None,
        withheld: Vec::new(),
    }
}

impl Stage {
    fn new() -> Self {
        let mut policy = PreviewPolicy::new("shop", PreviewPolicySpec::default());
        policy.metadata.uid = Some("uid".to_owned());
        Self {
            policy,
            lives: BTreeMap::new(),
            known: BTreeMap::new(),
            children: Vec::new(),
            taken: BTreeSet::new(),
        }
    }

    fn wanted(mut self, number: u64, asked: i64) -> Self {
        let life = PreviewStatus {
            number,
            asked_at: Some(at(asked)),
            ..PreviewStatus::default()
        };
        self.lives.insert(number, life);
        self.known(
            number,
            Known::Wanted {
                name: format!("pr-{number}"),
                preview: Box::new(preview("new")),
            },
        )
    }

    fn known(mut self, number: u64, known: Known) -> Self {
        self.known.insert(number, known);
        self
    }

    fn ended(mut self, number: u64, cause: EndingCause) -> Self {
        self.lives.get_mut(&number).unwrap().ended = Some(Ending {
            cause,
            by: None,
            at: Timestamp::UNIX_EPOCH,
        });
        self
    }

    fn child(self, number: u64, image: &str) -> Self {
        self.child_named(number, &format!("pr-{number}"), image)
    }

    fn child_named(mut self, number: u64, name: &str, image: &str) -> Self {
        let manifest = child::manifest(&self.policy, number, name, &preview(image).spec, None);
        let mut environment: Environment = serde_json::from_value(manifest).unwrap();
        environment.metadata.uid = Some(format!("uid-of-{name}"));
        self.children.push(environment);
        self
    }

    fn going(mut self) -> Self {
        let time = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(0));
        self.children
            .last_mut()
            .unwrap()
            .metadata
            .deletion_timestamp = Some(time);
        self
    }

    fn limit(mut self, limit: u32) -> Self {
        self.policy.spec.max_concurrent = Some(limit);
        self
    }

    fn plan(&self) -> Plan {
        diff(Scene {
            policy: &self.policy,
            lives: &self.lives,
            known: &self.known,
            children: &self.children,
            taken: &self.taken,
        })
    }

    fn told(&self) -> Vec<String> {
        self.plan()
            .actions
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn state(&self, number: u64) -> PreviewState {
        self.plan().verdicts[&number].state
    }
}

#[test]
fn an_open_pull_request_gets_an_environment_and_then_nothing_more_is_done() {
    let stage = Stage::new().wanted(7, 0);
    assert_eq!(stage.told(), ["make environment pr-7 for #7"]);
    let stage = stage.child(7, "new");
    assert_eq!(stage.told(), [""; 0]);
    assert_eq!(stage.state(7), PreviewState::Deploying);
}

#[test]
fn a_push_moves_the_environment_in_place() {
    let stage = Stage::new().wanted(7, 0).child(7, "old");
    assert_eq!(stage.told(), ["bring environment pr-7 to what #7 is now"]);
}

#[test]
fn an_environment_keeps_the_name_it_was_made_with() {
    let stage = Stage::new().wanted(7, 0).child_named(7, "other-7", "old");
    assert_eq!(
        stage.told(),
        ["bring environment other-7 to what #7 is now"]
    );
}

#[test]
fn what_is_closed_merged_expired_destroyed_or_no_longer_fits_is_torn_down() {
    let of = |known: Known| Stage::new().wanted(7, 0).known(7, known).child(7, "new");
    let mut merged = of(Known::Closed);
    merged.lives.get_mut(&7).unwrap().merged = true;
    let ended = |cause| Stage::new().wanted(7, 0).child(7, "new").ended(7, cause);
    for (stage, why) in [
        (of(Known::Closed), "it was closed"),
        (merged, "it was merged"),
        (
            of(Known::Unfit("x".to_owned())),
            "the policy is no longer for it",
        ),
        (ended(EndingCause::Expired), "its time was over"),
        (ended(EndingCause::Destroyed), "somebody asked for it"),
    ] {
        assert_eq!(
            stage.told(),
            [format!("tear down environment pr-7 of #7: {why}")]
        );
        assert_eq!(stage.state(7), PreviewState::TearingDown);
        assert_eq!(stage.going().told(), [""; 0], "it goes already");
    }
    let gone = Stage::new().wanted(7, 0).ended(7, EndingCause::Expired);
    assert_eq!(
        (gone.state(7), gone.told().len()),
        (PreviewState::Expired, 0)
    );
}

#[test]
fn from_what_could_not_be_read_nothing_is_torn_down_or_made() {
    for known in [
        Known::Unread("x".to_owned()),
        Known::Unresolved("x".to_owned()),
    ] {
        let stage = Stage::new()
            .wanted(7, 0)
            .known(7, known.clone())
            .child(7, "old");
        assert_eq!(stage.told(), [""; 0], "{known:?}");
    }
    // An environment of a pull request that nothing at all is known of is not touched either.
    assert_eq!(Stage::new().child(7, "old").told(), [""; 0]);
    let unresolved = Stage::new().known(7, Known::Unresolved("x".to_owned()));
    assert_eq!(unresolved.state(7), PreviewState::Invalid);
}

#[test]
fn an_environment_with_the_name_that_is_not_ours_is_never_touched_and_takes_no_place() {
    let mut stage = Stage::new().wanted(7, 0).wanted(8, 1).limit(1);
    stage.taken.insert("pr-7".to_owned());
    assert_eq!(stage.told(), ["make environment pr-8 for #8"]);
    assert_eq!(stage.state(7), PreviewState::Conflict);
}

#[test]
fn who_waits_knows_the_place_and_who_is_torn_down_still_holds_one() {
    let stage = Stage::new()
        .wanted(1, 9)
        .wanted(2, 5)
        .wanted(3, 7)
        .known(4, Known::Closed)
        .child(4, "new")
        .limit(2);
    let plan = stage.plan();
    let told: Vec<_> = plan.actions.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "tear down environment pr-4 of #4: it was closed",
            "make environment pr-2 for #2"
        ]
    );
    assert_eq!(
        (plan.verdicts[&3].place, plan.verdicts[&1].place),
        (Some(1), Some(2))
    );
}

#[test]
fn a_reopened_one_waits_until_its_old_environment_is_gone() {
    let stage = Stage::new().wanted(7, 0).child(7, "new").going();
    assert_eq!(stage.told(), [""; 0]);
    assert_eq!(stage.state(7), PreviewState::TearingDown);
}

#[test]
fn of_two_environments_one_stays() {
    let stage = Stage::new()
        .wanted(7, 0)
        .child_named(7, "b-7", "new")
        .child_named(7, "a-7", "new");
    assert_eq!(
        stage.told(),
        ["tear down environment b-7 of #7: it has another one"]
    );
}

#[test]
fn the_order_of_what_was_seen_changes_nothing() {
    let mut stage = Stage::new()
        .wanted(3, 1)
        .wanted(1, 1)
        .child(9, "x")
        .known(9, Known::Closed)
        .child(2, "x")
        .known(2, Known::Closed);
    let plan = stage.plan();
    stage.children.reverse();
    assert_eq!(stage.plan(), plan);
}

//! In which order a plan is carried out. Pure.

use super::{
    diff::{Action, Plan},
    key::Key,
};

/// Keys in the order in which they are carried out: what others need first, and out of the way last.
pub fn in_order(plan: &Plan) -> Vec<&Key> {
    let mut keys: Vec<&Key> = plan.actions.keys().collect();
    keys.sort_by_key(|key| {
        let rank = rank(key);
        match plan.actions[*key] {
            // After everything that is made, and the other way round.
            Action::Prune => (1, u8::MAX - rank),
            _ => (0, rank),
        }
    });
    keys
}

fn rank(key: &Key) -> u8 {
    match key.kind.as_str() {
        "Namespace" => 0,
        "Secret" | "ConfigMap" => 1,
        "RailwayAccount" | "SecretStore" => 2,
        "EnvironmentTemplate" => 3,
        "Environment" => 5,
        _ => 4,
    }
}

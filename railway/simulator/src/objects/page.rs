//! Relay pagination.

use serde_json::{Value, json};

use super::Arguments;
use crate::engine::Entity;
use crate::timing::Timing;

/// Opaque to clients; names the node rather than its position, so that a page survives deletions before it.
pub(crate) fn cursor(entity: &Entity) -> String {
    let key = match entity {
        Entity::Workspace(id)
        | Entity::Project(id)
        | Entity::Environment(id)
        | Entity::Service(id)
        | Entity::Deployment(id)
        | Entity::Volume(id)
        | Entity::Bucket(id)
        | Entity::ProjectToken(id) => id.clone(),
        Entity::Instance {
            environment,
            service,
        } => format!("{environment}/{service}"),
        Entity::VolumeInstance {
            environment,
            volume,
        } => format!("{environment}/{volume}"),
        Entity::Variable {
            environment,
            service,
            name,
        } => format!(
            "{environment}/{}/{name}",
            service.as_deref().unwrap_or("shared")
        ),
        Entity::Patch { environment, patch } => format!("{environment}/{patch:?}"),
        Entity::Record(record) => record["id"].as_str().unwrap_or_default().to_owned(),
        Entity::Query
        | Entity::Mutation
        | Entity::User
        | Entity::Connection { .. }
        | Entity::Edge(_) => String::new(),
    };
    hex::encode(key)
}

/// The page that the arguments ask for, and its `pageInfo`.
pub(crate) fn cut(
    all: Vec<Entity>,
    arguments: &Arguments,
    timing: &Timing,
) -> (Vec<Entity>, Value) {
    let number = |key: &str| {
        arguments
            .get(key)
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok())
    };
    let place = |key: &str| {
        let wanted = arguments.get(key).and_then(Value::as_str)?;
        all.iter().position(|entity| cursor(entity) == wanted)
    };
    let mut start = place("after").map_or(0, |index| index + 1);
    let mut end = place("before").unwrap_or(all.len()).max(start);
    if let Some(last) = number("last") {
        start = start.max(end.saturating_sub(last.min(timing.largest_page)));
    } else {
        let first = number("first")
            .unwrap_or(timing.default_page)
            .min(timing.largest_page);
        end = end.min(start + first);
    }
    let total = all.len();
    let nodes: Vec<Entity> = all.into_iter().skip(start).take(end - start).collect();
    let info = json!({
        "hasNextPage": end < total,
        "hasPreviousPage": start > 0,
        "startCursor": nodes.first().map(cursor),
        "endCursor": nodes.last().map(cursor),
    });
    (nodes, info)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(entities: &[Entity]) -> Vec<String> {
        entities
            .iter()
            .map(|entity| match entity {
                Entity::Project(id) => id.clone(),
                _ => String::new(),
            })
            .collect()
    }

    fn all() -> Vec<Entity> {
        ["a", "b", "c", "d", "e"]
            .map(|id| Entity::Project(id.to_owned()))
            .to_vec()
    }

    fn page(arguments: Value) -> (Vec<String>, Value) {
        let arguments = arguments.as_object().unwrap().clone();
        let (nodes, info) = cut(all(), &arguments, &Timing::default());
        (ids(&nodes), info)
    }

    #[test]
    fn pages_follow_one_another_without_gap() {
        let (first, info) = page(json!({"first": 2}));
        assert_eq!(first, ["a", "b"]);
        assert_eq!(info["hasNextPage"], true);
        let (second, info) = page(json!({"first": 2, "after": info["endCursor"]}));
        assert_eq!(second, ["c", "d"]);
        let (third, info) = page(json!({"first": 2, "after": info["endCursor"]}));
        assert_eq!(third, ["e"]);
        assert_eq!(info["hasNextPage"], false);
        assert_eq!(info["hasPreviousPage"], true);
    }

    #[test]
    fn an_empty_page_and_a_page_from_the_end() {
        let (none, info) = page(json!({"first": 0}));
        assert!(none.is_empty());
        assert_eq!(info["endCursor"], Value::Null);
        assert_eq!(page(json!({"last": 2})).0, ["d", "e"]);
        assert_eq!(page(json!({})).0.len(), 5);
    }
}

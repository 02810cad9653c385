//! Secret values are where they belong and nowhere else.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::Expectation;
use crate::world::World;

/// Resources in which Mirage writes.
const WRITTEN: [&str; 5] = [
    "environments.mirage.dev",
    "railwayaccounts.mirage.dev",
    "orphans.mirage.dev",
    "previewpolicies.mirage.dev",
    "events",
];

/// Objects, of today or of the past, that show a planted value, plain or encoded.
pub(super) async fn leaks(
    world: &World,
    expected: &Expectation<'_>,
    found: &mut Vec<String>,
) -> anyhow::Result<()> {
    let planted: Vec<(String, [String; 3])> = expected
        .secrets
        .values()
        .chain(expected.old_secrets)
        .map(|value| {
            (
                value.clone(),
                [
                    value.clone(),
                    BASE64_STANDARD.encode(value),
                    hex::encode(value),
                ],
            )
        })
        .collect();
    for resource in WRITTEN {
        for object in world.past(resource).await? {
            let text = object.to_string();
            for (value, forms) in &planted {
                if forms.iter().any(|form| text.contains(form)) {
                    found.push(format!(
                        "a {resource} shows the secret {value}: {}",
                        object["metadata"]["name"]
                    ));
                }
            }
        }
    }
    Ok(())
}

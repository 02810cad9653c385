//! What must hold when it is quiet, judged by GitHub's and Railway's own records.

use std::collections::{BTreeMap, BTreeSet};

use mirage_specs::{
    Environment,
    preview_policy::{POLICY_LABEL, PULL_REQUEST_LABEL},
};

use super::{POLICY, SHOP};
use crate::{
    github::{FakeGitHub, PullRecord},
    invariants,
    world::World,
};

/// The open pull requests that the policy is for, by number.
fn wanted(github: &FakeGitHub) -> BTreeMap<u64, PullRecord> {
    github
        .open_pulls(SHOP)
        .into_iter()
        .filter(|pull| pull.base == "main" && pull.head_repository.as_deref() == Some(SHOP))
        .map(|pull| (pull.number, pull))
        .collect()
}

/// What is not yet as the open pull requests ask: each has an environment at its latest commit that is at rest, and
/// nothing else is there.
///
/// # Errors
/// When the world could not be asked.
pub(crate) async fn unfulfilled(world: &World, github: &FakeGitHub) -> anyhow::Result<Vec<String>> {
    let mut found = invariants::unsettled(world).await?;
    let wanted = wanted(github);
    let mut seen = BTreeSet::new();
    for environment in world.environments().await? {
        let name = environment.metadata.name.clone().unwrap_or_default();
        let Some(number) = number(&environment) else {
            found.push(format!("{name} is for no pull request"));
            continue;
        };
        if !seen.insert(number) {
            found.push(format!("{name} is a second one for #{number}"));
        }
        match wanted.get(&number) {
            None => found.push(format!("{name} is there although #{number} wants none")),
            Some(pull) => {
                let spec = serde_json::to_value(&environment.spec)?;
                let commit = spec["services"]["web"]["source"]["commit"].as_str();
                if commit != Some(pull.sha.as_str()) {
                    found.push(format!(
                        "{name} is at {commit:?} and #{number} at {}",
                        pull.sha
                    ));
                }
            }
        }
    }
    for number in wanted.keys().filter(|number| !seen.contains(number)) {
        found.push(format!("#{number} has no environment"));
    }
    found.extend(left_on_railway(world).await?);
    Ok(found)
}

/// Railway's environments besides those that an Environment stands for.
async fn left_on_railway(world: &World) -> anyhow::Result<Vec<String>> {
    let mut ours = BTreeSet::new();
    for environment in world.environments().await? {
        let railway = environment.status.and_then(|status| status.railway);
        ours.extend(railway.and_then(|railway| railway.environment_id));
    }
    let inventory = world.simulator.inventory();
    let mut found = Vec::new();
    for project in &inventory.projects {
        for environment in &project.environments {
            // Railway makes this one with the project.
            if environment.name != "production" && !ours.contains(&environment.id) {
                found.push(format!(
                    "Railway still has {}/{}",
                    project.name, environment.name
                ));
            }
        }
    }
    for id in ours {
        let has_it =
            |environment: &mirage_railway_simulator::EnvironmentEntry| environment.id == id;
        if !inventory
            .projects
            .iter()
            .any(|project| project.environments.iter().any(has_it))
        {
            found.push(format!("Railway has no environment {id}"));
        }
    }
    Ok(found)
}

fn number(environment: &Environment) -> Option<u64> {
    let labels = environment.metadata.labels.as_ref()?;
    let is_ours = labels.get(POLICY_LABEL).map(String::as_str) == Some(POLICY);
    is_ours.then(|| labels.get(PULL_REQUEST_LABEL)?.parse().ok())?
}

/// Everything that does not hold at the end.
///
/// # Errors
/// When the world could not be asked.
pub(super) async fn violations(world: &World, github: &FakeGitHub) -> anyhow::Result<Vec<String>> {
    let mut found = unfulfilled(world, github).await?;
    found.extend(github.violations());
    for orphan in world.orphans().await? {
        found.push(format!("an orphan is left: {:?}", orphan.spec));
    }
    let wanted = wanted(github);
    for number in 1..=super::PULL_REQUESTS {
        let comments = github.own_comments(SHOP, number).len();
        if comments > 1 {
            found.push(format!("#{number} has {comments} comments of ours"));
        }
        if wanted.contains_key(&number) && comments == 0 {
            found.push(format!("#{number} has no comment of ours"));
        }
    }
    found.extend(deployments(github, &wanted));
    Ok(found)
}

/// What GitHub shows as deployed: each open pull request's latest commit once, and nothing else.
fn deployments(github: &FakeGitHub, wanted: &BTreeMap<u64, PullRecord>) -> Vec<String> {
    let mut found = Vec::new();
    let heads: BTreeMap<&str, u64> = wanted
        .iter()
        .map(|(number, pull)| (pull.sha.as_str(), *number))
        .collect();
    let mut shown: BTreeMap<u64, u32> = BTreeMap::new();
    for deployment in github.deployment_records(SHOP) {
        let state = deployment.state().unwrap_or("nothing");
        match heads.get(deployment.sha.as_str()) {
            Some(number) if state == "success" => *shown.entry(*number).or_default() += 1,
            _ if state == "inactive" => {}
            _ => found.push(format!(
                "the deployment {} of {} to {} says {state}",
                deployment.id, deployment.sha, deployment.environment
            )),
        }
    }
    for number in wanted.keys() {
        let times = shown.get(number).copied().unwrap_or_default();
        if times != 1 {
            found.push(format!("#{number} is shown as deployed {times} times"));
        }
    }
    found
}

//! One rule: some verbs on some things.

use serde::{Deserialize, Serialize};

use super::Attributes;

/// More combinations than this are not taken apart one by one: such a rule is either within one other rule, or refused.
const MOST_COMBINATIONS: usize = 10_000;

/// A `PolicyRule` of `rbac.authorization.k8s.io/v1`. `*` stands for everything, `*/status` for the status of everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Rule {
    pub(crate) verbs: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) api_groups: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) resources: Vec<String>,
    /// Empty for all names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) resource_names: Vec<String>,
    #[serde(rename = "nonResourceURLs", skip_serializing_if = "Vec::is_empty")]
    pub(crate) non_resource_urls: Vec<String>,
}

impl Rule {
    /// These verbs on these resources.
    pub(crate) fn on(verbs: &[&str], groups: &[&str], resources: &[&str]) -> Self {
        Self {
            verbs: owned(verbs),
            api_groups: owned(groups),
            resources: owned(resources),
            ..Self::default()
        }
    }

    /// These verbs on these paths.
    pub(crate) fn on_paths(verbs: &[&str], paths: &[&str]) -> Self {
        Self {
            verbs: owned(verbs),
            non_resource_urls: owned(paths),
            ..Self::default()
        }
    }

    /// Whether the rule allows it.
    pub(crate) fn allows(&self, asked: &Attributes<'_>) -> bool {
        if !any(&self.verbs, asked.verb, is_or_all) {
            return false;
        }
        if !asked.path.is_empty() {
            return any(&self.non_resource_urls, asked.path, path_covers);
        }
        any(&self.api_groups, asked.group, is_or_all)
            && any(&self.resources, &asked.resource_path(), resource_covers)
            && self.names_cover((!asked.name.is_empty()).then_some(asked.name))
    }

    /// Without a name, all names are meant.
    fn names_cover(&self, name: Option<&str>) -> bool {
        self.resource_names.is_empty()
            || name.is_some_and(|name| self.resource_names.iter().any(|known| known == name))
    }

    /// What both rules allow; a rule about resources and paths at once, which only limits have, gives two.
    pub(crate) fn intersection(&self, other: &Self) -> Vec<Self> {
        let verbs = common(&self.verbs, &other.verbs, is_or_all);
        if verbs.is_empty() {
            return Vec::new();
        }
        let mut out = Vec::new();
        let api_groups = common(&self.api_groups, &other.api_groups, is_or_all);
        let resources = common(&self.resources, &other.resources, resource_covers);
        let resource_names = match (&*self.resource_names, &*other.resource_names) {
            ([], names) | (names, []) => Some(names.to_vec()),
            (mine, theirs) => {
                let both: Vec<String> = mine
                    .iter()
                    .filter(|name| theirs.contains(name))
                    .cloned()
                    .collect();
                (!both.is_empty()).then_some(both)
            }
        };
        if let Some(resource_names) = resource_names
            && !api_groups.is_empty()
            && !resources.is_empty()
        {
            out.push(Self {
                verbs: verbs.clone(),
                api_groups,
                resources,
                resource_names,
                non_resource_urls: Vec::new(),
            });
        }
        let paths = common(
            &self.non_resource_urls,
            &other.non_resource_urls,
            path_covers,
        );
        if !paths.is_empty() {
            out.push(Self {
                verbs,
                non_resource_urls: paths,
                ..Self::default()
            });
        }
        out
    }

    /// Whether this rule alone allows all that the other does.
    fn covers(&self, other: &Self) -> bool {
        let all = |mine: &[String], theirs: &[String], covers: fn(&str, &str) -> bool| {
            theirs.iter().all(|wanted| any(mine, wanted, covers))
        };
        all(&self.verbs, &other.verbs, is_or_all)
            && all(&self.api_groups, &other.api_groups, is_or_all)
            && all(&self.resources, &other.resources, resource_covers)
            && all(
                &self.non_resource_urls,
                &other.non_resource_urls,
                path_covers,
            )
            && (other.resources.is_empty()
                || self.resource_names.is_empty()
                || (!other.resource_names.is_empty()
                    && other
                        .resource_names
                        .iter()
                        .all(|name| self.names_cover(Some(name)))))
    }
}

/// The parts of `wanted` that `held`, taken together, do not allow. Empty when everything is held.
pub(super) fn uncovered(held: &[Rule], wanted: &Rule) -> Vec<Rule> {
    if held.iter().any(|rule| rule.covers(wanted)) {
        return Vec::new();
    }
    let Some(parts) = parts(wanted) else {
        return vec![wanted.clone()];
    };
    parts
        .into_iter()
        .filter(|part| !held.iter().any(|rule| rule.covers(part)))
        .collect()
}

/// The rule as rules of one verb on one thing each; `None` when there would be too many of them.
fn parts(rule: &Rule) -> Option<Vec<Rule>> {
    let names: Vec<Vec<String>> = match &*rule.resource_names {
        [] => vec![Vec::new()],
        names => names.iter().map(|name| vec![name.clone()]).collect(),
    };
    let on_resources = rule
        .api_groups
        .len()
        .checked_mul(rule.resources.len())?
        .checked_mul(names.len())?;
    let combinations = on_resources
        .checked_add(rule.non_resource_urls.len())?
        .checked_mul(rule.verbs.len())?;
    if combinations > MOST_COMBINATIONS {
        return None;
    }
    let mut out = Vec::with_capacity(combinations);
    for verb in &rule.verbs {
        for group in &rule.api_groups {
            for resource in &rule.resources {
                out.extend(names.iter().map(|names| Rule {
                    verbs: vec![verb.clone()],
                    api_groups: vec![group.clone()],
                    resources: vec![resource.clone()],
                    resource_names: names.clone(),
                    non_resource_urls: Vec::new(),
                }));
            }
        }
        out.extend(
            rule.non_resource_urls
                .iter()
                .map(|path| Rule::on_paths(&[verb.as_str()], &[path.as_str()])),
        );
    }
    Some(out)
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn any(patterns: &[String], wanted: &str, covers: fn(&str, &str) -> bool) -> bool {
    patterns.iter().any(|pattern| covers(pattern, wanted))
}

/// The patterns that both lists cover, in the order of the first.
fn common(mine: &[String], theirs: &[String], covers: fn(&str, &str) -> bool) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for one in mine {
        for other in theirs {
            let both = if covers(one, other) {
                other
            } else if covers(other, one) {
                one
            } else {
                continue;
            };
            if !out.contains(both) {
                out.push(both.clone());
            }
        }
    }
    out
}

fn is_or_all(pattern: &str, wanted: &str) -> bool {
    pattern == "*" || pattern == wanted
}

fn resource_covers(pattern: &str, wanted: &str) -> bool {
    is_or_all(pattern, wanted)
        || pattern.strip_prefix("*/").is_some_and(|subresource| {
            wanted
                .split_once('/')
                .is_some_and(|(_, wanted)| wanted == subresource)
        })
}

/// Only a star at the end stands for anything.
fn path_covers(pattern: &str, wanted: &str) -> bool {
    pattern == wanted
        || pattern
            .strip_suffix('*')
            .is_some_and(|prefix| wanted.trim_end_matches('*').starts_with(prefix))
}

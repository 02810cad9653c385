//! What is known of each pull request, and what the wanted ones get.

use std::{collections::BTreeMap, sync::Arc};

use mirage_specs::{
    Environment, PreviewPolicy,
    preview_policy::{PreviewPaths, PreviewStatus},
};

use super::{Bench, surveyed};
use crate::preview_policy::{
    child,
    diff::Known,
    name::name,
    observe::changed_files,
    recent::Recent,
    resolve::{Subject, resolve},
    selection::fits,
    shape::Shape,
    survey::Survey,
    values::values,
};

/// What is known.
pub(in crate::preview_policy) struct Knowledge {
    /// By pull request.
    pub(in crate::preview_policy) known: BTreeMap<u64, Known>,
    /// Of the repository as a whole.
    pub(in crate::preview_policy) survey: Option<Survey>,
    /// Whether something could not be read and is to be tried again.
    pub(in crate::preview_policy) is_unfinished: bool,
}

/// Puts together what is known.
pub(super) async fn known(
    policy: &PreviewPolicy,
    bench: &Bench,
    shape: &Result<Shape, String>,
    lives: &BTreeMap<u64, PreviewStatus>,
    children: &[Environment],
    recent: &mut Recent,
) -> Knowledge {
    let mut numbers: Vec<u64> = lives.keys().copied().collect();
    numbers.extend(children.iter().filter_map(child::number));
    numbers.sort_unstable();
    numbers.dedup();
    let mut all = BTreeMap::new();
    let mut is_unfinished = false;
    for number in numbers {
        let life = lives.get(&number);
        let known = if let Some(why) = recent.unread.get(&number) {
            Known::Unread(why.clone())
        } else if let Some(pull) = recent.open.get(&number).cloned() {
            match fits(&policy.spec, &bench.repository, &pull) {
                Err(why) => Known::Unfit(why.to_string()),
                // What it would get is of no interest while it is to have none.
                Ok(()) if life.is_some_and(|life| life.ended.is_some()) => {
                    Known::Unresolved(String::new())
                }
                Ok(()) => {
                    let got = wanted(policy, bench, shape, &pull, life, recent).await;
                    is_unfinished |= matches!(got, Known::Unread(_));
                    got
                }
            }
        } else if life.is_some_and(|life| life.closed_at.is_some()) {
            Known::Closed
        } else {
            continue;
        };
        all.insert(number, known);
    }
    Knowledge {
        known: all,
        survey: surveyed(policy, bench, recent).await,
        is_unfinished,
    }
}

async fn wanted(
    policy: &PreviewPolicy,
    bench: &Bench,
    shape: &Result<Shape, String>,
    pull: &mirage_github::PullRequest,
    life: Option<&PreviewStatus>,
    recent: &mut Recent,
) -> Known {
    let shape = match shape {
        Ok(shape) => shape,
        Err(why) => return Known::Unresolved(why.clone()),
    };
    let changed = if policy.spec.paths == Some(PreviewPaths::Focused) {
        match changed_files(bench.forge.as_ref(), &bench.repository, pull, recent).await {
            Ok(files) => Some(files),
            Err(error) => {
                recent.heed(&error);
                return Known::Unread(error.to_string());
            }
        }
    } else {
        None
    };
    let values = values(policy.metadata.name.as_deref().unwrap_or_default(), pull);
    let subject = Subject {
        pull,
        values: &values,
        changed: changed.as_ref().map(Arc::as_ref),
        expires_at: life.and_then(|life| life.expires_at),
    };
    match resolve(&policy.spec, &bench.repository, shape, subject) {
        Err(error) => Known::Unresolved(error.to_string()),
        Ok(preview) if preview.spec.services.is_empty() && changed.is_some() => {
            Known::Unfit("it touches no service".to_owned())
        }
        Ok(preview) => Known::Wanted {
            name: name(
                policy.spec.name_template.as_deref(),
                &values,
                pull.number.get(),
            ),
            preview: Box::new(preview),
        },
    }
}

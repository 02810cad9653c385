//! Noticing that nothing has happened since everything was settled. Pure.
//!
//! A policy is looked at every minute, and woken by every step of its Environments. What is to be done follows from what
//! is kept here, so a visit that finds all of it unchanged has nothing to decide.

use kube::ResourceExt as _;
use mirage_github::PullRequest;
use mirage_specs::{
    Environment, PreviewPolicy,
    preview_policy::{PreviewState, PreviewStatus},
};

use super::shape::Shape;

/// All that a decision follows from.
#[derive(Clone, Debug, PartialEq)]
pub struct Calm {
    generation: Option<i64>,
    pulls: Vec<PullRequest>,
    previews: Vec<PreviewStatus>,
    /// Uid and version of each.
    children: Vec<(Option<String>, Option<String>)>,
    shape: Shape,
}

impl Calm {
    /// As things stand.
    pub fn of<'a>(
        policy: &PreviewPolicy,
        pulls: impl IntoIterator<Item = &'a PullRequest>,
        previews: &[PreviewStatus],
        children: &[Environment],
        shape: &Shape,
    ) -> Self {
        let mut children: Vec<_> = children
            .iter()
            .map(|child| (child.uid(), child.resource_version()))
            .collect();
        children.sort();
        Self {
            generation: policy.metadata.generation,
            pulls: pulls.into_iter().cloned().collect(),
            previews: previews.to_vec(),
            children,
            shape: shape.clone(),
        }
    }

    /// Whether nothing waits for something that is not kept here: another's name, Railway's logs, an answer of GitHub's.
    pub fn is_complete(&self) -> bool {
        self.previews.iter().all(|preview| {
            matches!(
                preview.state,
                PreviewState::Ready
                    | PreviewState::Deploying
                    | PreviewState::Queued
                    | PreviewState::Ignored
                    | PreviewState::Expired
                    | PreviewState::Destroyed
            )
        })
    }
}

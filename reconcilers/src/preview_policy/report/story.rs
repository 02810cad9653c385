//! Everything that is said about one pull request, before it is put into GitHub's forms.

use mirage_specs::{
    Environment, ServiceState,
    preview_policy::{PreviewState, PreviewStatus},
};

use super::marker::Marker;
use crate::preview_policy::focus::Focus;

/// Last lines of a service that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceLog {
    /// The service.
    pub service: String,
    /// The lines, blanked of what is secret.
    pub lines: Vec<String>,
}

/// One pull request's story so far.
#[derive(Clone, Copy, Debug)]
pub struct Story<'a> {
    /// By what our comment is known.
    pub marker: &'a Marker,
    /// Name of the policy.
    pub policy: &'a str,
    /// What is known and decided.
    pub preview: &'a PreviewStatus,
    /// Its environment, while there is one.
    pub environment: Option<&'a Environment>,
    /// Which services are in it, when the policy is focused.
    pub focus: Option<&'a Focus>,
    /// Variables that a fork does not get.
    pub withheld: &'a [String],
    /// Last lines of what failed.
    pub logs: &'a [ServiceLog],
    /// Its environment in Mirage's dashboard, when people can reach that.
    pub dashboard: Option<&'a str>,
}

impl Story<'_> {
    /// The commit as people read it.
    pub fn commit(&self) -> &str {
        let commit = self.preview.commit.as_deref().unwrap_or_default();
        commit.get(..7).unwrap_or(commit)
    }

    /// Its state in a few words, the same in comment, deployment and status.
    pub fn headline(&self) -> String {
        let commit = self.commit();
        match self.preview.state {
            PreviewState::Pending | PreviewState::Deploying => {
                format!("{commit} is being deployed")
            }
            PreviewState::Ready => format!("{commit} is ready"),
            PreviewState::Failed => match self.failed_service() {
                Some(service) => format!("{commit} failed: {service}"),
                None => format!("{commit} failed"),
            },
            PreviewState::Queued => match self.preview.place {
                Some(1) => "waits for a place: next in line".to_owned(),
                Some(place) => format!("waits for a place: number {place} in line"),
                None => "waits for a place".to_owned(),
            },
            PreviewState::Conflict => "cannot be made: the name is taken".to_owned(),
            PreviewState::Invalid => "cannot be made: the policy does not fit".to_owned(),
            PreviewState::Unknown => "could not be read".to_owned(),
            PreviewState::Ignored => "none: the policy is not for this pull request".to_owned(),
            PreviewState::TearingDown => "is being torn down".to_owned(),
            PreviewState::Expired => "was torn down: its time was over".to_owned(),
            PreviewState::Destroyed => "was torn down on request".to_owned(),
            PreviewState::Closed if self.preview.message.is_some() => "was torn down".to_owned(),
            PreviewState::Closed if self.preview.merged => "was torn down: merged".to_owned(),
            PreviewState::Closed => "was torn down: closed".to_owned(),
        }
    }

    fn failed_service(&self) -> Option<&str> {
        let status = self.environment?.status.as_ref()?;
        let (name, _) = status
            .services
            .iter()
            .find(|(_, service)| service.state == ServiceState::Failed)?;
        Some(name)
    }
}

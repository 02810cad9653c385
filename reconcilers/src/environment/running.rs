//! What the services of an environment run, asked of Railway for somebody who wants to run it elsewhere too.

use kube::ResourceExt;
use mirage_railway::id::DeploymentId;
use mirage_specs::{Environment, rollout::RolloutState};
use serde_json::Value;

use super::{
    health::is_ready,
    planner::{PlanError, Planner},
    resolve::DEFAULT_ACCOUNT,
};

/// What the newest deployment of a service runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunningService {
    /// The service.
    pub name: String,
    /// Why it is not healthy and as declared; `None` when it is.
    pub message: Option<String>,
    /// Railway's id of the deployment.
    pub deployment_id: Option<String>,
    /// The image, with its digest where Railway tells it.
    pub image: Option<String>,
    /// The repository, `owner/name`.
    pub repo: Option<String>,
    /// The commit that was built.
    pub commit: Option<String>,
}

impl Planner {
    /// What the services of a stored environment run. One question to Railway for each healthy service.
    ///
    /// # Errors
    /// When Railway cannot be read.
    pub async fn running(&self, environment: Value) -> Result<Vec<RunningService>, PlanError> {
        let environment: Environment =
            serde_json::from_value(environment).map_err(PlanError::NotAnEnvironment)?;
        let namespace = environment
            .namespace()
            .unwrap_or_else(|| "default".to_owned());
        let status = environment.status.clone().unwrap_or_default();
        let name = status.account.as_deref().unwrap_or(DEFAULT_ACCOUNT);
        let account = self.accounts.ready(&namespace, name).await;
        let account = account.map_err(PlanError::Account)?;
        let is_current = status.observed_generation == environment.metadata.generation;
        let rollout = status.rollout.as_ref().map(|rollout| rollout.state);
        let mut all = Vec::new();
        for (name, service) in &status.services {
            let mut running = RunningService {
                name: name.clone(),
                deployment_id: service.deployment_id.clone(),
                ..RunningService::default()
            };
            running.message = if !is_current {
                Some("its newest spec was not looked at yet".to_owned())
            } else if rollout.is_some() {
                let state = rollout.unwrap_or(RolloutState::Progressing);
                Some(format!("its rollout is {state}"))
            } else if !is_ready(service.state) {
                let words = service.message.clone();
                Some(words.unwrap_or_else(|| format!("it is {}", service.state)))
            } else {
                None
            };
            if let (None, Some(id)) = (&running.message, &service.deployment_id) {
                match account.client.deployment(&DeploymentId::new(id)).await? {
                    None => {
                        running.message = Some("Railway does not show its deployment".to_owned())
                    }
                    Some(found) => {
                        running.image = found
                            .image
                            .map(|image| with_digest(image, found.image_digest));
                        running.repo = found.repo;
                        running.commit = found.commit;
                    }
                }
            }
            all.push(running);
        }
        Ok(all)
    }
}

/// The image by what cannot move, where that is known.
fn with_digest(image: String, digest: Option<String>) -> String {
    match digest {
        Some(digest) if !image.contains('@') => {
            let has_tag = image
                .rsplit('/')
                .next()
                .is_some_and(|last| last.contains(':'));
            let repository = match image.rsplit_once(':') {
                Some((repository, _)) if has_tag => repository,
                _ => &image,
            };
            format!("{repository}@{digest}")
        }
        _ => image,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_takes_the_place_of_a_tag() {
        for (image, expected) in [
            ("nginx:1.29", "nginx@sha256:ab"),
            ("nginx", "nginx@sha256:ab"),
            ("host:5000/app:1", "host:5000/app@sha256:ab"),
            ("host:5000/app", "host:5000/app@sha256:ab"),
            ("nginx@sha256:cd", "nginx@sha256:cd"),
        ] {
            let digest = Some("sha256:ab".to_owned());
            assert_eq!(with_digest(image.to_owned(), digest), expected);
        }
        assert_eq!(with_digest("nginx:1".to_owned(), None), "nginx:1");
    }
}

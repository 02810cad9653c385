//! Looking into a repository for services, for whoever begins an environment with it. Reads only.

use std::sync::Arc;

use kube::Client;
use mirage_github::{Access, Class, Credential, Error, Forge, GitHub, RepositoryName};
use mirage_specs::{
    convert::compose,
    found::{self, FoundService, FoundServices},
};
use url::Url;

use crate::preview_policy::inputs::{self, Unusable};

/// Looks into repositories on one GitHub.
pub struct Finder {
    pub(crate) client: Client,
    pub(crate) github: Arc<dyn GitHub>,
    /// The root of its API.
    pub(crate) api_url: Url,
}

/// Why nothing was found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// No repository of that name at that branch, or none that the credential may see.
    #[error("{0}")]
    NotFound(String),
    /// The credential, or GitHub, does not answer.
    #[error("{0}")]
    Unavailable(String),
}

impl Finder {
    /// What `repository` (`owner/name`) holds at `reference`, its default branch where none is given. Costs two or three
    /// requests to GitHub; a second look costs nothing of the rate limit. `secret` of the namespace holds a credential, as
    /// for a PreviewPolicy; without one only what everybody sees is found.
    ///
    /// # Errors
    /// When it is not there or cannot be seen; says which, with the next step.
    pub async fn services(
        &self,
        namespace: &str,
        secret: Option<&str>,
        repository: &str,
        reference: Option<&str>,
    ) -> Result<FoundServices, FindError> {
        let name: RepositoryName = repository
            .parse()
            .map_err(|error| FindError::NotFound(format!("{repository:?}: {error}")))?;
        let told = |error: Error| told(&error, secret.is_some());
        let access = self.access(namespace, secret).await?;
        let forge = self.github.open(&access).map_err(told)?;
        let reference = match reference {
            Some(reference) => reference.to_owned(),
            None => forge.repository(&name).await.map_err(told)?.default_branch,
        };
        let tree = forge.tree(&name, &reference).await.map_err(told)?;
        let mut remarks = Vec::new();
        if !tree.is_whole {
            remarks.push(
                "the repository has more files than GitHub lists; some services may be missing"
                    .to_owned(),
            );
        }
        let named = match found::compose_file(&tree.files) {
            Some(file) => named(&*forge, &name, &reference, file, &mut remarks).await,
            None => Vec::new(),
        };
        Ok(FoundServices {
            services: found::together(named, found::in_tree(&tree.files, name.name())),
            repository: name.to_string(),
            reference,
            remarks,
        })
    }

    async fn access(&self, namespace: &str, secret: Option<&str>) -> Result<Access, FindError> {
        let credential = match secret {
            None => Credential::Nobody,
            Some(name) => inputs::secret(&self.client, namespace, name)
                .await
                .map_err(|error| match error {
                    Unusable::Api(_) => FindError::Unavailable(error.to_string()),
                    Unusable::Refused(refusal) => FindError::NotFound(refusal.message),
                })?,
        };
        Ok(Access {
            api_url: self.api_url.clone(),
            credential,
        })
    }
}

/// What the Compose file names. One that cannot be read is a remark: the folders tell of services all the same.
async fn named(
    forge: &dyn Forge,
    repository: &RepositoryName,
    reference: &str,
    file: &str,
    remarks: &mut Vec<String>,
) -> Vec<FoundService> {
    let text = match forge.text(repository, file, reference).await {
        Ok(text) => text,
        Err(error) => {
            remarks.push(format!("{file}: {error}"));
            return Vec::new();
        }
    };
    let whole = repository.to_string();
    match compose::read(&text, repository.name(), Some(&whole)) {
        Ok(read) => found::in_compose(&read.manifest, file),
        Err(error) => {
            remarks.push(format!("{file}: {error}"));
            Vec::new()
        }
    }
}

/// The error with what a person can do who has just asked: nothing is tried again by itself.
fn told(error: &Error, has_credential: bool) -> FindError {
    let class = error.class();
    let step = match class {
        Class::NotFound if has_credential => {
            "Check the name and the branch, and that the Secret's token or app was given this repository"
        }
        Class::NotFound => {
            "Check the name and the branch; of a private repository, name a Secret with a GitHub token"
        }
        Class::RateLimited if !has_credential => {
            "GitHub lets people without a credential ask little: name a Secret with a GitHub token"
        }
        Class::RateLimited => "Look again then",
        Class::Unauthorized => "Make a new token at GitHub and put it into the Secret",
        Class::Transient | Class::Ambiguous => {
            "Look again; if it lasts, see whether this server reaches GitHub (--github-api), and githubstatus.com"
        }
        Class::Forbidden | Class::Invalid | Class::Unreadable => error.next_step(),
    };
    let words = format!("{error}. {step}");
    match class {
        Class::NotFound => FindError::NotFound(words),
        _ => FindError::Unavailable(words),
    }
}

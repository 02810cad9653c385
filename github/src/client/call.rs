//! One call: its turn, its token, and what its answer means.

use http::{HeaderValue, Method, header, request::Builder};
use octocrab::{FromResponse, map_github_error};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Authority, Client,
    classify::{Asked, refused, unanswered},
    limits::until_reset,
};
use crate::{error::Error, id::RepositoryName, transport::TransportError};

/// What is asked of GitHub.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    /// In a few words, after "GitHub, asked to".
    pub(crate) operation: String,
    pub(crate) method: Method,
    /// Absolute.
    pub(crate) address: String,
    pub(crate) body: Option<Value>,
    /// The right it needs, as GitHub's settings call it.
    pub(crate) needs: &'static str,
    pub(crate) on_behalf_of: Behalf<'a>,
}

/// Which of a credential's tokens a call takes; for a plain token they are all one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Behalf<'a> {
    /// What may act on this repository.
    Repository(&'a RepositoryName),
    /// This token, which an app made for itself.
    Token(&'a SecretString),
    /// Whoever the token belongs to.
    Nobody,
}

impl Call<'_> {
    pub(super) fn asked(&self) -> Asked<'_> {
        Asked {
            operation: &self.operation,
            writes: self.method != Method::GET,
            needs: self.needs,
        }
    }
}

impl Client {
    /// Asks, and reads the answer as one value.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, Error> {
        self.ask_as(call).await
    }

    /// Asks, and reads the answer in octocrab's way: a value, or a page of a list.
    pub(super) async fn ask_as<T: FromResponse>(&self, call: &Call<'_>) -> Result<T, Error> {
        let token = self.token(call).await?;
        match self.ask_with(call, token.as_ref()).await {
            // Refused before anything happened. A token may die before its hour: with a new one it is another question.
            Err(Error::Unauthorized(_)) if self.drop_token(call, token.as_ref()).await => {
                let token = self.token(call).await?;
                self.ask_with(call, token.as_ref()).await
            }
            answer => answer,
        }
    }

    /// The token that a call takes; none where nobody asks.
    async fn token(&self, call: &Call<'_>) -> Result<Option<SecretString>, Error> {
        match (&self.authority, call.on_behalf_of) {
            (_, Behalf::Token(token)) => Ok(Some(token.clone())),
            (Authority::Nobody, _) => Ok(None),
            (Authority::Token(token), _) => Ok(Some(token.clone())),
            (Authority::App(app), Behalf::Repository(repository)) => {
                // Boxed: getting a token is itself a call.
                Box::pin(app.token(self, repository)).await.map(Some)
            }
            (Authority::App(app), Behalf::Nobody) => app.assertion(self.now()).map(Some),
        }
    }

    /// Forgets a token that was refused; false when there is no way to another.
    async fn drop_token(&self, call: &Call<'_>, token: Option<&SecretString>) -> bool {
        match (&self.authority, call.on_behalf_of, token) {
            (Authority::App(app), Behalf::Repository(_), Some(token)) => app.forget(token).await,
            _ => false,
        }
    }

    async fn ask_with<T: FromResponse>(
        &self,
        call: &Call<'_>,
        token: Option<&SecretString>,
    ) -> Result<T, Error> {
        let asked = call.asked();
        self.gate.pass(asked.writes).map_err(|closed| {
            asked.rate_limited(asked.failure(closed.why), closed.wait, self.now())
        })?;
        let mut builder = Builder::new()
            .method(call.method.clone())
            .uri(&call.address);
        if let Some(token) = token {
            let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
                .map_err(|_| {
                    Error::Unauthorized(asked.failure(
                        "the token holds characters that no token has; look for a line break",
                    ))
                })?;
            bearer.set_sensitive(true);
            builder = builder.header(header::AUTHORIZATION, bearer);
        }
        let result = async {
            let request = self.octocrab.build_request(builder, call.body.as_ref())?;
            let answer = map_github_error(self.octocrab.execute(request).await?).await?;
            T::from_response(answer).await
        }
        .await;
        let result = result.map_err(|error| self.understand(asked, &error));
        match &result {
            Ok(_) => tracing::debug!(operation = call.operation, "GitHub answered"),
            Err(error) => tracing::debug!(
                operation = call.operation,
                class = %error.class(),
                "GitHub did not do it"
            ),
        }
        result
    }

    /// What a failure of octocrab's means, and what it closes for later calls.
    fn understand(&self, asked: Asked<'_>, error: &octocrab::Error) -> Error {
        let now = self.now();
        match error {
            octocrab::Error::GitHub { source, .. } => {
                let error = refused(asked, source, now);
                if let Error::RateLimited { wait, .. } = &error {
                    self.channel.traffic().rate_limited += 1;
                    // A spent hour outlasts what a single refusal asks for.
                    let told = self.channel.traffic().rate_limit;
                    let spent = told.filter(|told| told.remaining == 0);
                    let until = spent
                        .zip(source.headers.as_ref())
                        .map(|(told, headers)| until_reset(told, headers, now));
                    self.gate.close_for(until.unwrap_or_default().max(*wait));
                }
                error
            }
            octocrab::Error::Service { source, .. } => {
                match source.downcast_ref::<TransportError>() {
                    Some(error) => unanswered(asked, error),
                    None => unanswered(asked, &TransportError::NoAnswer(source.to_string())),
                }
            }
            // Where in the answer, and not what stands there.
            octocrab::Error::Json { source, .. } => asked.unreadable(format!(
                "the answer is not what GitHub's API answers, at {}: {}",
                source.path(),
                source.inner()
            )),
            octocrab::Error::Serde { source, .. } => asked.unreadable(format!(
                "the answer is not what GitHub's API answers: {source}"
            )),
            octocrab::Error::Uri { .. } | octocrab::Error::Http { .. } => Error::Invalid(
                asked.failure("the address is not one that can be asked; check apiUrl"),
            ),
            other => asked.unreadable(other.to_string()),
        }
    }
}

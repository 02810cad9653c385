//! One call: its turn in the budget, its attempts, its span, and what its answer means.

use std::{borrow::Cow, sync::atomic::Ordering, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use graphql_client::{GraphQLQuery, QueryBody};
use http::{Request, Response, StatusCode, header};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::Instant;
use tracing::{Instrument, field::Empty};

use crate::{
    budget::RateHeaders,
    client::Client,
    error::{Answer, Class, Error, Failure, classify},
    operations::{Kind, kind_of},
    secret::SecretValue,
    transport::TransportError,
};

/// Attempts at a query, the first included.
const ATTEMPTS: usize = 4;

/// A refusal for the rate that ends within this is waited for and the call repeated: nothing had happened.
const SHORT_PAUSE: Duration = Duration::from_secs(10);

/// Railway's creation throttles name no time; they last 30 s (observed).
const THROTTLE: Duration = Duration::from_secs(31);

/// A document with its variables, ready to be sent any number of times.
struct Prepared<'a> {
    operation: &'static str,
    kind: Kind,
    body: Bytes,
    /// Values that the variables carry; Railway's messages may quote them.
    secrets: &'a [SecretValue],
}

/// A GraphQL answer whose `data` may be incomplete.
#[derive(Debug, Deserialize)]
pub(crate) struct Body {
    #[serde(default)]
    pub(crate) data: Option<Value>,
    #[serde(default, deserialize_with = "null_is_none")]
    pub(crate) errors: Vec<Entry>,
}

/// Some servers write `"errors": null` where there are none.
fn null_is_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Entry>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// An entry of `errors`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Entry {
    pub(super) message: String,
    #[serde(default)]
    pub(super) path: Option<Vec<Value>>,
    #[serde(default)]
    extensions: Option<Value>,
    #[serde(default, rename = "traceId")]
    trace_id: Option<Value>,
}

impl Entry {
    fn extension(&self, name: &str) -> Option<&str> {
        self.extensions.as_ref()?.get(name)?.as_str()
    }

    fn trace_id(&self) -> Option<String> {
        match &self.trace_id {
            Some(Value::String(id)) => Some(id.clone()),
            Some(Value::Number(id)) => Some(id.to_string()),
            _ => self.extension("traceId").map(str::to_owned),
        }
    }
}

impl Client {
    /// Calls a typed operation. Any error entry fails it, even beside data.
    pub(crate) async fn call<Q: GraphQLQuery>(
        &self,
        variables: Q::Variables,
    ) -> Result<Q::ResponseData, Error> {
        self.call_hiding::<Q>(variables, &[]).await
    }

    /// The same for variables that carry secret values.
    pub(crate) async fn call_hiding<Q: GraphQLQuery>(
        &self,
        variables: Q::Variables,
        secrets: &[SecretValue],
    ) -> Result<Q::ResponseData, Error> {
        let body = Q::build_query(variables);
        let (operation, kind) = (body.operation_name, kind_of(body.query));
        let data = self.call_untyped(body, secrets).await?;
        read(operation, kind, data)
    }

    /// The same, with the data as it came: for the few answers that break their own schema.
    pub(super) async fn call_untyped<V: Serialize>(
        &self,
        body: QueryBody<V>,
        secrets: &[SecretValue],
    ) -> Result<Value, Error> {
        let (operation, document) = (body.operation_name, body.query);
        let answer = self.send(operation, document, &body, secrets).await?;
        self.complete(operation, kind_of(document), answer)
    }

    /// Sends a document that is made at run time and returns whatever came, for the caller to sort by alias.
    pub(crate) async fn call_by_alias(
        &self,
        operation: &'static str,
        document: &str,
        variables: Value,
    ) -> Result<Body, Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Document<'a> {
            query: &'a str,
            variables: Value,
            operation_name: &'static str,
        }
        let body = Document {
            query: document,
            variables,
            operation_name: operation,
        };
        self.send(operation, document, &body, &[]).await
    }

    /// The error that an entry of a partial answer stands for.
    pub(super) fn entry_error(&self, operation: &'static str, kind: Kind, entry: &Entry) -> Error {
        let class = classify(Answer {
            kind,
            status: 200,
            message: Some(&entry.message),
            code: entry.extension("code"),
        });
        let failure = Failure {
            operation,
            message: entry.message.clone(),
            trace_id: entry.trace_id(),
        };
        self.error(class, failure, THROTTLE)
    }

    fn complete(&self, operation: &'static str, kind: Kind, body: Body) -> Result<Value, Error> {
        match body {
            Body { errors, .. } if !errors.is_empty() => {
                Err(self.entry_error(operation, kind, &errors[0]))
            }
            Body {
                data: Some(data), ..
            } => Ok(data),
            Body { data: None, .. } => Err(unreadable(operation, kind, "neither data nor errors")),
        }
    }

    async fn send(
        &self,
        operation: &'static str,
        document: &str,
        body: &impl Serialize,
        secrets: &[SecretValue],
    ) -> Result<Body, Error> {
        let kind = kind_of(document);
        let body = serde_json::to_vec(body)
            .map_err(|error| Error::Invalid(Failure::new(operation, error.to_string())))?;
        let prepared = Prepared {
            operation,
            kind,
            body: body.into(),
            secrets,
        };
        let call = self.inner.calls.fetch_add(1, Ordering::Relaxed);
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(500))
            .with_max_delay(Duration::from_secs(10))
            .with_max_times(ATTEMPTS - 1)
            .with_jitter()
            .with_jitter_seed(self.inner.seed.wrapping_add(call))
            .build();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let span = tracing::info_span!(
                "railway",
                operation,
                attempt,
                cost = 1,
                class = Empty,
                trace_id = Empty
            );
            let result = self.attempt(&prepared).instrument(span.clone()).await;
            let class = class_of(self, &prepared, &result);
            span.record("class", class.map_or("ok", Into::into));
            let pause = match &result {
                Err(Error::Transient(_)) => pauses.next(),
                Err(Error::RateLimited { wait, .. }) if *wait <= SHORT_PAUSE => {
                    pauses.next().map(|_| Duration::ZERO)
                }
                _ => None,
            };
            match (result, pause) {
                (Err(error), Some(pause)) => {
                    tracing::debug!(parent: &span, %error, ?pause, "asking Railway again");
                    tokio::time::sleep(pause).await;
                }
                (result, _) => return result,
            }
        }
    }

    async fn attempt(&self, prepared: &Prepared<'_>) -> Result<Body, Error> {
        let operation = prepared.operation;
        let request = self.request(prepared)?;
        let budget = &self.inner.budget;
        budget
            .acquire(self.priority)
            .await
            .map_err(|wait| self.rate_limited(operation, "the request budget is used up", wait))?;
        let result = match self.inner.transport.send(request).await {
            Ok(response) => self.understand(prepared, &response),
            Err(error) => {
                budget.unanswered();
                let failure = Failure::new(operation, error.to_string());
                Err(match (error, prepared.kind) {
                    (TransportError::NotSent(_), _) | (_, Kind::Query) => Error::Transient(failure),
                    (TransportError::NoAnswer(_), Kind::Mutation) => Error::Ambiguous(failure),
                })
            }
        };
        budget.count(operation, self.priority, class_of(self, prepared, &result));
        if let Err(error) = &result
            && let Some(trace_id) = error.trace_id()
        {
            tracing::Span::current().record("trace_id", trace_id);
        }
        result
    }

    fn request(&self, prepared: &Prepared<'_>) -> Result<Request<Bytes>, Error> {
        let Some((name, value)) = &self.inner.credential.header else {
            return Err(Error::Unauthorized(Failure::new(
                prepared.operation,
                "the token has characters that no token has",
            )));
        };
        Request::post(self.inner.endpoint.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .header(
                header::USER_AGENT,
                concat!("mirage/", env!("CARGO_PKG_VERSION")),
            )
            .header(name, value)
            .body(prepared.body.clone())
            .map_err(|error| Error::Invalid(Failure::new(prepared.operation, error.to_string())))
    }

    /// Books what the headers say and tells a GraphQL answer from everything else.
    fn understand(
        &self,
        prepared: &Prepared<'_>,
        response: &Response<Bytes>,
    ) -> Result<Body, Error> {
        let headers = RateHeaders::read(response.headers(), self.now());
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let by_gateway = response.body().windows(4).any(|four| four == b"1015");
            let until = self.inner.budget.refused(&headers, by_gateway);
            let wait = until.saturating_duration_since(Instant::now());
            let failure = Failure::new(prepared.operation, "Railway's rate limit is used up");
            return Err(self.rate_limited_for(failure, wait));
        }
        self.inner.budget.answered(&headers);
        let body: Option<Body> = serde_json::from_slice(response.body()).ok();
        match body {
            Some(mut body) if status.is_success() || !body.errors.is_empty() => {
                for entry in &mut body.errors {
                    entry.message = hide(&entry.message, prepared.secrets);
                }
                // What no alias can explain away: the answer as a whole was refused.
                match body.errors.first() {
                    Some(entry) if !status.is_success() => {
                        let class = classify(Answer {
                            kind: prepared.kind,
                            status: status.as_u16(),
                            message: Some(&entry.message),
                            code: entry.extension("code"),
                        });
                        let failure = Failure {
                            operation: prepared.operation,
                            message: entry.message.clone(),
                            trace_id: entry.trace_id(),
                        };
                        Err(self.error(class, failure, THROTTLE))
                    }
                    _ => Ok(body),
                }
            }
            _ => {
                let class = classify(Answer {
                    kind: prepared.kind,
                    status: status.as_u16(),
                    message: None,
                    code: None,
                });
                let message = format!("HTTP {status} without a readable answer");
                Err(self.error(class, Failure::new(prepared.operation, message), THROTTLE))
            }
        }
    }

    fn error(&self, class: Class, failure: Failure, throttle: Duration) -> Error {
        match class {
            Class::RateLimited => self.rate_limited_for(failure, throttle),
            Class::Transient => Error::Transient(failure),
            Class::Ambiguous => Error::Ambiguous(failure),
            Class::Unauthorized => Error::Unauthorized(failure),
            Class::NotFound => Error::NotFound(failure),
            Class::Invalid => Error::Invalid(failure),
            Class::Conflict => Error::Conflict(failure),
            Class::Stale => Error::Stale(failure),
            Class::NotYet => Error::NotYet(failure),
            Class::Unsupported => Error::Unsupported(failure),
        }
    }
}

/// For the metric: an answer with error entries counts as its first error, though aliases may have been served.
fn class_of(
    client: &Client,
    prepared: &Prepared<'_>,
    result: &Result<Body, Error>,
) -> Option<Class> {
    match result {
        Ok(body) => body.errors.first().map(|entry| {
            client
                .entry_error(prepared.operation, prepared.kind, entry)
                .class()
        }),
        Err(error) => Some(error.class()),
    }
}

/// `data` as the operation's type. What does not fit is no answer: for a mutation the effect is then unknown.
pub(super) fn read<T: DeserializeOwned>(
    operation: &'static str,
    kind: Kind,
    data: Value,
) -> Result<T, Error> {
    // serde's message may quote a value, so it is not passed on.
    serde_json::from_value(data)
        .map_err(|_| unreadable(operation, kind, "the answer has not the expected shape"))
}

pub(super) fn unreadable(operation: &'static str, kind: Kind, what: &str) -> Error {
    let failure = Failure::new(operation, what);
    match kind {
        Kind::Query => Error::Transient(failure),
        Kind::Mutation => Error::Ambiguous(failure),
    }
}

/// Railway's message without the values that we sent. GraphQL servers quote a variable that they refuse.
fn hide(message: &str, secrets: &[SecretValue]) -> String {
    /// Shorter values are no secrets, and replacing them would garble the message.
    const SHORTEST_SECRET: usize = 4;
    const QUOTING: [&str; 2] = ["got invalid value", "invalid value"];
    if secrets.is_empty() {
        return message.to_owned();
    }
    let mut shown: Cow<'_, str> = Cow::Borrowed(message);
    for secret in secrets {
        let value = secret.expose();
        if value.len() < SHORTEST_SECRET {
            continue;
        }
        let quoted = Value::from(value).to_string();
        for form in [value, quoted.trim_matches('"')] {
            if shown.contains(form) {
                shown = Cow::Owned(shown.replace(form, "[hidden]"));
            }
        }
    }
    match QUOTING.iter().find_map(|quoting| shown.find(quoting)) {
        Some(at) => format!("{}[value hidden]", &shown[..at]),
        None => shown.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_shows_no_value_that_was_sent() {
        let secrets = [
            SecretValue::new("hunter2"),
            SecretValue::new("quo\"ted\nvalue"),
        ];
        for message in [
            "value hunter2 is too long",
            "bad \"quo\\\"ted\\nvalue\" here",
            "Variable \"$input\" got invalid value { A: \"hun\" + \"ter2\" }",
        ] {
            let shown = hide(message, &secrets);
            assert!(
                !shown.contains("hunter2") && !shown.contains("ter2"),
                "{shown}"
            );
            assert!(!shown.contains("quo\\\"ted"), "{shown}");
        }
        assert_eq!(hide("Not Authorized", &secrets), "Not Authorized");
    }
}

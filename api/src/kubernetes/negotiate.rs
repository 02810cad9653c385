//! Which form of an answer the client would like best, of those that there are.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;

use super::request::Query;
use crate::error::{Reason, Status};

/// The form of the objects in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As they are.
    Object,
    /// Rows for people.
    Table,
    /// Their metadata only.
    Partial,
}

/// How the answer is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/json`
    Json,
    /// The same with line breaks, for people.
    PrettyJson,
    /// `application/yaml`
    Yaml,
}

/// How much of an object comes with its table row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString)]
#[allow(missing_docs, reason = "the names are Kubernetes' own vocabulary")]
pub enum IncludeObject {
    None,
    Metadata,
    Object,
}

/// What was agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accept {
    /// The form of the objects.
    pub form: Form,
    /// How it is written down.
    pub encoding: Encoding,
}

/// One entry of an `Accept` header.
pub(super) struct MediaRange<'h> {
    pub(super) media: &'h str,
    parameters: Vec<(&'h str, &'h str)>,
}

impl<'h> MediaRange<'h> {
    fn parse(text: &'h str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        let parameters = parts.filter_map(|part| part.split_once('=')).collect();
        Self { media, parameters }
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&'h str> {
        self.parameters
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| *value)
    }
}

/// The entries of the `Accept` headers, in order. None stands for `*/*`.
pub(super) fn media_ranges(headers: &HeaderMap) -> Vec<MediaRange<'_>> {
    let values = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let ranges: Vec<_> = values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .map(MediaRange::parse)
        .collect();
    if ranges.is_empty() {
        vec![MediaRange::parse("*/*")]
    } else {
        ranges
    }
}

impl Accept {
    /// JSON, as it is.
    pub const JSON: Self = Self {
        form: Form::Object,
        encoding: Encoding::Json,
    };

    /// The first entry that can be served.
    ///
    /// # Errors
    /// 406 when none can.
    pub fn negotiate(headers: &HeaderMap) -> Result<Self, Status> {
        let accepted = media_ranges(headers).iter().find_map(|range| {
            let encoding = match range.media {
                "application/json" | "application/*" | "*/*" => Encoding::Json,
                "application/yaml" => Encoding::Yaml,
                _ => return None,
            };
            let form = match range.parameter("as") {
                None => Form::Object,
                Some("Table") => Form::Table,
                Some("PartialObjectMetadata" | "PartialObjectMetadataList") => Form::Partial,
                Some(_) => return None,
            };
            Some(Self { form, encoding })
        });
        accepted.ok_or_else(|| {
            Status::new(
                Reason::NotAcceptable,
                "only the following media types are accepted: application/json, application/yaml",
            )
        })
    }

    /// The same, laid out for people when the query says `pretty`.
    ///
    /// # Errors
    /// 400 when `pretty` is not a boolean.
    pub fn pretty(self, query: &Query) -> Result<Self, Status> {
        Ok(match self.encoding {
            Encoding::Json if query.flag("pretty")? => Self {
                encoding: Encoding::PrettyJson,
                ..self
            },
            _ => self,
        })
    }

    /// An answer in the agreed encoding.
    pub fn respond(self, code: StatusCode, body: &Value) -> Response {
        let (text, content_type) = match self.encoding {
            Encoding::Json => (body.to_string(), "application/json"),
            Encoding::PrettyJson => (format!("{body:#}\n"), "application/json"),
            Encoding::Yaml => match serde_yaml::to_string(body) {
                Ok(text) => (text, "application/yaml"),
                Err(_) => (body.to_string(), "application/json"),
            },
        };
        written(code, text, content_type)
    }

    /// An answer that is JSON already.
    pub fn json(self, code: StatusCode, text: String) -> Response {
        written(code, text, "application/json")
    }
}

fn written(code: StatusCode, text: String, content_type: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache, private"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_entry_that_can_be_served_wins() {
        for (accept, expected) in [
            ("", Some((Form::Object, Encoding::Json))),
            (
                "application/json, */*",
                Some((Form::Object, Encoding::Json)),
            ),
            (
                "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
                Some((Form::Table, Encoding::Json)),
            ),
            (
                "application/json;g=meta.k8s.io;as=PartialObjectMetadataList;v=v1",
                Some((Form::Partial, Encoding::Json)),
            ),
            (
                "application/vnd.kubernetes.protobuf,application/json",
                Some((Form::Object, Encoding::Json)),
            ),
            ("application/yaml", Some((Form::Object, Encoding::Yaml))),
            ("application/vnd.kubernetes.protobuf", None),
            ("text/html,*/*;q=0.1", Some((Form::Object, Encoding::Json))),
        ] {
            let mut headers = HeaderMap::new();
            if !accept.is_empty() {
                headers.insert(header::ACCEPT, accept.parse().unwrap());
            }
            let found = Accept::negotiate(&headers)
                .ok()
                .map(|accept| (accept.form, accept.encoding));
            assert_eq!(found, expected, "{accept}");
        }
    }
}

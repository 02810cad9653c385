//! From method, path and query to what is asked for, in one place.
//!
//! `/api/v1/namespaces/{ns}/{plural}` and `/api/v1/namespaces/{name}/status` have the same shape, so a path router cannot
//! tell them apart. Everything that needs to know what a request is about (dispatch, permissions, audit) reads this.

use http::Method;
use url::form_urlencoded;

use super::metadata;
use crate::error::{CauseReason, Fault, Status};

/// What is done to a resource; the name in lower case is Kubernetes' own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::IntoStaticStr, strum::EnumString)]
#[strum(serialize_all = "lowercase")]
#[allow(missing_docs, reason = "the names are Kubernetes' own vocabulary")]
pub enum Verb {
    Create,
    Delete,
    DeleteCollection,
    Get,
    List,
    Patch,
    Update,
    Watch,
}

/// A request, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A document about the server itself.
    Document(Document),
    /// Objects.
    Resource(RequestInfo),
}

/// What is asked of the server's health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// `healthz`, `livez` or `readyz`
    pub endpoint: String,
    /// One check only.
    pub check: Option<String>,
}

/// What the server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the paths")]
pub enum Document {
    Index,
    Version,
    Health(Probe),
    CoreVersions,
    Groups,
    Group(String),
    GroupVersion {
        group: String,
        version: String,
    },
    OpenApi,
    OpenApiV2,
    /// `api/v1` or `apis/{group}/{version}`
    OpenApiOf(String),
}

/// Which objects a request is about and what it does to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestInfo {
    /// What is done.
    pub verb: Verb,
    /// Empty for the core group.
    pub group: String,
    /// `v1alpha1`
    pub version: String,
    /// Absent for cluster-scoped kinds and for lists over all namespaces.
    pub namespace: Option<String>,
    /// The plural.
    pub resource: String,
    /// Absent for collections.
    pub name: Option<String>,
    /// `status`
    pub subresource: Option<String>,
}

/// Understands a request.
///
/// # Errors
/// 404 for paths of no known shape, 405 for methods that never apply.
pub fn parse(method: &Method, path: &str, query: &Query) -> Result<Target, Status> {
    let segments = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(percent_decoded)
        .collect::<Option<Vec<String>>>()
        .ok_or_else(|| Status::bad_request("the path is not valid UTF-8"))?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let document = match segments.as_slice() {
        [] => Document::Index,
        ["version"] => Document::Version,
        [endpoint @ ("healthz" | "livez" | "readyz")] => Document::Health(Probe {
            endpoint: (*endpoint).to_owned(),
            check: None,
        }),
        [endpoint @ ("healthz" | "livez" | "readyz"), check] => Document::Health(Probe {
            endpoint: (*endpoint).to_owned(),
            check: Some((*check).to_owned()),
        }),
        ["api"] => Document::CoreVersions,
        ["apis"] => Document::Groups,
        ["apis", group] => Document::Group((*group).to_owned()),
        ["api", version] => Document::GroupVersion {
            group: String::new(),
            version: (*version).to_owned(),
        },
        ["apis", group, version] => Document::GroupVersion {
            group: (*group).to_owned(),
            version: (*version).to_owned(),
        },
        ["openapi", "v3"] => Document::OpenApi,
        ["openapi", "v2"] => Document::OpenApiV2,
        ["openapi", "v3", rest @ ..] => Document::OpenApiOf(rest.join("/")),
        ["api", version, rest @ ..] => {
            return resource(method, "", version, rest, query).map(Target::Resource);
        }
        ["apis", group, version, rest @ ..] => {
            return resource(method, group, version, rest, query).map(Target::Resource);
        }
        _ => return Err(Status::unknown_path()),
    };
    match *method {
        Method::GET | Method::HEAD => Ok(Target::Document(document)),
        _ => Err(Status::method_not_allowed()),
    }
}

fn resource(
    method: &Method,
    group: &str,
    version: &str,
    rest: &[&str],
    query: &Query,
) -> Result<RequestInfo, Status> {
    let (namespace, rest) = match rest {
        // These belong to the namespace object itself, not to a kind called "status".
        ["namespaces", _, "status" | "finalize"] => (None, rest),
        ["namespaces", namespace, inside @ ..] if !inside.is_empty() => {
            (Some((*namespace).to_owned()), inside)
        }
        _ => (None, rest),
    };
    let (resource, name, subresource) = match rest {
        [resource] => (*resource, None, None),
        [resource, name] => (*resource, Some(*name), None),
        [resource, name, subresource] => (*resource, Some(*name), Some(*subresource)),
        _ => return Err(Status::unknown_path()),
    };
    let verb = match (method.as_str(), name) {
        ("GET" | "HEAD", Some(_)) => Verb::Get,
        ("GET" | "HEAD", None) if query.flag("watch")? => Verb::Watch,
        ("GET" | "HEAD", None) => Verb::List,
        ("POST", None) => Verb::Create,
        ("PUT", Some(_)) => Verb::Update,
        ("PATCH", Some(_)) => Verb::Patch,
        ("DELETE", Some(_)) => Verb::Delete,
        ("DELETE", None) => Verb::DeleteCollection,
        _ => return Err(Status::method_not_allowed()),
    };
    Ok(RequestInfo {
        verb,
        group: group.to_owned(),
        version: version.to_owned(),
        namespace,
        resource: resource.to_owned(),
        name: name.map(str::to_owned),
        subresource: subresource.map(str::to_owned),
    })
}

fn percent_decoded(segment: &str) -> Option<String> {
    if !segment.contains('%') {
        return Some(segment.to_owned());
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
                rest = after;
            }
            (b'%', _) => return None,
            (byte, tail) => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// The query string. Empty pairs are ignored: kube-rs writes `?&limit=500`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

/// How unknown fields are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString)]
#[allow(missing_docs, reason = "the names are Kubernetes' own vocabulary")]
pub enum FieldValidation {
    Strict,
    Warn,
    Ignore,
}

impl Query {
    /// Splits and decodes a raw query string.
    pub fn parse(raw: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(raw.unwrap_or_default().as_bytes())
            .filter(|(key, _)| !key.is_empty())
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        Self(pairs)
    }

    /// The first non-empty value.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(name, value)| name == key && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// The name of an object. It may become a part of an address that is asked with the controllers' rights, so it is held to
    /// what a name is.
    pub(crate) fn name(&self, key: &str) -> Result<Option<&str>, Status> {
        match self.get(key) {
            Some(name) if !metadata::is_subdomain(name) => Err(Status::bad_request(format!(
                "{key}: {name:?} is no name: lower-case letters, digits, '-' and '.'"
            ))),
            name => Ok(name),
        }
    }

    /// The namespace; `default` where none is given.
    pub(crate) fn namespace(&self) -> Result<&str, Status> {
        Ok(self.name("namespace")?.unwrap_or("default"))
    }

    /// A boolean; `?watch` and `?watch=1` are true.
    pub fn flag(&self, key: &str) -> Result<bool, Status> {
        match self
            .0
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
        {
            None | Some("false" | "0" | "False" | "f") => Ok(false),
            Some("true" | "1" | "True" | "t" | "") => Ok(true),
            Some(other) => Err(Status::bad_request(format!(
                "{key}: {other:?} is not a boolean"
            ))),
        }
    }

    /// All non-empty values.
    pub fn all<'q>(&'q self, key: &'q str) -> impl Iterator<Item = &'q str> {
        let values = self.0.iter().filter(move |(name, _)| name == key);
        values
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// A non-negative number.
    pub fn number(&self, key: &str) -> Result<Option<u64>, Status> {
        self.get(key)
            .map(|text| {
                text.parse().map_err(|_| {
                    Status::bad_request(format!("{key}: {text:?} is not a non-negative integer"))
                })
            })
            .transpose()
    }

    /// Whether the request is to have no effect. Anything but `All` is refused, so that a misspelt dry run never writes.
    pub fn is_dry_run(&self) -> Result<bool, Status> {
        let values = || {
            self.0
                .iter()
                .filter(|(key, value)| key == "dryRun" && !value.is_empty())
        };
        match values().find(|(_, value)| value != "All") {
            Some((_, value)) => Err(Status::invalid(
                "meta.k8s.io",
                "CreateOptions",
                "",
                vec![Fault::new(
                    "dryRun",
                    CauseReason::FieldValueNotSupported,
                    format!("Unsupported value: {value:?}: supported values: \"All\""),
                )],
            )),
            None => Ok(values().next().is_some()),
        }
    }

    /// What to do with unknown fields.
    pub fn field_validation(&self) -> Result<FieldValidation, Status> {
        self.get("fieldValidation")
            .map_or(Ok(FieldValidation::Warn), |text| {
                text.parse().map_err(|_| {
                    Status::bad_request(format!(
                        "fieldValidation: {text:?} is none of Ignore, Strict, Warn"
                    ))
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn info(method: &str, uri: &str) -> String {
        let (path, query) = uri
            .split_once('?')
            .map_or((uri, None), |(path, query)| (path, Some(query)));
        let method: Method = method.parse().unwrap();
        match parse(&method, path, &Query::parse(query)) {
            Ok(Target::Resource(info)) => format!(
                "{} {}/{} {} {} {} {}",
                <&str>::from(info.verb),
                info.group,
                info.version,
                info.namespace.as_deref().unwrap_or("-"),
                info.resource,
                info.name.as_deref().unwrap_or("-"),
                info.subresource.as_deref().unwrap_or("-")
            ),
            Ok(Target::Document(document)) => format!("{document:?}"),
            Err(status) => format!("{}", status.reason().code().as_u16()),
        }
    }

    #[test]
    fn paths_and_methods_become_what_is_asked_for() {
        for (method, uri, expected) in [
            ("GET", "/", "Index"),
            ("GET", "/version/", "Version"),
            ("GET", "/apis/", "Groups"),
            ("GET", "/api", "CoreVersions"),
            (
                "GET",
                "/readyz/store",
                "Health(Probe { endpoint: \"readyz\", check: Some(\"store\") })",
            ),
            ("GET", "/apis/mirage.dev", "Group(\"mirage.dev\")"),
            (
                "GET",
                "/openapi/v3/apis/mirage.dev/v1alpha1?hash=1",
                "OpenApiOf(\"apis/mirage.dev/v1alpha1\")",
            ),
            ("GET", "/api/v1/namespaces", "list /v1 - namespaces - -"),
            (
                "GET",
                "/api/v1/namespaces/team",
                "get /v1 - namespaces team -",
            ),
            (
                "PUT",
                "/api/v1/namespaces/team/finalize",
                "update /v1 - namespaces team finalize",
            ),
            (
                "PATCH",
                "/api/v1/namespaces/team/status",
                "patch /v1 - namespaces team status",
            ),
            (
                "GET",
                "/api/v1/namespaces/team/secrets",
                "list /v1 team secrets - -",
            ),
            (
                "GET",
                "/api/v1/namespaces/team/secrets/a%3Ab",
                "get /v1 team secrets a:b -",
            ),
            (
                "GET",
                "/apis/mirage.dev/v1alpha1/environments",
                "list mirage.dev/v1alpha1 - environments - -",
            ),
            (
                "GET",
                "/apis/mirage.dev/v1alpha1/namespaces/x/environments?&watch=1",
                "watch mirage.dev/v1alpha1 x environments - -",
            ),
            (
                "PATCH",
                "/apis/mirage.dev/v1alpha1/namespaces/x/environments/web/status",
                "patch mirage.dev/v1alpha1 x environments web status",
            ),
            (
                "DELETE",
                "/apis/mirage.dev/v1alpha1/namespaces/x/environments",
                "deletecollection mirage.dev/v1alpha1 x environments - -",
            ),
            (
                "POST",
                "/apis/mirage.dev/v1alpha1/namespaces/x/environments/web",
                "405",
            ),
            ("GET", "/apis/g/v1/namespaces/x/things/a/b/c", "404"),
            ("GET", "/nothing", "404"),
            ("POST", "/version", "405"),
            ("GET", "/apis/g/v1/things?watch=perhaps", "400"),
            ("GET", "/apis/g/v1/things/%zz", "400"),
        ] {
            assert_eq!(info(method, uri), expected, "{method} {uri}");
        }
    }

    #[test]
    fn a_misspelt_dry_run_is_refused() {
        assert!(Query::parse(Some("dryRun=all")).is_dry_run().is_err());
        assert!(
            Query::parse(Some("dryRun=All&dryRun=All"))
                .is_dry_run()
                .unwrap()
        );
        assert!(!Query::parse(Some("&dryRun=")).is_dry_run().unwrap());
    }

    proptest! {
        #[test]
        fn no_path_or_query_panics(path in ".{0,60}", query in proptest::option::of(".{0,40}")) {
            let query = Query::parse(query.as_deref());
            let _ = parse(&Method::GET, &path, &query);
            let _ = query.is_dry_run();
        }
    }
}

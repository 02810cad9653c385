//! Why a command failed, in words for the person who typed it, with the next step.

use std::{error::Error as _, fmt::Write as _, io, path::PathBuf};

use kube::core::Status;

use mirage_api::store::maintenance::MaintenanceError;

use crate::{
    cli::{db, target::TargetError},
    serve::{ServeError, StorageError},
};

/// A command's failure. What each variant's help says is the reason why it is a variant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// No kubeconfig anywhere: most likely no server was ever started here.
    #[error("there is no server to talk to: {} does not exist and KUBECONFIG names no file", looked_for.display())]
    NoServer {
        /// Where the server on this machine would have left one.
        looked_for: PathBuf,
    },
    /// The kubeconfig does not serve.
    #[error("the kubeconfig {} cannot be used", path.display())]
    BadKubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<kube::config::KubeconfigError>,
    },
    /// `--server` is no URL.
    #[error("{server:?} is not the address of a server")]
    BadServer {
        /// What was given.
        server: String,
    },
    /// Nothing listens there.
    #[error("cannot reach the Mirage server at {server}")]
    Unreachable {
        /// The address.
        server: String,
        /// What the network said.
        #[source]
        source: Box<kube::Error>,
    },
    /// The server answered, and its answer was no.
    #[error("{}", refusal(status))]
    Refused {
        /// The answer.
        status: Box<Status>,
    },
    /// Something else between us and the server.
    #[error("the request to {server} failed")]
    Request {
        /// The address.
        server: String,
        /// What went wrong.
        #[source]
        source: Box<kube::Error>,
    },
    /// Words that are not objects.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Neither `-f` nor names.
    #[error("nothing to {verb}: neither a file (-f) nor a name was given")]
    NothingGiven {
        /// What was to be done.
        verb: &'static str,
    },
    /// A file that cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A folder or file without a manifest in it.
    #[error("there is no manifest in {}", path.display())]
    NoManifest {
        /// The folder or file.
        path: PathBuf,
    },
    /// A document that is not a manifest. The reason carries file, line and column.
    #[error("{reason}")]
    BadManifest {
        /// Where and what.
        reason: String,
    },
    /// `-n` and `metadata.namespace` differ.
    #[error("{}: metadata.namespace is {written:?}, but --namespace says {given:?}", file.display())]
    NamespaceContradiction {
        /// The manifest.
        file: PathBuf,
        /// In the manifest.
        written: String,
        /// On the command line.
        given: String,
    },
    /// An argument that parses and makes no sense.
    #[error("{0}")]
    Usage(String),
    /// Several objects were asked for, and these failed; each was reported when it did.
    #[error("{failed} of {all} failed")]
    Some {
        /// How many.
        failed: usize,
        /// Of how many.
        all: usize,
    },
    /// An object from the server does not look like its kind.
    #[error("the server's answer cannot be read")]
    Answer(#[source] serde_json::Error),
    /// The server did not start.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// `mirage db`: the database.
    #[error(transparent)]
    Database(#[from] MaintenanceError),
    /// `mirage db`: its key, or what keeps servers away from it.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The simulated Railway did not start.
    #[error("the simulated Railway did not start")]
    Simulator(#[source] mirage_railway_simulator::Error),
    /// There is no token for Railway.
    #[error("there is no token for Railway: neither RAILWAY_API_TOKEN nor RAILWAY_TOKEN is set")]
    NoRailwayToken,
    /// There is no HTTP client for Railway.
    #[error("no HTTP client for Railway")]
    Transport(#[source] mirage_railway::transport::TransportError),
    /// Stdout is gone.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

impl Failure {
    /// Sorts a client error by what the person can do about it.
    pub(crate) fn request(server: &str, source: kube::Error) -> Self {
        match source {
            kube::Error::Api(status) => Self::Refused { status },
            source if never_connected(&source) => Self::Unreachable {
                server: server.to_owned(),
                source: Box::new(source),
            },
            source => Self::Request {
                server: server.to_owned(),
                source: Box::new(source),
            },
        }
    }

    /// Whether the server says that there is no such object.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status } if status.code == 404)
    }

    /// What to do next, if there is something to say.
    fn next_step(&self) -> Option<String> {
        Some(match self {
            Self::NoServer { .. } => "start one with `mirage serve` (or `mirage serve --simulate-railway` to try it), or name one with --server or --kubeconfig".to_owned(),
            Self::Unreachable { server, .. } => format!("is it running? Start it with `mirage serve`, or name another with --server or --kubeconfig (this one is {server})"),
            Self::BadKubeconfig { .. } => "name another with --kubeconfig; `mirage serve` writes a fresh one into its data folder when it starts".to_owned(),
            Self::BadServer { .. } => "write it as a URL, for example http://127.0.0.1:7171".to_owned(),
            Self::Refused { status } => return refusal_step(status),
            Self::Request { source, .. } if is_about_certificates(source) => "the server's certificate is not signed by the CA that we know: give --certificate-authority the file tls/ca.crt of the server's data folder".to_owned(),
            Self::NothingGiven { .. } => "give a file with -f, or a name; --help has examples".to_owned(),
            Self::BadManifest { .. } => "`mirage validate -f` lists every fault with its line and column".to_owned(),
            Self::NoManifest { .. } => "manifests are files ending in .yaml, .yml or .json".to_owned(),
            Self::NamespaceContradiction { .. } => "leave one of the two out".to_owned(),
            Self::Serve(error) => return error.next_step().map(str::to_owned),
            Self::Storage(error) => return error.next_step().map(str::to_owned),
            Self::Database(error) => return db::next_step(error).map(str::to_owned),
            Self::NoRailwayToken => "make one at https://railway.com/account/tokens and set RAILWAY_API_TOKEN to it".to_owned(),
            _ => return None,
        })
    }

    /// The whole report for stderr: what, why, and what next.
    pub(crate) fn report(&self) -> String {
        let mut text = format!("error: {self}\n");
        let mut cause = self.source();
        let mut last = self.to_string();
        while let Some(error) = cause {
            let words = error.to_string();
            // Many errors repeat their source in their own words; once is enough.
            if !last.contains(&words) {
                let _ = writeln!(text, "  because: {words}");
            }
            last = words;
            cause = error.source();
        }
        if let Some(step) = self.next_step() {
            let _ = writeln!(text, "  help: {step}");
        }
        text
    }
}

/// The server's message, and one line per fault where it names several.
fn refusal(status: &Status) -> String {
    let causes: Vec<String> = status
        .details
        .iter()
        .flat_map(|details| &details.causes)
        .filter(|cause| !cause.field.is_empty())
        .map(|cause| format!("  {}: {}", cause.field, cause.message))
        .collect();
    if causes.is_empty() {
        return status.message.clone();
    }
    let subject = status
        .details
        .as_ref()
        .map(|details| format!("{} {:?}", details.kind, details.name))
        .unwrap_or_default();
    format!("{} is not valid:\n{}", subject.trim(), causes.join("\n"))
}

fn refusal_step(status: &Status) -> Option<String> {
    Some(
        match status.code {
            401 => "the server does not know this token: use the kubeconfig in its data folder (--kubeconfig), or set MIRAGE_TOKEN to what is in admin.token there",
            403 => "this identity may not do that: use another token or kubeconfig, or ask an administrator for a role (`kubectl auth can-i --list` shows what it may)",
            404 => "`mirage get` lists the environments of a namespace, `mirage get -A` those of all",
            409 if status.reason == "AlreadyExists" => "choose another name, or change what is there with `mirage apply`",
            409 => "someone else owns a field or changed the object meanwhile: look with `mirage get -o yaml`, then apply again (--force-conflicts takes the fields over)",
            422 => "correct the fields above and apply again; `mirage validate -f` finds such faults without a server",
            429 | 503 => "the server is busy or not ready yet: try again in a moment",
            _ => return None,
        }
        .to_owned(),
    )
}

/// Whether the error happened before anything was sent, as far as the chain of causes tells.
fn never_connected(error: &kube::Error) -> bool {
    chain(error).any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|io| {
            matches!(
                io.kind(),
                io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
                    | io::ErrorKind::AddrNotAvailable
                    | io::ErrorKind::TimedOut
            )
        })
    })
}

fn is_about_certificates(error: &kube::Error) -> bool {
    chain(error).any(|cause| {
        cause.is::<rustls::Error>()
            || cause
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref)
                .is_some_and(|inner| inner.is::<rustls::Error>())
    })
}

fn chain<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| (**error).source())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: serde_json::Value) -> String {
        Failure::request(
            "http://127.0.0.1:7171/",
            kube::Error::Api(Box::new(serde_json::from_value(status).unwrap())),
        )
        .report()
    }

    #[test]
    fn an_invalid_object_shows_every_field_and_the_next_step() {
        let report = refused(serde_json::json!({
            "status": "Failure", "code": 422, "reason": "Invalid", "message": "long",
            "details": {"kind": "Environment", "name": "shop", "causes": [
                {"reason": "FieldValueInvalid", "field": "spec.ttl", "message": "write 90s"},
                {"reason": "FieldValueNotFound", "field": "spec.services.api.dependsOn[0]", "message": "there is no service db"},
            ]},
        }));
        insta::assert_snapshot!(report, @r#"
        error: Environment "shop" is not valid:
          spec.ttl: write 90s
          spec.services.api.dependsOn[0]: there is no service db
          help: correct the fields above and apply again; `mirage validate -f` finds such faults without a server
        "#);
    }

    #[test]
    fn a_refused_token_names_the_two_places_for_a_good_one() {
        let report = refused(
            serde_json::json!({"code": 401, "message": "Unauthorized", "reason": "Unauthorized"}),
        );
        assert!(
            report.contains("kubeconfig") && report.contains("admin.token"),
            "{report}"
        );
    }

    #[test]
    fn a_missing_server_says_how_to_start_one() {
        let failure = Failure::NoServer {
            looked_for: ".mirage/kubeconfig".into(),
        };
        assert!(
            failure.report().contains("mirage serve"),
            "{}",
            failure.report()
        );
    }
}

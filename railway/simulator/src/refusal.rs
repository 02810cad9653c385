//! The ways in which Railway says no, with its own words: clients classify by message first.

use serde_json::{Value, json};

/// A business error: HTTP 200 with an entry in `errors`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Dead token, no access, or gone: Railway does not tell these apart.
    #[error("Not Authorized")]
    NotAuthorized,
    #[error("Project Token not found")]
    ProjectTokenNotFound,
    /// The kind of thing that is missing.
    #[error("{0} not found")]
    NotFound(&'static str),
    #[error("A service named \"{0}\" already exists in this project")]
    ServiceNameTaken(String),
    #[error("A volume named \"{0}\" already exists in this project")]
    VolumeNameTaken(String),
    #[error("An environment with that name already exists")]
    EnvironmentNameTaken,
    #[error("The domain {0} is already in use")]
    DomainTaken(String),
    #[error(
        "You are creating {plural} too quickly. This workspace allows 1 {singular} per 30 seconds."
    )]
    TooQuickly {
        plural: &'static str,
        singular: &'static str,
    },
    #[error(
        "Whoa there pal! Only one environment can be created per user every 30s. Try again in a sec"
    )]
    WhoaThere,
    #[error("Cannot redeploy yet, please wait for the original deployment to finish building")]
    StillBuilding,
    #[error("No patch to apply")]
    NothingStaged,
    /// Too early, malformed, or gone.
    #[error("Problem processing request")]
    Problem,
    #[error("The environment has changed since the plan was made. Run plan again.")]
    Stale,
    /// The simulator's own: never confused with something Railway says.
    #[error("mirage-railway-simulator does not simulate {0}")]
    NotSimulated(String),
    /// A complaint about the input.
    #[error("{0}")]
    Input(String),
    /// Injected by a fault.
    #[error("{message}")]
    Injected {
        message: String,
        code: Option<String>,
    },
}

impl Refusal {
    /// `extensions.code`, where there is one.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Stale => Some("STALE_ENVIRONMENT_BASE"),
            Self::Input(_) => Some("BAD_USER_INPUT"),
            Self::NotSimulated(_) => Some("NOT_SIMULATED"),
            Self::Problem => None,
            Self::Injected { code, .. } => code.as_deref(),
            _ => Some("INTERNAL_SERVER_ERROR"),
        }
    }

    /// The short name in the record.
    pub(crate) fn label(&self) -> String {
        self.to_string()
    }

    /// Packed into one string, to pass through an engine whose field errors are only text.
    pub(crate) fn pack(&self) -> String {
        json!([self.to_string(), self.code()]).to_string()
    }

    /// The message and code out of a packed string.
    pub(crate) fn unpack(packed: &str) -> Option<(String, Option<String>)> {
        serde_json::from_str::<Value>(packed)
            .ok()
            .and_then(|value| {
                let message = value.get(0)?.as_str()?.to_owned();
                let code = value.get(1).and_then(Value::as_str).map(str::to_owned);
                Some((message, code))
            })
    }
}

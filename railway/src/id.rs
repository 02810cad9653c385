//! Railway's ids: opaque, theirs, and not to be mixed up with each other or with ours.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes an id that Railway gave.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as Railway writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )*};
}

ids! {
    /// A workspace.
    WorkspaceId,
    /// A project.
    ProjectId,
    /// An environment of a project.
    EnvironmentId,
    /// A service: one per project, with an instance in each environment that has it.
    ServiceId,
    /// A volume: one per project, with an instance in each environment that has it.
    VolumeId,
    /// A deployment of a service instance.
    DeploymentId,
    /// A generated or custom domain.
    DomainId,
    /// A TCP proxy.
    TcpProxyId,
    /// An asynchronous workflow or change-set application.
    WorkflowId,
}

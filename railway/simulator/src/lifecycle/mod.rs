//! How things come to be, change with time, and go.

pub(crate) mod deploy;
pub(crate) mod due;
pub(crate) mod environment;
pub(crate) mod instance;
pub(crate) mod network;
pub(crate) mod run;

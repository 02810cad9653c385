//! `EnvironmentConfig`: how patches change it, what Railway adds to it, how it is hashed and rendered.

pub(crate) mod change_set;
pub(crate) mod change_set_input;
pub(crate) mod defaults;
pub(crate) mod etag;
pub(crate) mod masking;
pub(crate) mod merge;
pub(crate) mod patch;
pub(crate) mod references;

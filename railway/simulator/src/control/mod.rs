//! Not Railway: the ways in which a test looks into the simulator and meddles with it.

pub(crate) mod edit;
pub(crate) mod http;

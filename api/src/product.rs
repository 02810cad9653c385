//! What Mirage offers beyond Kubernetes' protocol.

pub(crate) mod audit;
pub(crate) mod plan;

//! What Mirage offers beyond Kubernetes' protocol.

pub(crate) mod plan;

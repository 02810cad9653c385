//! What Mirage offers beyond Kubernetes' protocol.

pub(crate) mod audit;
pub(crate) mod effective;
pub(crate) mod master_key;
pub(crate) mod plan;
pub(crate) mod running;
pub(crate) mod session;
pub(crate) mod template_plan;
mod written;

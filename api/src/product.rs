//! What Mirage offers beyond Kubernetes' protocol.

pub(crate) mod audit;
pub(crate) mod clone;
mod creation;
pub(crate) mod effective;
pub(crate) mod export;
pub(crate) mod import;
mod kept;
pub(crate) mod lineage;
pub(crate) mod lookup;
pub(crate) mod master_key;
pub(crate) mod openapi;
pub(crate) mod plan;
pub(crate) mod railway;
pub(crate) mod repositories;
pub(crate) mod running;
pub(crate) mod session;
mod stored;
pub(crate) mod template_plan;
mod written;

//! Who may do what: Kubernetes' role-based access control, decided purely from the stored roles and bindings.
//!
//! ```text
//!   store ── current ──► policy ─┐
//!   token ── identity, limits ───┼─► decision   allowed, and by which binding; or not, and why
//!   request ── attributes ───────┘
//!
//!   a write of a role or a binding ──► escalation   nobody gives what they do not have
//! ```
//!
//! Rights only add up: what no rule allows is refused. Limits of a token only take away. The same rules answer requests,
//! `kubectl auth can-i` and `can-i --list`, so that the three cannot disagree.

mod attributes;
pub(crate) mod builtin;
mod current;
mod decision;
mod escalation;
mod limits;
mod policy;
mod rule;

#[cfg(test)]
mod tests;

pub(crate) use attributes::Attributes;
pub(crate) use current::Policies;
pub(crate) use decision::{decide, rights};
pub(crate) use escalation::{Grant, missing};
pub use limits::Limits;
pub(crate) use policy::{Policy, is_made_of};
pub(crate) use rule::Rule;

/// The API group of roles and bindings.
pub(crate) const RBAC: &str = "rbac.authorization.k8s.io";

/// The group whose members may do everything; Kubernetes' own name for it.
pub(crate) const MASTERS: &str = "system:masters";

/// The group whose members may look at everything but secrets and access itself, everywhere.
pub(crate) const VIEWERS: &str = "mirage:viewers";

//! GraphQL proper: documents in, JSON out.

mod execute;
mod object;
mod schema;
mod validate;

pub(crate) use execute::execute;
pub(crate) use object::{Context, Entity, PatchRef, Resolved};
pub(crate) use schema::{CHANGE_SETS, Engine};
pub(crate) use validate::{Invalid, Prepared};

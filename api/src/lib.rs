//! Under construction.
pub mod auth;
pub mod store;

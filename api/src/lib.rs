//! Under construction.
pub mod auth;
pub mod store;
pub mod tls;

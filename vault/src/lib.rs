//! Secrets in a HashiCorp Vault or an OpenBao: a port that reads one path of a KV version 2 engine, and the client behind it.
//!
//! ```text
//!   Vault (port) ◄── HttpVault ── session (one per way in: HTTP client and token) ── answer (what came back, by class)
//! ```
//! Only three paths of Vault's HTTP API are used (developer.hashicorp.com/vault/api-docs): `GET {mount}/data/{path}`,
//! `POST auth/{mount}/login`, and `auth/token/lookup-self` and `renew-self` for the token. Nothing is ever written there.
//!
//! # Caveats
//! No value is kept: a caller that needs several fields of a path reads it once and takes them from the answer.

mod answer;
mod client;
mod connection;
mod error;
mod secret;
mod session;

use async_trait::async_trait;

pub use client::HttpVault;
pub use connection::{Auth, Connection};
pub use error::Error;
pub use secret::{Place, StoredSecret};

/// Reads secrets of a Vault.
#[async_trait]
pub trait Vault: Send + Sync + 'static {
    /// What is at a place now, or was in the version that is asked for. One request, and those for the token where it is
    /// missing or about to end.
    async fn read(&self, connection: &Connection, place: &Place) -> Result<StoredSecret, Error>;
}

//! Compose files (compose-spec.io), written and read.

mod command;
mod hosts;
mod read;
mod write;

pub use read::read;
pub use write::write;

#[cfg(test)]
mod tests;

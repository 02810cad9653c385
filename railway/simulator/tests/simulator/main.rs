//! The simulator as its clients see it.
//!
//! `cfg(test)` says nothing new here; it tells clippy that helpers of tests may unwrap as well.

#[cfg(test)]
mod access;
#[cfg(test)]
mod client;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod deployments;
#[cfg(test)]
mod environments;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod nonsense;
#[cfg(test)]
mod official_schema;
#[cfg(test)]
mod provision;
#[cfg(test)]
mod quirks;
#[cfg(test)]
mod world;

//! The wire protocol, asked by real clients in the same process: kube-rs, and plain HTTP for what it does not send.

#![expect(clippy::unwrap_used, reason = "in a test a failure is the message")]

mod access;
mod apply;
mod around_spec;
mod audit;
mod catalog;
mod clients;
mod clone;
mod deletion;
mod discovery;
mod documents;
mod door;
mod effective;
mod environments;
mod events;
mod immutable;
mod lists;
mod malformed;
mod objects;
mod openapi;
mod ownership;
mod plan;
mod session;
mod tokens;
mod two_servers;
mod watch;
mod webhooks;
mod world;

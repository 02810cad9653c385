//! What Mirage survives: connections that are lost, SIGKILL at any moment, of one server or of the one that acts, a Railway that is away.

mod connections;
mod failover;
mod kills;
mod outage;
mod store;

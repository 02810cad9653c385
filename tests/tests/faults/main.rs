//! What Mirage survives: connections that are lost, SIGKILL at any moment, a Railway that is away.

mod connections;
mod kills;
mod outage;
mod store;

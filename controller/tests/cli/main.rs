//! The real binary, started the way a person starts it.

mod audit;
mod db;
mod gitops;
mod imports;
mod offline;
mod postgres;
mod reference;
mod serve;
mod simulated;
mod support;
mod telemetry;
mod token;

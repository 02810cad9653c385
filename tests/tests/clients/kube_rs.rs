//! Outside programs with kube-rs, over TLS.

mod calls;
mod controller;
mod survival;
mod watchers;

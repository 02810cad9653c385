//! Mirage's own commands against the real binary, as people, scripts and the pages that teach them use them.

mod clone;
mod life;
mod previews;
mod rollouts;
mod secrets;
mod templates;

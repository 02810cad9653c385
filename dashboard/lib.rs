//! The dashboard as it was built, inside of the binary.
//!
//! `make dashboard` leaves its files in `dist/`, and `build.rs` takes what it finds there. Without them this is empty, and
//! whoever asks is told how to build them: the binary needs no Node.

include!(concat!(env!("OUT_DIR"), "/files.rs"));

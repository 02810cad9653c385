//! Whether anything is lost when the server is killed: clients keep a journal of what they asked, what they were told and
//! what they saw, and afterwards the journal is judged.
//!
//! ```text
//!   writer ─┐                                        ┌─ kill -9, start again, at moments from a seed
//!   writer ─┼─► line (where the server is) ─► server ◄─┘
//!   watcher ┘         │
//!                  journal ─► judge: a pure function from what was recorded to what was broken
//! ```

pub mod document;
pub mod journal;
pub mod judge;
pub mod line;
pub mod siege;
pub mod watcher;
pub mod writer;

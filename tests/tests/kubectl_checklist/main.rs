//! What people and tools rely on when they bring kubectl, as a list of numbered promises.
//!
//! ```text
//!   1–12 discovery   13–18 identity   19–40 writing   41–48 apply   49–60 reading   61–65 deleting   71 patience
//!      │
//!      ├── by the newest kubectl of this machine: a test each
//!      └── 72: by older ones, the whole list on one server each
//! ```
//! The numbers are names and stay, so there are gaps: 66 to 70 are other clients', which have tests of their own.

mod access;
mod apply;
mod cascade;
mod checklist;
mod deleting;
mod discovery;
mod identity;
mod life;
mod patience;
mod reading;
mod requests;
mod scene;
mod versions;
mod watching;
mod writing;

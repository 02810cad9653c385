//! Repositories and those who serve them: reading, following, and GitHub's own API.

mod fetch;
mod github;
mod programs;
mod services;
mod syncs;

//! The client against a scripted Railway.

mod calls;
mod creations;
mod reads;

//! The observer against a scripted Railway.

//! What Mirage costs.

//! The Mirage binary.

fn main() {}

//! Secret values: where they come from, and that they are nowhere else.

mod canaries;
mod openbao;

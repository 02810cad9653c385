//! Where a walk through a value is, for messages about it.

use std::fmt;

/// A list of stack frames: a walk that finds nothing to say allocates nothing for it. Shown as people write a field's path,
/// `spec.services[web.internal].domains[0]`.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// The value itself.
    Root,
    /// A field of an object.
    Field(&'a Place<'a>, &'a str),
    /// An item of a list.
    Item(&'a Place<'a>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => f.write_str(name),
            Self::Field(parent, name) if name.contains('.') => write!(f, "{parent}[{name}]"),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

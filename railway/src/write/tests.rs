//! Both ways of writing.

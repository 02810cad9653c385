//! A walk over every boundary: the same small story again and again, killed before and after each of its effects.

//! Proofs: whether a column is at its minimum, told from its rows in double precision, and steps that take it there.

pub(crate) mod border;
pub(crate) mod cone;
mod digits;
pub(crate) mod exact;
pub(crate) mod finish;
pub(crate) mod least_squares;
pub(crate) mod point;
pub(crate) mod recession;
pub(crate) mod run;
pub(crate) mod separated;
pub(crate) mod steps;

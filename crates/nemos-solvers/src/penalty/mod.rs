//! Penalties on coefficients: what they are worth, and their proximal maps.

pub(crate) mod column;
pub(crate) mod groups;
pub(crate) mod print;
pub(crate) mod regularizer;
pub(crate) mod strength;

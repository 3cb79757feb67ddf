//! Quadratic models of an objective, and their minimum under a penalty.

pub(crate) mod coordinate_descent;
pub(crate) mod corrected;
pub(crate) mod descender;
pub(crate) mod group_step;
pub(crate) mod polish;
pub(crate) mod quadratic;

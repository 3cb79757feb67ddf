//! Linear algebra: vectors, and axes along which features are uncorrelated.

pub(crate) mod axes;
pub(crate) mod newton_step;
pub(crate) mod vector;

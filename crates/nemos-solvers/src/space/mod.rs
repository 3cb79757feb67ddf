//! Where solvers take their steps: one change of variables, in two layers.

pub(crate) mod centring;
pub(crate) mod change;
pub(crate) mod feature_sets;
pub(crate) mod few;
pub(crate) mod whitening;

//! Classifiers: models with one predictor per class.

pub(crate) mod categorical;
pub(crate) mod classes;
pub(crate) mod fitted;
pub(crate) mod loops;
mod objective;
pub(crate) mod specification;

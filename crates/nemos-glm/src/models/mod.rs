//! Observation models: one file for each, and the table of those that are built in.

pub(crate) mod bernoulli;
pub(crate) mod built_in;
pub(crate) mod draw;
pub(crate) mod form;
pub(crate) mod gamma;
pub(crate) mod gaussian;
pub(crate) mod mean;
pub(crate) mod negative_binomial;
pub(crate) mod observation;
pub(crate) mod poisson;
mod samplers;

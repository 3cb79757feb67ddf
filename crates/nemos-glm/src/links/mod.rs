//! Inverse links: one file for each, with its tensors, and with one predictor at a time for loops on the host.

pub(crate) mod at;
pub(crate) mod exp;
pub(crate) mod form;
pub(crate) mod identity;
pub(crate) mod link;
pub(crate) mod logistic;
pub(crate) mod normal_cdf;
pub(crate) mod reciprocal;
pub(crate) mod scalar;
pub(crate) mod softplus;
#[cfg(test)]
mod tests;

//! Inverse links: one file for each, with its tensors; what loops on the host need of each is in `at`.

pub(crate) mod at;
pub(crate) mod exp;
pub(crate) mod identity;
pub(crate) mod link;
pub(crate) mod logistic;
pub(crate) mod normal_cdf;
pub(crate) mod reciprocal;
pub(crate) mod softplus;
#[cfg(test)]
mod tests;

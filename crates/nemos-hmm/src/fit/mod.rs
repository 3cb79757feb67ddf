//! Fitting: expectation and maximisation over runs that share one design.

pub(crate) mod accelerate;
pub(crate) mod constant;
pub(crate) mod data;
pub(crate) mod directions;
pub(crate) mod driven;
pub(crate) mod em;
pub(crate) mod evidence;
pub(crate) mod expectation;
pub(crate) mod glms;
pub(crate) mod information;
pub(crate) mod inputs;
pub(crate) mod kmeans;
pub(crate) mod priors;
pub(crate) mod report;
pub(crate) mod restarts;
pub(crate) mod run;
pub(crate) mod score;
pub(crate) mod seen;
pub(crate) mod start;

pub(crate) use restarts::fit;

//! Fitted models: what they say of data, and how they compare.

pub(crate) mod bootstrap;
pub(crate) mod compare;
pub(crate) mod curve;
pub(crate) mod decoded;
pub(crate) mod inferred;
pub(crate) mod matching;
pub(crate) mod model;
pub(crate) mod print;
mod save;
pub(crate) mod simulate;
pub(crate) mod standard_errors;

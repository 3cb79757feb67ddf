//! Fitted models: predictions, scores, tables.

pub(crate) mod fit;
pub(crate) mod null;
pub(crate) mod objective;
pub(crate) mod population;
pub(crate) mod score;
pub(crate) mod single;
pub(crate) mod table;

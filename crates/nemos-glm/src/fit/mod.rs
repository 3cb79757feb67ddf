//! Specifications of models, and what fits them.

pub(crate) mod dispersion;
pub(crate) mod glm;
pub(crate) mod mask;
pub(crate) mod population;
pub(crate) mod print;
pub(crate) mod smoothness;
pub(crate) mod start;
pub(crate) mod task;
pub(crate) mod training;

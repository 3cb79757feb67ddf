//! Specifications of models, and what fits them.

pub(crate) mod checkpoint;
pub(crate) mod dispersion;
pub(crate) mod fingerprint;
pub(crate) mod finished_group;
pub(crate) mod glm;
pub(crate) mod groups;
pub(crate) mod mask;
pub(crate) mod parts;
pub(crate) mod plan;
pub(crate) mod population;
pub(crate) mod print;
pub(crate) mod recorded;
pub(crate) mod room;
pub(crate) mod saved;
pub(crate) mod smoothness;
pub(crate) mod start;
pub(crate) mod task;
pub(crate) mod training;

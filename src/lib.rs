//! Statistical models of neural activity, on the burn tensor framework.

pub use nemos_basis as basis;
pub use nemos_core as core;
pub use nemos_glm as glm;
pub use nemos_io as io;
pub use nemos_plot as plot;
pub use nemos_solvers as solvers;

#[cfg(doctest)]
mod book;

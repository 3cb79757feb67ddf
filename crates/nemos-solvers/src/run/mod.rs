//! Running a solver: what it is, what it carries, when it stops and what it ends with.

pub(crate) mod callback;
pub(crate) mod method;
pub(crate) mod minimize;
pub(crate) mod outcome;
pub(crate) mod progress;
pub(crate) mod recession;
pub(crate) mod solver;
pub(crate) mod state;
pub(crate) mod stopping;

//! When a solver stops: what the options of all solvers have in common.

use crate::Error;

/// When a solver stops.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) struct Stopping {
    /// Estimated distance to the minimum, relative to the larger of the objective and its fall since the start.
    pub(crate) tolerance: f64,
    /// Passes over the data at most.
    pub(crate) max_steps: usize,
}

impl Stopping {
    /// Where solvers stop that come as close as they like in a few passes.
    pub(crate) const FAST: Stopping = Stopping {
        tolerance: 1e-10,
        max_steps: 500,
    };
    /// Where solvers stop whose passes are many and cheap.
    pub(crate) const SLOW: Stopping = Stopping {
        tolerance: 1e-10,
        max_steps: 10_000,
    };

    pub(crate) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("tolerance of the solver", self.tolerance)
    }
}

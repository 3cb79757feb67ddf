//! When a solver stops.

use crate::error::Error;

/// When a solver stops: given once, to the solve, whatever solves it.
///
/// # Options
/// | option | default | meaning |
/// |---|---|---|
/// | `tolerance` | 1e-10 | stop a column when the estimated distance of its objective to the minimum, relative to the larger of the objective and its fall since the start, is below this |
/// | `max_steps` | the solver's own | give up after so many steps |
///
/// # Example
/// ```
/// use nemos_solvers::Stopping;
/// let strict = Stopping::new().tolerance(1e-14).max_steps(1000);
/// assert_eq!(strict.max_steps, Some(1000));
/// ```
#[doc(alias("solver_kwargs", "maxiter", "tol"))]
#[derive(Copy, Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Stopping {
    /// Estimated distance to the minimum, relative to the larger of the objective and its fall since the start.
    pub tolerance: f64,
    /// Steps at most; the solver's own limit where there is nothing.
    pub max_steps: Option<usize>,
}

impl Default for Stopping {
    fn default() -> Self {
        Stopping {
            tolerance: 1e-10,
            max_steps: None,
        }
    }
}

impl Stopping {
    /// With the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Relative distance to the minimum at which a column stops.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Steps at most.
    #[must_use]
    pub fn max_steps(mut self, max_steps: usize) -> Self {
        self.max_steps = Some(max_steps);
        self
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("tolerance of the solver", self.tolerance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_match_the_table() {
        let expected = Stopping {
            tolerance: 1e-10,
            max_steps: None,
        };
        assert_eq!(Stopping::new(), expected);
    }
}

//! Limited-memory BFGS.

use ndarray::Array2;

use crate::descent::descent::Descent;
use crate::descent::direction::Direction;
use crate::descent::pairs::Pairs;
use crate::error::Error;
use crate::linear::vector::dot;
use crate::problem::objective::Objective;
use crate::problem::parameters::Parameters;
use crate::run::solver::Solver;
use crate::run::state::State;
use crate::run::stopping::Stopping;

/// Limited-memory BFGS, by columns, in the space that the second moments of the features whiten.
///
/// The first inverse Hessian of a column is the expected one, which is exact at an intercept-only start; the pairs of
/// steps and gradient changes correct it from there. One pass over the data per step. It gives up after 500 steps,
/// unless told otherwise.
///
/// # Options
/// | option | default | meaning |
/// |---|---|---|
/// | `memory` | 10 | pairs kept |
///
/// # References
/// Nocedal & Wright (2006), *Numerical Optimization*, algorithm 7.4.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{Lbfgs, Stopping, minimize};
/// # let problem = &problems()[0];
/// let solution = minimize(&*problem.objective, &Lbfgs::new(), Stopping::new(), &problem.start)?;
/// assert!(solution.outcome.all_converged());
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[doc(alias = "LBFGS")]
#[derive(Copy, Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Lbfgs {
    memory: usize,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Lbfgs { memory: 10 }
    }
}

impl Lbfgs {
    /// With the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Pairs of steps and gradient changes kept.
    #[must_use]
    pub fn memory(mut self, memory: usize) -> Self {
        self.memory = memory;
        self
    }
}

impl Solver for Lbfgs {
    fn name(&self) -> &'static str {
        "L-BFGS"
    }

    fn begin(&self, objective: &dyn Objective, start: &Parameters, stopping: Stopping) -> Result<State, Error> {
        let has_ridge = objective.expected_curvature().is_some_and(|expected| expected.ridge.is_some());
        let pairs = |_| Whitened::new(self.memory, if has_ridge { 1.0 } else { 0.0 });
        Descent::new(self.name(), objective, start, stopping, pairs).map(State::new)
    }
}

/// The pairs of one column, where the expected curvature is one.
#[derive(Clone, Debug)]
struct Whitened {
    pairs: Pairs,
    /// The least scale of the expected inverse Hessian that a distance is measured with.
    least_scale: f64,
}

impl Whitened {
    fn new(limit: usize, least_scale: f64) -> Self {
        Whitened {
            pairs: Pairs::new(limit),
            least_scale,
        }
    }

    fn newton(&self, gradient: &[f64], scale: f64) -> Vec<f64> {
        self.pairs
            .newton(gradient, |slopes| slopes.iter_mut().for_each(|slope| *slope *= scale))
    }
}

impl Direction for Whitened {
    fn direction(&mut self, _point: &[f64], gradient: &[f64], _curvature: Option<&Array2<f64>>) -> Vec<f64> {
        self.newton(gradient, self.pairs.scale())
    }

    /// The scale is that of the directions which steps have taken. Along others, such as those that nothing but a ridge keeps from
    /// wandering, the curvature is still the expected one, and the minimum is further than the scale would have it.
    fn decrement(&self, gradient: &[f64], slope: f64) -> f64 {
        if self.pairs.scale() >= self.least_scale {
            return -0.5 * slope;
        }
        -0.5 * dot(gradient, &self.newton(gradient, self.least_scale))
    }

    fn update(&mut self, step: &[f64], change: &[f64]) {
        self.pairs.learn(step, change);
    }

    fn reset(&mut self) -> bool {
        self.pairs.forget()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_match_the_table() {
        assert_eq!(Lbfgs::new(), Lbfgs { memory: 10 });
        assert_eq!(Lbfgs::new().max_steps(), 500);
    }

    #[test]
    fn without_pairs_the_direction_is_the_expected_newton_step() {
        assert_eq!(Whitened::new(10, 0.0).direction(&[0.0; 2], &[1.0, 0.5], None), [-1.0, -0.5]);
    }

    #[test]
    fn enough_pairs_give_the_newton_step_of_a_quadratic() {
        // f = ½ (3x² + 2xy + 2y²): with exact pairs along two conjugate directions the estimate is exact.
        let mut pairs = Whitened::new(10, 0.0);
        pairs.update(&[1.0, 0.0], &[3.0, 1.0]);
        pairs.update(&[-1.0, 3.0], &[0.0, 5.0]);
        let direction = pairs.direction(&[0.0; 2], &[3.0, 1.0], None);
        assert!((direction[0] + 1.0).abs() < 1e-12 && direction[1].abs() < 1e-12, "{direction:?}");
    }
}

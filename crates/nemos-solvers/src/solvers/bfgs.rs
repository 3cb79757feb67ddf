//! BFGS with a dense inverse Hessian.

use ndarray::{Array2, aview1};

use crate::descent::descent::Descent;
use crate::descent::direction::Direction;
use crate::error::Error;
use crate::linear::vector::{dot, negative, norm};
use crate::problem::objective::Objective;
use crate::problem::parameters::Parameters;
use crate::run::solver::Solver;
use crate::run::state::State;
use crate::run::stopping::Stopping;

/// BFGS by columns, in the space that the second moments of the features whiten: every pair of step and gradient change
/// is kept, in an inverse Hessian of `n_parameters²` numbers per column. [`Lbfgs`](crate::Lbfgs) does nearly as well with
/// the last few pairs. It gives up after 500 steps, unless told otherwise.
///
/// # References
/// Nocedal & Wright (2006), *Numerical Optimization*, algorithm 6.1.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{Bfgs, Stopping, minimize};
/// # let problem = &problems()[0];
/// let solution = minimize(&*problem.objective, &Bfgs::new(), Stopping::new(), &problem.start)?;
/// assert!(solution.outcome.all_converged());
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[doc(alias = "BFGS")]
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Bfgs {}

impl Bfgs {
    /// With the default options: there are none.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Solver for Bfgs {
    fn name(&self) -> &'static str {
        "BFGS"
    }

    fn begin(&self, objective: &dyn Objective, start: &Parameters, stopping: Stopping) -> Result<State, Error> {
        Descent::new(self.name(), objective, start, stopping, |_| Inverse::default()).map(State::new)
    }
}

/// The inverse Hessian of one column: that which was expected, one, until a step was taken.
#[derive(Clone, Debug, Default)]
struct Inverse(Option<Array2<f64>>);

impl Direction for Inverse {
    fn direction(&mut self, _point: &[f64], gradient: &[f64], _curvature: Option<&Array2<f64>>) -> Vec<f64> {
        match &self.0 {
            Some(matrix) => (-matrix.dot(&aview1(gradient))).to_vec(),
            None => negative(gradient),
        }
    }

    fn update(&mut self, step: &[f64], change: &[f64]) {
        let product = dot(step, change);
        // A pair without positive curvature would spoil the estimate.
        if product <= f64::EPSILON * f64::EPSILON * norm(change) * norm(step) || !product.recip().is_finite() {
            return;
        }
        // s, y: step and change; rho = 1/(sᵀy)   (Nocedal & Wright 2006, eq. 6.17; the start as eq. 6.20)
        let (s, y, rho) = (aview1(step), aview1(change), product.recip());
        let start = || Array2::from_diag_elem(step.len(), product / dot(change, change));
        let matrix = self.0.get_or_insert_with(start);
        let along = matrix.dot(&y);
        let gain = rho * (1.0 + rho * y.dot(&along));
        for (i, mut row) in matrix.rows_mut().into_iter().enumerate() {
            row.scaled_add(gain * s[i] - rho * along[i], &s);
            row.scaled_add(-rho * s[i], &along);
        }
    }

    fn reset(&mut self) -> bool {
        self.0.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_limit_is_the_one_in_the_text() {
        assert_eq!(Bfgs::new().max_steps(), 500);
    }

    #[test]
    fn the_inverse_agrees_with_the_newest_pair() {
        // The secant equation: H · change = step.
        let mut inverse = Inverse::default();
        for (step, change) in [([1.0, 0.0], [3.0, 1.0]), ([-1.0, 3.0], [0.5, 5.0])] {
            inverse.update(&step, &change);
            let back = inverse.direction(&[0.0; 2], &change, None);
            assert!((back[0] + step[0]).abs() < 1e-14 && (back[1] + step[1]).abs() < 1e-14, "{back:?}");
        }
    }
}

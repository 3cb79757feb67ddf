//! BFGS with a dense inverse Hessian.

use ndarray::{Array1, Array2, aview1};

use crate::descent::{Descent, Rule, dot};
use crate::frame::Frame;
use crate::lbfgs::foretold;
use crate::penalized::require_smooth;
use crate::space::Space;
use crate::stopping::Stopping;
use crate::{Error, Objective, Order, Parameters, Progress, Solver};

/// BFGS by columns, in the space that the Gram matrix of the features whitens: every pair of step and gradient change
/// is kept, in an inverse Hessian of `n_parameters²` numbers per column. [`Lbfgs`](crate::Lbfgs) does nearly as well with
/// the last few pairs.
///
/// # Options
/// | option | default | meaning |
/// |---|---|---|
/// | `tolerance` | 1e-10 | stop when the estimated distance to the minimum, relative to the larger of the objective and its fall since the start, is below this |
/// | `max_steps` | 500 | passes over the data |
///
/// # References
/// Nocedal & Wright (2006), *Numerical Optimization*, algorithm 6.1.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{Bfgs, minimize};
/// # let problem = &problems()[0];
/// let solution = minimize(&*problem.objective, &Bfgs::new(), &problem.start)?;
/// assert!(solution.outcome.all_converged());
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Bfgs {
    stopping: Stopping,
}

impl Default for Bfgs {
    fn default() -> Self {
        Bfgs { stopping: Stopping::FAST }
    }
}

impl Bfgs {
    /// With the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// When to stop.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.stopping.tolerance = tolerance;
        self
    }

    /// Passes over the data at most.
    #[must_use]
    pub fn max_steps(mut self, max_steps: usize) -> Self {
        self.stopping.max_steps = max_steps;
        self
    }
}

/// What [`Bfgs`] carries from step to step.
#[derive(Clone, Debug)]
pub struct BfgsState(Descent<Inverse>);

impl Solver for Bfgs {
    type State = BfgsState;

    fn init(&self, objective: &dyn Objective, start: &Parameters) -> Result<BfgsState, Error> {
        require_smooth(objective, "BFGS")?;
        let space = Space::new(objective.gram(), start.n_parameters())?;
        let rule = |problem| {
            let inverse = Inverse {
                expected: space.curvature(problem),
                matrix: None,
            };
            (inverse, None)
        };
        let settings = (Frame::Whitened(space.clone()), self.stopping.tolerance, Order::Gradient);
        Ok(BfgsState(Descent::new(objective, start, settings, rule)?))
    }

    fn step(&self, objective: &dyn Objective, mut at: Parameters, mut state: BfgsState) -> Result<(Parameters, BfgsState), Error> {
        state.0.step(objective, &mut at)?;
        Ok((at, state))
    }

    fn progress(&self, state: &BfgsState) -> Vec<Progress> {
        state.0.progress()
    }

    fn name(&self, _state: &BfgsState) -> &'static str {
        "BFGS"
    }

    fn max_steps(&self) -> usize {
        self.stopping.max_steps
    }
}

/// The inverse Hessian of one column: that which was foretold until a step was taken.
#[derive(Clone, Debug)]
struct Inverse {
    expected: Vec<f64>,
    matrix: Option<Array2<f64>>,
}

impl Rule for Inverse {
    fn heading(&mut self, _point: &[f64], gradient: &[f64], _curvature: Option<&Array2<f64>>) -> Vec<f64> {
        match &self.matrix {
            Some(matrix) => (-matrix.dot(&aview1(gradient))).to_vec(),
            None => gradient.iter().zip(&self.expected).map(|(g, p)| -g / p).collect(),
        }
    }

    fn learn(&mut self, step: &[f64], change: Vec<f64>) {
        let product = dot(step, &change);
        // A pair without positive curvature would spoil the estimate.
        if product <= f64::EPSILON * f64::EPSILON * dot(&change, &change).sqrt() * dot(step, step).sqrt() || !product.recip().is_finite() {
            return;
        }
        // s, y: step and change; rho = 1/(sᵀy)   (Nocedal & Wright 2006, eq. 6.17; the start as eq. 6.20, in the metric)
        let (s, y, rho) = (aview1(step), aview1(&change), product.recip());
        let expected = &self.expected;
        let matrix = self.matrix.get_or_insert_with(|| {
            let foretold: f64 = change.iter().zip(expected).map(|(y, p)| y * y / p).sum();
            let diagonal: Array1<f64> = expected.iter().map(|p| product / (foretold * p)).collect();
            Array2::from_diag(&diagonal)
        });
        let along = matrix.dot(&y);
        let gain = rho * (1.0 + rho * y.dot(&along));
        for (i, mut row) in matrix.rows_mut().into_iter().enumerate() {
            row.scaled_add(gain * s[i] - rho * along[i], &s);
            row.scaled_add(-rho * s[i], &along);
        }
    }

    fn forget(&mut self) -> bool {
        self.matrix.take().is_some()
    }

    fn foretold(&self, step: &[f64]) -> f64 {
        foretold(&self.expected, step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_match_the_table() {
        let stopping = Stopping {
            tolerance: 1e-10,
            max_steps: 500,
        };
        assert_eq!(Bfgs::new(), Bfgs { stopping });
    }

    #[test]
    fn the_inverse_agrees_with_the_newest_pair() {
        // The secant equation: H · change = step.
        let mut inverse = Inverse {
            expected: vec![1.0, 3.0],
            matrix: None,
        };
        for (step, change) in [([1.0, 0.0], [3.0, 1.0]), ([-1.0, 3.0], [0.5, 5.0])] {
            inverse.learn(&step, change.to_vec());
            let back = inverse.heading(&[0.0; 2], &change, None);
            assert!((back[0] + step[0]).abs() < 1e-14 && (back[1] + step[1]).abs() < 1e-14, "{back:?}");
        }
    }
}

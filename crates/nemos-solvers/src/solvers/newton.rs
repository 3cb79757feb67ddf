//! Newton's method with the Fisher information in place of the Hessian (Fisher scoring).

use ndarray::Array2;

use crate::descent::descent::Descent;
use crate::descent::direction::Direction;
use crate::error::Error;
use crate::linear::newton_step::newton_step;
use crate::linear::vector::negative;
use crate::problem::objective::{Objective, Order};
use crate::problem::parameters::Parameters;
use crate::run::solver::Solver;
use crate::run::state::State;
use crate::run::stopping::Stopping;

/// Fisher scoring by columns: few passes, each of which costs `n_features` times as much as a gradient. For few
/// features and few columns. It gives up after 100 steps, unless told otherwise.
///
/// # References
/// McCullagh & Nelder (1989), *Generalized Linear Models*, section 2.5.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{Newton, Stopping, minimize};
/// # let problem = &problems()[0];
/// let solution = minimize(&*problem.objective, &Newton::new(), Stopping::new(), &problem.start)?;
/// assert!(solution.outcome.all_converged());
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[doc(alias = "IRLS")]
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Newton {}

impl Newton {
    /// With the default options: there are none.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Solver for Newton {
    fn name(&self) -> &'static str {
        "Newton"
    }

    fn begin(&self, objective: &dyn Objective, start: &Parameters, stopping: Stopping) -> Result<State, Error> {
        Descent::new(self.name(), objective, start, stopping, |_| Scoring).map(State::new)
    }

    fn max_steps(&self) -> usize {
        100
    }
}

/// The direction that the curvature at the point gives.
#[derive(Clone, Debug)]
struct Scoring;

impl Direction for Scoring {
    fn direction(&mut self, _point: &[f64], gradient: &[f64], curvature: Option<&Array2<f64>>) -> Vec<f64> {
        curvature
            .and_then(|curvature| newton_step(curvature, gradient))
            .unwrap_or_else(|| negative(gradient))
    }

    fn order(&self) -> Order<'static> {
        Order::Curvature
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_limit_is_the_one_in_the_text() {
        assert_eq!(Newton::new().max_steps(), 100);
    }
}

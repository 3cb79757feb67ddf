//! Picks the solver by the size of the problem and its penalty.

use crate::error::Error;
use crate::penalty::regularizer::Regularizer;
use crate::problem::objective::Objective;
use crate::problem::parameters::Parameters;
use crate::run::solver::Solver;
use crate::run::state::State;
use crate::run::stopping::Stopping;
use crate::solvers::lbfgs::Lbfgs;
use crate::solvers::newton::Newton;
use crate::solvers::proximal_newton::ProximalNewton;

/// [`ProximalNewton`] where the penalty has a nonsmooth part (lasso, elastic net, group lasso); else [`Newton`] for few
/// features and few columns, and [`Lbfgs`] for the rest. The outcome of a fit names the one that ran. It gives up after
/// 500 steps, unless told otherwise.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{Auto, Penalized, Regularizer, Stopping, minimize};
/// # let problem = &problems()[0];
/// let lasso = Regularizer::Lasso(0.1.into());
/// let objective = Penalized::new(&*problem.objective, &lasso);
/// let solution = minimize(&objective, &Auto::new(), Stopping::new(), &problem.start)?;
/// assert!(solution.outcome.all_converged());
/// assert!(solution.parameters.column(0).contains(&0.0));
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Auto {}

// A Newton pass costs about 1 + n_features/4 gradient passes, and saves about half of them.
const FEW_PARAMETERS: usize = 8;
const FEW_PROBLEMS: usize = 4;

impl Auto {
    /// With the default options: there are none.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Solver for Auto {
    fn name(&self) -> &'static str {
        "the solver that is picked"
    }

    fn begin(&self, objective: &dyn Objective, start: &Parameters, stopping: Stopping) -> Result<State, Error> {
        let few = start.n_parameters() <= FEW_PARAMETERS && start.n_problems() <= FEW_PROBLEMS;
        match objective.penalty() {
            Some(penalty) if !penalty.is_smooth() => ProximalNewton::new().begin(objective, start, stopping),
            _ if few => Newton::new().begin(objective, start, stopping),
            _ => Lbfgs::new().begin(objective, start, stopping),
        }
    }

    fn handles(&self, _penalty: &Regularizer) -> bool {
        true
    }

    fn picks(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_limit_is_the_one_in_the_text() {
        assert_eq!(Auto::new().max_steps(), 500);
    }
}

//! Picks the solver by the size of the problem and its penalty.

use crate::stopping::Stopping;
use crate::{Error, Lbfgs, LbfgsState, Newton, NewtonState, Objective, Parameters, Progress, ProximalNewton, ProximalNewtonState, Solver};

/// [`ProximalNewton`] where the penalty has no gradient (lasso, elastic net, group lasso); else [`Newton`] for few
/// features and few columns, and [`Lbfgs`] for the rest. The outcome of a fit names the one that ran.
///
/// # Options
/// | option | default | meaning |
/// |---|---|---|
/// | `tolerance` | 1e-10 | as in [`Lbfgs`] |
/// | `max_steps` | 500 | passes over the data |
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{Auto, Penalized, Regularizer, minimize};
/// # let problem = &problems()[0];
/// let lasso = Regularizer::Lasso(0.1.into());
/// let objective = Penalized::new(&*problem.objective, &lasso);
/// let solution = minimize(&objective, &Auto::new(), &problem.start)?;
/// assert!(solution.outcome.all_converged());
/// assert!(solution.parameters.column(0).contains(&0.0));
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Auto {
    stopping: Stopping,
}

impl Default for Auto {
    fn default() -> Self {
        Auto { stopping: Stopping::FAST }
    }
}

// A Newton pass costs about 1 + n_features/4 gradient passes, and saves about half of them.
const FEW_PARAMETERS: usize = 8;
const FEW_PROBLEMS: usize = 4;

impl Auto {
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

    fn lbfgs(&self) -> Lbfgs {
        Lbfgs::new().tolerance(self.stopping.tolerance).max_steps(self.stopping.max_steps)
    }

    fn proximal_newton(&self) -> ProximalNewton {
        ProximalNewton::new()
            .tolerance(self.stopping.tolerance)
            .max_steps(self.stopping.max_steps)
    }

    fn newton(&self) -> Newton {
        Newton::new().tolerance(self.stopping.tolerance).max_steps(self.stopping.max_steps)
    }
}

/// The state of the solver that [`Auto`] picked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AutoState {
    /// It picked [`Lbfgs`].
    Lbfgs(LbfgsState),
    /// It picked [`Newton`].
    Newton(NewtonState),
    /// It picked [`ProximalNewton`].
    ProximalNewton(ProximalNewtonState),
}

impl Solver for Auto {
    type State = AutoState;

    fn init(&self, objective: &dyn Objective, start: &Parameters) -> Result<AutoState, Error> {
        if objective.penalty().is_some() {
            Ok(AutoState::ProximalNewton(self.proximal_newton().init(objective, start)?))
        } else if start.n_parameters() <= FEW_PARAMETERS && start.n_problems() <= FEW_PROBLEMS {
            Ok(AutoState::Newton(self.newton().init(objective, start)?))
        } else {
            Ok(AutoState::Lbfgs(self.lbfgs().init(objective, start)?))
        }
    }

    fn step(&self, objective: &dyn Objective, at: Parameters, state: AutoState) -> Result<(Parameters, AutoState), Error> {
        match state {
            AutoState::Lbfgs(state) => self
                .lbfgs()
                .step(objective, at, state)
                .map(|(at, state)| (at, AutoState::Lbfgs(state))),
            AutoState::Newton(state) => self
                .newton()
                .step(objective, at, state)
                .map(|(at, state)| (at, AutoState::Newton(state))),
            AutoState::ProximalNewton(state) => self
                .proximal_newton()
                .step(objective, at, state)
                .map(|(at, state)| (at, AutoState::ProximalNewton(state))),
        }
    }

    fn progress(&self, state: &AutoState) -> Vec<Progress> {
        match state {
            AutoState::Lbfgs(state) => self.lbfgs().progress(state),
            AutoState::Newton(state) => self.newton().progress(state),
            AutoState::ProximalNewton(state) => self.proximal_newton().progress(state),
        }
    }

    fn name(&self, state: &AutoState) -> &'static str {
        match state {
            AutoState::Lbfgs(state) => self.lbfgs().name(state),
            AutoState::Newton(state) => self.newton().name(state),
            AutoState::ProximalNewton(state) => self.proximal_newton().name(state),
        }
    }

    fn max_steps(&self) -> usize {
        self.stopping.max_steps
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
        assert_eq!(Auto::new(), Auto { stopping });
    }
}

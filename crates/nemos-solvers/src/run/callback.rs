//! Looking on while a solver runs.

use std::fmt;

use crate::error::Error;
use crate::penalty::regularizer::Regularizer;
use crate::problem::objective::Objective;
use crate::problem::parameters::Parameters;
use crate::run::progress::Progress;
use crate::run::solver::Solver;
use crate::run::state::State;
use crate::run::stopping::Stopping;

/// A solver with a callback that is shown how far each column is, after every step. It is otherwise the one that it wraps.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use nemos_solvers::{Auto, Callback, Stopping, minimize};
/// # let problem = &problems()[0];
/// let done = AtomicUsize::new(0);
/// let solver = Callback::new(Auto::new(), |columns| {
///     done.store(columns.iter().filter(|column| column.status.is_some()).count(), Ordering::Relaxed);
/// });
/// minimize(&*problem.objective, &solver, Stopping::new(), &problem.start)?;
/// assert_eq!(done.into_inner(), problem.start.n_problems());
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[derive(Clone)]
pub struct Callback<S, F> {
    solver: S,
    callback: F,
}

impl<S, F: Fn(&[Progress])> Callback<S, F> {
    /// Calls `callback` after every step of `solver`.
    pub fn new(solver: S, callback: F) -> Self {
        Callback { solver, callback }
    }
}

impl<S: fmt::Debug, F> fmt::Debug for Callback<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback").field("solver", &self.solver).finish_non_exhaustive()
    }
}

impl<S: Solver, F: Fn(&[Progress]) + Send + Sync> Solver for Callback<S, F> {
    fn name(&self) -> &'static str {
        self.solver.name()
    }

    fn begin(&self, objective: &dyn Objective, start: &Parameters, stopping: Stopping) -> Result<State, Error> {
        self.solver.begin(objective, start, stopping)
    }

    fn handles(&self, penalty: &Regularizer) -> bool {
        self.solver.handles(penalty)
    }

    fn max_steps(&self) -> usize {
        self.solver.max_steps()
    }

    fn after_step(&self, progress: &[Progress]) {
        self.solver.after_step(progress);
        (self.callback)(progress);
    }
}

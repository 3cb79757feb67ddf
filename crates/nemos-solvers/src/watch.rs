//! Looking on while a solver runs.

use std::fmt;

use crate::{Error, Objective, Parameters, Progress, Solver};

/// A solver that shows how far each column is, after every step, and is otherwise the one that it wraps.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use std::cell::Cell;
/// use nemos_solvers::{Auto, Watch, minimize};
/// # let problem = &problems()[0];
/// let done = Cell::new(0);
/// let solver = Watch::new(Auto::new(), |columns| {
///     done.set(columns.iter().filter(|column| column.status.is_some()).count());
/// });
/// minimize(&*problem.objective, &solver, &problem.start)?;
/// assert_eq!(done.get(), problem.start.n_problems());
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[derive(Clone)]
pub struct Watch<S, F> {
    solver: S,
    look: F,
}

impl<S, F: Fn(&[Progress])> Watch<S, F> {
    /// Calls `look` after every step of `solver`.
    pub fn new(solver: S, look: F) -> Self {
        Watch { solver, look }
    }
}

impl<S: fmt::Debug, F> fmt::Debug for Watch<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("solver", &self.solver).finish_non_exhaustive()
    }
}

impl<S: Solver, F: Fn(&[Progress])> Solver for Watch<S, F> {
    type State = S::State;

    fn init(&self, objective: &dyn Objective, start: &Parameters) -> Result<S::State, Error> {
        self.solver.init(objective, start)
    }

    fn step(&self, objective: &dyn Objective, at: Parameters, state: S::State) -> Result<(Parameters, S::State), Error> {
        let (at, state) = self.solver.step(objective, at, state)?;
        (self.look)(&self.solver.progress(&state));
        Ok((at, state))
    }

    fn progress(&self, state: &S::State) -> Vec<Progress> {
        self.solver.progress(state)
    }

    fn name(&self, state: &S::State) -> &'static str {
        self.solver.name(state)
    }

    fn max_steps(&self) -> usize {
        self.solver.max_steps()
    }
}

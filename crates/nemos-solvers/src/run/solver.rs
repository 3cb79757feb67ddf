//! Solvers: settings, which begin a state that is data.

use std::fmt::Debug;

use crate::error::Error;
use crate::penalty::regularizer::Regularizer;
use crate::problem::objective::Objective;
use crate::problem::parameters::Parameters;
use crate::run::progress::Progress;
use crate::run::state::State;
use crate::run::stopping::Stopping;

/// A way to minimise: settings, from which a [`State`] begins. One's own is a [`Direction`](crate::Direction) under a
/// [`Descent`](crate::Descent), with these two methods.
///
/// *Implementor must* say which penalties it handles: an [`Objective`] leaves the nonsmooth part of its penalty out of its
/// evaluations, and a solver that does not look at [`Objective::penalty`] would minimise without it.
/// *Caller must* begin by [`begin`](crate::begin) or [`minimize`](crate::minimize), which ask.
#[doc(alias = "AbstractSolver")]
pub trait Solver: Debug + Send + Sync {
    /// Name of the solver.
    fn name(&self) -> &'static str;

    /// The state before the first step.
    ///
    /// # Errors
    /// Where options are out of range, or the data cannot be read.
    fn begin(&self, objective: &dyn Objective, start: &Parameters, stopping: Stopping) -> Result<State, Error>;

    /// Whether it minimises with this penalty: unless it says otherwise, those that have a gradient everywhere.
    fn handles(&self, penalty: &Regularizer) -> bool {
        penalty.is_smooth()
    }

    /// Steps after which it gives up, unless [`Stopping`] says otherwise.
    fn max_steps(&self) -> usize {
        500
    }

    /// Whether it leaves the choice of a method to the library, so that [`minimize_each`](crate::minimize_each) may choose one for all
    /// penalties together.
    fn picks(&self) -> bool {
        false
    }

    /// Called by [`minimize`](crate::minimize) after every step.
    fn after_step(&self, _progress: &[Progress]) {}
}

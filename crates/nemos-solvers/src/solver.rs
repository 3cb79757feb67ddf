//! Solvers: settings, a state that is data, and a step that is a function.

use crate::{Error, Objective, Parameters, Status};

/// How far one column is.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Why it stopped, or nothing while it is on its way.
    pub status: Option<Status>,
    /// Steps taken.
    pub steps: usize,
    /// Evaluations of the objective, rejected steps included.
    pub evaluations: usize,
    /// Objective at the current point.
    pub value: f64,
    /// Norm of its gradient.
    pub gradient_norm: f64,
    /// Estimated distance of the objective to its minimum.
    pub decrement: f64,
    /// Directions that the features which may move span, over all blocks of the column.
    pub rank: usize,
    /// Curvature along the latest steps as a share of what the Gram matrix foretold. Where it vanishes, the objective
    /// may have no minimum.
    pub flatness: f64,
}

impl Default for Progress {
    /// Nothing is known yet.
    fn default() -> Self {
        Progress {
            status: None,
            steps: 0,
            evaluations: 0,
            value: f64::NAN,
            gradient_norm: f64::NAN,
            decrement: f64::NAN,
            rank: 0,
            flatness: f64::INFINITY,
        }
    }
}

/// A way to minimise.
///
/// *Implementor must* move every column by itself: its result may not depend on the others.
/// *Implementor must* leave a column alone once its status is set.
///
/// A solver is settings; what changes is its `State`, which is passed in and returned, so that a fit can be resumed,
/// logged, or watched step by step.
pub trait Solver {
    /// What a solver carries from one step to the next.
    type State: Clone;

    /// The state before the first step.
    ///
    /// # Errors
    /// Where options are out of range, or the data cannot be read.
    fn init(&self, objective: &dyn Objective, start: &Parameters) -> Result<Self::State, Error>;

    /// One step of every column that is still on its way.
    ///
    /// # Errors
    /// Where the data cannot be read.
    fn step(&self, objective: &dyn Objective, at: Parameters, state: Self::State) -> Result<(Parameters, Self::State), Error>;

    /// How far each column is.
    fn progress(&self, state: &Self::State) -> Vec<Progress>;

    /// Name of the solver, or of the one that it picked.
    fn name(&self, state: &Self::State) -> &'static str;

    /// Steps after which [`minimize`](crate::minimize) gives up.
    fn max_steps(&self) -> usize {
        500
    }
}

/// A solver that can be given other data at every step.
///
/// *Implementor must* evaluate the objective afresh at every step, from the parameters that it is given, so that each
/// step may see another batch of the data; nothing that one batch was worth may decide on a later step.
/// *Caller must* [`reopen`](Stochastic::reopen) the state before a step on other data, because a column that one batch is
/// content with would be left alone otherwise.
///
/// # Example
/// ```
/// use nemos_solvers::{Error, Objective, Parameters, Stochastic};
/// fn epoch(solver: &impl Stochastic, batches: &[&dyn Objective], mut at: Parameters) -> Result<Parameters, Error> {
///     let mut state = solver.init(batches[0], &at)?;
///     for batch in batches {
///         state = solver.reopen(state);
///         (at, state) = solver.step(*batch, at, state)?;
///     }
///     Ok(at)
/// }
/// ```
pub trait Stochastic: Solver {
    /// The state with every column on its way again.
    fn reopen(&self, state: Self::State) -> Self::State;
}

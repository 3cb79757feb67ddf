//! What a solver carries from step to step.

use std::fmt;

use crate::error::Error;
use crate::problem::objective::Objective;
use crate::problem::parameters::Parameters;
use crate::run::method::Method;
use crate::run::progress::Progress;

/// A solver under way: where every column is and what was learnt. It can be stepped, looked at, cloned and kept.
///
/// # Example
/// One step on each batch of data:
/// ```
/// use nemos_solvers::{Error, GradientDescent, Objective, Parameters, Stopping, begin};
/// fn epoch(batches: &[&dyn Objective], start: &Parameters) -> Result<Parameters, Error> {
///     let mut state = begin(batches[0], &GradientDescent::new(), Stopping::new(), start)?;
///     for batch in batches {
///         state.reopen()?;
///         state.step(*batch)?;
///     }
///     Ok(state.parameters().clone())
/// }
/// ```
#[must_use]
pub struct State(Box<dyn CloneMethod>);

/// A method that can be cloned behind a pointer.
trait CloneMethod: Method {
    fn boxed(&self) -> Box<dyn CloneMethod>;
}

impl<M: Method + Clone + 'static> CloneMethod for M {
    fn boxed(&self) -> Box<dyn CloneMethod> {
        Box::new(self.clone())
    }
}

impl State {
    /// Of a method.
    pub fn new(method: impl Method + Clone + 'static) -> Self {
        State(Box::new(method))
    }

    /// Name of the solver, or of the one that it picked.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// One step of every column that is still on its way.
    ///
    /// # Errors
    /// Where the data cannot be read.
    pub fn step(&mut self, objective: &dyn Objective) -> Result<(), Error> {
        self.0.step(objective)
    }

    /// `[n_parameters, n_problems]`: where each column is.
    pub fn parameters(&self) -> &Parameters {
        self.0.parameters()
    }

    /// How far each column is.
    pub fn progress(&self) -> Vec<Progress> {
        self.0.progress()
    }

    /// Sets every column on its way again, for data that come in batches: a column that one batch is content with would
    /// be left alone otherwise. A batch need not know its [expected curvature](Objective::expected_curvature).
    ///
    /// # Errors
    /// [`Error::Batches`] if the solver cannot be given other data at every step.
    pub fn reopen(&mut self) -> Result<(), Error> {
        self.0.reopen()
    }
}

impl Method for State {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn step(&mut self, objective: &dyn Objective) -> Result<(), Error> {
        self.0.step(objective)
    }

    fn parameters(&self) -> &Parameters {
        self.0.parameters()
    }

    fn progress(&self) -> Vec<Progress> {
        self.0.progress()
    }

    fn reopen(&mut self) -> Result<(), Error> {
        self.0.reopen()
    }
}

impl Clone for State {
    fn clone(&self) -> Self {
        State(self.0.boxed())
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

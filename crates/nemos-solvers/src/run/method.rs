//! A method that is running.

use std::fmt::Debug;

use crate::error::Error;
use crate::problem::objective::Objective;
use crate::problem::parameters::Parameters;
use crate::run::progress::Progress;

/// A method that is running: what a [`State`](crate::State) is made from. [`Descent`](crate::Descent) is one; write another
/// only where steps are not along directions.
///
/// *Implementor must* move every column by itself: its result may not depend on the others.
/// *Implementor must* leave a column alone once its status is set.
/// *Implementor may* reopen: then each step evaluates the objective afresh, and nothing that one batch of data was worth
/// decides on a later step.
pub trait Method: Debug + Send {
    /// Name of the solver.
    fn name(&self) -> &'static str;

    /// One step of every column that is still on its way.
    ///
    /// # Errors
    /// Where the data cannot be read.
    fn step(&mut self, objective: &dyn Objective) -> Result<(), Error>;

    /// `[n_parameters, n_problems]`: where each column is.
    fn parameters(&self) -> &Parameters;

    /// How far each column is.
    fn progress(&self) -> Vec<Progress>;

    /// Sets every column on its way again, for other data.
    ///
    /// # Errors
    /// [`Error::Batches`] if the method keeps what it has seen of the data.
    fn reopen(&mut self) -> Result<(), Error> {
        Err(Error::Batches { solver: self.name() })
    }
}

//! Stochastic variance-reduced gradient, with a proximal map where the penalty needs one.

use crate::error::Error;
use crate::gradients::step_length::StepLength;
use crate::gradients::variance_reduced::{Settings, VarianceReduced};
use crate::penalty::regularizer::Regularizer;
use crate::problem::objective::Objective;
use crate::problem::parameters::Parameters;
use crate::run::solver::Solver;
use crate::run::state::State;
use crate::run::stopping::Stopping;

/// Stochastic variance-reduced gradient descent, for any penalty: steps on a few rows at a time, corrected by a full
/// gradient once per epoch. For data that are so long that a pass is dear; one step of the solver is an epoch.
///
/// ```text
/// g = gradient(w, rows) − gradient(reference, rows) + gradient(reference)
/// w ← prox(w − length g, length)             prox: the identity, where the penalty is smooth
/// ```
///
/// Rows are drawn with replacement, the same ones for every column. The full gradient at the start of an epoch tells how
/// far the column is, and decides on its status. It can be given other data at every epoch ([`State::reopen`]). It gives up
/// after 10000 epochs, unless told otherwise.
///
/// # Options
/// | option | default | meaning |
/// |---|---|---|
/// | `step_length` | from the [`Smoothness`](crate::Smoothness) of the objective, or 1e-3 where it is not known | how long the steps are |
/// | `batch_size` | from the smoothness and the ridge, or 1 | rows per step |
/// | `seed` | 123 | of the rows that are drawn |
///
/// # References
/// Johnson & Zhang (2013), *NeurIPS*; Xiao & Zhang (2014), *SIAM Journal on Optimization* 24(4); Sebbouh et al. (2019),
/// *NeurIPS*.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{Stopping, Svrg, minimize};
/// # let problem = &problems()[1];
/// let solution = minimize(&*problem.objective, &Svrg::new(), Stopping::new().tolerance(1e-6), &problem.start)?;
/// assert!(solution.outcome.all_converged());
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[doc(alias = "ProxSVRG")]
#[derive(Copy, Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Svrg(Settings);

impl Svrg {
    /// With the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long the steps are.
    #[must_use]
    pub fn step_length(mut self, step_length: f64) -> Self {
        self.0.step_length = StepLength::Fixed(step_length);
        self
    }

    /// Rows per step.
    #[must_use]
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.0.batch_size = Some(batch_size);
        self
    }

    /// Seed of the rows that are drawn.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }
}

impl Solver for Svrg {
    fn name(&self) -> &'static str {
        "SVRG"
    }

    fn begin(&self, objective: &dyn Objective, start: &Parameters, stopping: Stopping) -> Result<State, Error> {
        VarianceReduced::new(self.name(), self.0, objective, start, stopping).map(State::new)
    }

    fn handles(&self, _penalty: &Regularizer) -> bool {
        true
    }

    fn max_steps(&self) -> usize {
        10_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_match_the_table() {
        let expected = Svrg(Settings {
            step_length: StepLength::Searched,
            batch_size: None,
            seed: 123,
        });
        assert_eq!(Svrg::new(), expected);
        assert_eq!(Svrg::new().max_steps(), 10_000);
    }
}
